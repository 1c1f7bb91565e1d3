// SPDX-License-Identifier: Apache-2.0
// The torrent of a delivery, built from signed facts alone.
//
// Root and length stand under a signature; everything else in the info dictionary follows from them
// by rule, so two devices that trust the same delivery derive the same info-hash and nobody has to
// send it. The bytes are, in this order (BEP 52; keys sorted; one file, no attributes):
//
//     d 9:file tree d NAME d 0: d 6:length iLENGTHe 11:pieces root ROOT e e e
//       12:meta version i2e 4:name NAME 12:piece length iPIECEe e
//
// NAME is the root in lower-case hexadecimal. There is no "private" key: libtorrent would then
// refuse to find peers by local service discovery, which is what carries on when the gateway is
// gone. DHT, trackers and peer exchange are off by other means.
#pragma once

#include <cstdint>

#include "proto/base/bytes.h"
#include "proto/base/sha256.h"

namespace lineside::swarm {

// Signed. `root` is the BEP 52 root of the file; it does not bind `length`, so both are compared.
struct DeliveryFacts {
  Digest root;
  std::uint64_t length = 0;  // bytes; at least 1
  auto operator<=>(const DeliveryFacts&) const = default;
};

inline constexpr std::uint32_t kBlockBytes = 16U << 10;  // BEP 52 leaves and requests
inline constexpr std::uint32_t kMaxPieceBytes = 4U << 20;
inline constexpr std::uint64_t kMaxPieces = 4096;        // below kMaxPieceBytes
inline constexpr std::uint64_t kMaxLength = 1ULL << 40;  // a bound for what facts may claim

// The smallest power of two from 16 KiB to 4 MiB that makes at most 4096 pieces, else 4 MiB. Small
// pieces spread fastest; 4096 keeps the have-messages of a large site below the noise.
std::uint32_t piece_length(std::uint64_t length);
// ceil(length / piece_length(length)).
std::uint64_t piece_count(std::uint64_t length);
// ceil(length / 16 KiB).
std::uint64_t block_count(std::uint64_t length);

Bytes info_dictionary(const DeliveryFacts& facts);
// SHA-256 of info_dictionary(): the BEP 52 info-hash. On the wire its first 20 bytes are sent.
Digest info_hash(const DeliveryFacts& facts);

}  // namespace lineside::swarm

// SPDX-License-Identifier: Apache-2.0
// What a node knows of a half-fetched file, kept beside it as "<file>.resume".
//
// | bytes | what |
// |---|---|
// | 8 | "LSRESUM1" |
// | 32 | root of the delivery |
// | 8 | its length, little-endian |
// | ceil(pieces / 8) | pieces that are on the disk, the first one in the highest bit; spare bits 0
// | | 32 | SHA-256 of everything above |
//
// It is written only after the file itself was synced, so a set bit is a piece that a power cut
// cannot have taken. It vouches for writes, not for the medium: the delivery's root is checked
// again when the delivery is applied.
#pragma once

#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/result.h"
#include "proto/swarm/info.h"

namespace lineside::swarm {

// One flag a piece.
using Pieces = std::vector<bool>;

// `pieces` has piece_count(facts.length) flags.
Bytes encode_resume(const DeliveryFacts& facts, const Pieces& pieces);
// kMalformed for another form or a bad checksum, kMismatch for another delivery.
Result<Pieces> decode_resume(BytesView bytes, const DeliveryFacts& facts);
// The most bytes that a resume file of this delivery can have.
std::uint64_t resume_bytes(const DeliveryFacts& facts);

}  // namespace lineside::swarm

// SPDX-License-Identifier: Apache-2.0
// The root of a file: BEP 52 ("pieces root"), SHA-256 over 16 KiB leaves.
//
//                root
//              /      \            .
//          h01          h23
//         /   \        /   \       .
//       l0     l1    l2     0      leaves, padded to a power of two with 32 zero bytes
//
// The last leaf is hashed at its real length. libtorrent checks the same root on the wire. A root
// does not bind a length: the 64 bytes h01|h23 as a file have the root above too, if it has one
// leaf only. Compare the length first, always.
//
// A file of length 0 has no leaves; its root is defined here as the SHA-256 of nothing. It never
// goes on the wire alone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/base/sha256.h"

namespace lineside::trust {

inline constexpr std::uint64_t kLeafBytes = 16ULL << 10;

// Leaves of a stream of bytes, fed in any portions. One thread at a time; finish() once.
class MerkleHasher {
 public:
  void update(BytesView data);
  std::vector<Digest> finish();
  [[nodiscard]] std::uint64_t length() const { return length_; }

 private:
  void end_leaf();

  Sha256 leaf_;
  std::uint64_t length_ = 0;
  std::vector<Digest> leaves_;
};

// The root above these leaves; the SHA-256 of nothing if there are none.
Digest root_of(std::span<const Digest> leaves);

// The hashes of the layer in which one node covers `piece_length` bytes, without those that cover
// padding alone: BEP 52 "piece layers". `piece_length` is a power of two and at least kLeafBytes,
// else the result is empty.
std::vector<Digest> layer_at(std::span<const Digest> leaves, std::uint64_t piece_length);

struct FileFacts {
  std::uint64_t length = 0;
  Digest root;
  std::vector<Digest> leaves;  // empty unless asked for
};

enum class KeepLeaves { kNo, kYes };

// Reads the file once in 1 MiB portions, at most `threads` of them at a time. kMismatch if it
// becomes shorter meanwhile; else the codes of InputFile::read_at.
Result<FileFacts> hash_file(const InputFile& file, unsigned threads,
                            KeepLeaves keep = KeepLeaves::kNo);

}  // namespace lineside::trust

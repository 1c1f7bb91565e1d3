// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/leaves.h"

#include <algorithm>
#include <string>

#include "proto/trust/merkle.h"

namespace lineside::trust {

std::uint64_t leaf_count(std::uint64_t length) {
  return length / kLeafBytes + (length % kLeafBytes == 0 ? 0 : 1);
}

Bytes serialise_leaves(std::span<const Digest> leaves) {
  Bytes bytes;
  bytes.reserve(leaves.size() * kDigestBytes);
  for (const Digest& leaf : leaves) {
    bytes.insert(bytes.end(), leaf.bytes.begin(), leaf.bytes.end());
  }
  return bytes;
}

Result<std::vector<Digest>> parse_leaves(BytesView bytes) {
  if (bytes.size() % kDigestBytes != 0) {
    return Error{Code::kMalformed,
                 "leaves: " + std::to_string(bytes.size()) + " bytes, expected a multiple of 32"};
  }
  std::vector<Digest> leaves(bytes.size() / kDigestBytes);
  for (Digest& leaf : leaves) {
    std::copy_n(bytes.begin(), kDigestBytes, leaf.bytes.begin());
    bytes = bytes.subspan(kDigestBytes);
  }
  return leaves;
}

Result<void> verify_leaves(std::span<const Digest> leaves, std::uint64_t length,
                           const Digest& root) {
  if (leaves.size() != leaf_count(length)) {
    return Error{Code::kMismatch, "a file of " + std::to_string(length) + " bytes has " +
                                      std::to_string(leaf_count(length)) + " leaves, found " +
                                      std::to_string(leaves.size())};
  }
  if (root_of(leaves) == root) return ok();
  return Error{Code::kMismatch, "the leaves are not those of " + root.hex()};
}

}  // namespace lineside::trust

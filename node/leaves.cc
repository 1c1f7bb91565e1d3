// SPDX-License-Identifier: Apache-2.0
#include "node/leaves.h"

#include <algorithm>

#include "proto/trust/merkle.h"

namespace lineside::node {
namespace {

Path leaves_file(const Path& delivery) {
  return Path(delivery.string() + ".leaves");
}

Result<void> check(const std::vector<Digest>& leaves, const Digest& root, std::uint64_t length) {
  std::uint64_t count = (length + trust::kLeafBytes - 1) / trust::kLeafBytes;
  if (leaves.size() == count && trust::root_of(leaves) == root) return ok();
  return Error{Code::kMismatch, "the leaves are not those of " + root.hex()};
}

}  // namespace

Result<std::vector<Digest>> stored_leaves(const Disk& disk, const Path& delivery,
                                          const Digest& root, std::uint64_t length) {
  std::uint64_t count = (length + trust::kLeafBytes - 1) / trust::kLeafBytes;
  TRY_ASSIGN(Bytes bytes, disk.read(leaves_file(delivery), count * 32));
  std::vector<Digest> leaves(bytes.size() / 32);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(i * 32), 32, leaves[i].bytes.begin());
  }
  TRY(check(leaves, root, length));
  return leaves;
}

Result<std::vector<Digest>> obtain_leaves(Disk& disk, GatewayLink& link, const Path& delivery,
                                          const Digest& root, std::uint64_t length) {
  auto held = stored_leaves(disk, delivery, root, length);
  if (held.ok()) return held;
  TRY_ASSIGN(std::vector<Digest> leaves, link.leaves(root, length));
  TRY(check(leaves, root, length));
  Bytes bytes;
  bytes.reserve(leaves.size() * 32);
  for (const Digest& leaf : leaves) {
    bytes.insert(bytes.end(), leaf.bytes.begin(), leaf.bytes.end());
  }
  TRY(disk.replace(leaves_file(delivery), bytes));
  return leaves;
}

}  // namespace lineside::node

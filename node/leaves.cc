// SPDX-License-Identifier: Apache-2.0
#include "node/leaves.h"

#include "proto/trust/leaves.h"

namespace lineside::node {
namespace {

Path leaves_file(const Path& delivery) {
  return Path(delivery.string() + ".leaves");
}

}  // namespace

Result<std::vector<Digest>> stored_leaves(const Disk& disk, const Path& delivery,
                                          const Digest& root, std::uint64_t length) {
  TRY_ASSIGN(Bytes bytes,
             disk.read(leaves_file(delivery), trust::leaf_count(length) * trust::kDigestBytes));
  TRY_ASSIGN(std::vector<Digest> leaves, trust::parse_leaves(bytes));
  TRY(trust::verify_leaves(leaves, length, root));
  return leaves;
}

Result<std::vector<Digest>> obtain_leaves(Disk& disk, GatewayLink& link, const Path& delivery,
                                          const Digest& root, std::uint64_t length) {
  auto held = stored_leaves(disk, delivery, root, length);
  if (held.ok()) return held;
  TRY_ASSIGN(std::vector<Digest> leaves, link.leaves(root, length));
  TRY(trust::verify_leaves(leaves, length, root));
  TRY(disk.replace(leaves_file(delivery), trust::serialise_leaves(leaves)));
  return leaves;
}

}  // namespace lineside::node

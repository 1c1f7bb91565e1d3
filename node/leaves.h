// SPDX-License-Identifier: Apache-2.0
// The leaves of a delivery, kept beside its file so that a restart can go on, or give to others,
// without the gateway: STATE/deliveries/ROOT.leaves, 32 bytes each.
#pragma once

#include <vector>

#include "node/gateway_link.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"

namespace lineside::node {

// kNotFound; kMismatch if they are not those of `root` and `length`.
Result<std::vector<Digest>> stored_leaves(const Disk& disk, const Path& delivery,
                                          const Digest& root, std::uint64_t length);
// From the disk, else from the gateway, checked against the root and stored.
Result<std::vector<Digest>> obtain_leaves(Disk& disk, GatewayLink& link, const Path& delivery,
                                          const Digest& root, std::uint64_t length);

}  // namespace lineside::node

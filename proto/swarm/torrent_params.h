// SPDX-License-Identifier: Apache-2.0
// From signed facts to libtorrent's parameters. Internal to proto/swarm.
#pragma once

#include <libtorrent/add_torrent_params.hpp>
#include <span>

#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/swarm/info.h"
#include "proto/swarm/resume.h"
#include "proto/swarm/swarm.h"

namespace lineside::swarm {

// kUsage for a length of 0 or over kMaxLength.
Result<void> check_length(const DeliveryFacts& facts);
// kMismatch if the leaves are too few or too many for the length, or do not stand under the root.
Result<void> check_leaves(const DeliveryFacts& facts, std::span<const Digest> leaves);

// `leaves` have passed check_leaves().
Result<lt::add_torrent_params> torrent_params(const DeliveryFacts& facts, const Path& file,
                                              std::span<const Digest> leaves);

}  // namespace lineside::swarm

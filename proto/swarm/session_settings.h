// SPDX-License-Identifier: Apache-2.0
// How libtorrent is tuned for a plant's LAN. Internal to proto/swarm.
#pragma once

#include <libtorrent/session_params.hpp>

#include "proto/swarm/swarm.h"

namespace lineside::swarm {

lt::session_params session_params(const SwarmOptions& options);
// Bytes/s to libtorrent's int, in which 0 means no limit.
int rate_limit(std::uint64_t bytes_per_second);

}  // namespace lineside::swarm

// SPDX-License-Identifier: Apache-2.0
// From libtorrent's words to ours. Internal to proto/swarm.
#pragma once

#include <libtorrent/peer_info.hpp>
#include <libtorrent/torrent_status.hpp>

#include "proto/swarm/engine.h"

namespace lineside::swarm {

// Needs torrent_handle::query_pieces.
Pieces pieces_of(const lt::torrent_status& raw, std::uint64_t count);
std::uint64_t bytes_in(const DeliveryFacts& facts, const Pieces& pieces);
bool is_checking(const lt::torrent_status& raw);
// The caller holds the Engine's mutex.
Status status_of(const Delivery& delivery, const lt::torrent_status& raw);
PeerStatus peer_status_of(const lt::peer_info& raw, const Neighbours& neighbours);

}  // namespace lineside::swarm

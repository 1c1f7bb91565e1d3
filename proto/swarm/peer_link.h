// SPDX-License-Identifier: Apache-2.0
// What is ours on the connection to one peer: every block is checked before libtorrent sees it, a
// gateway shows its pieces one by one (handout.h), and a peer that has run dry is woken.
//
// Waking: libtorrent 2.0.8 asks a peer for the next block when one arrives, when it is unchoked, or
// when the peer becomes interesting; a have-message alone does not make it ask. So a connection on
// which nothing is outstanding stands still although the peer has got something to give. An unchoke
// that repeats the last one is harmless by BEP 3, and makes libtorrent ask.
//
// Internal to proto/swarm; runs on libtorrent's thread.
#pragma once

#include <libtorrent/extensions.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/peer_request.hpp>

#include "proto/swarm/guard.h"

namespace lineside::swarm {

class PeerLink final : public lt::peer_plugin {
 public:
  PeerLink(std::shared_ptr<Guard> guard, lt::peer_connection_handle peer);
  ~PeerLink() override;

  // Shows the peer what the handout has for it.
  void show();

  // True means that the block goes no further.
  bool on_piece(const lt::peer_request& place, lt::span<const char> data) override;
  bool on_have(lt::piece_index_t piece) override;
  bool on_bitfield(const lt::bitfield& pieces) override;
  bool on_have_all() override;
  bool on_have_none() override;
  bool on_not_interested() override;
  bool on_request(const lt::peer_request& place) override;
  void sent_piece(const lt::peer_request& place) override;
  void sent_reject_request(const lt::peer_request& place) override;
  void sent_have(lt::piece_index_t piece) override;
  void sent_choke() override;
  bool can_disconnect(const lt::error_code& why) override;

 private:
  void wake();
  [[nodiscard]] bool is_gateway() const;

  std::shared_ptr<Guard> guard_;
  lt::peer_connection_handle peer_;
  std::optional<Handout::Peer> taker_;  // if pieces are handed out here
  int requests_ = 0;                    // of the peer, unanswered
};

}  // namespace lineside::swarm

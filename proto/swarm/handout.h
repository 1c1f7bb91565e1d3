// SPDX-License-Identifier: Apache-2.0
// The gateway's choice of what to give to whom.
//
//     gateway ── piece 1 ──▶ node A ── piece 1 ──▶ B, C
//             ── piece 2 ──▶ node B ── piece 2 ──▶ A, C
//             ── piece 3 ──▶ node C ── piece 3 ──▶ A, B
//
// Nobody can finish before the gateway has sent everything once, so whatever it sends twice before
// that costs everybody its time (measured: the ratio to the bound follows the bytes sent over F).
// Left to choose, nodes ask it for the same pieces. So each piece is shown to one node at a time,
// and each node is shown a few: first what nobody was given, later what is rarest among them.
//
// Invariant: copies_[p] is the number of peers that have p or were shown it.
// Pure. Not thread-safe. Internal to proto/swarm and to the model of a site in tests/bench.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace lineside::swarm {

class Handout {
 public:
  using Peer = std::uint64_t;

  struct Limits {
    // Pieces that all peers together may have been shown and not yet been sent. Enough to keep the
    // link busy for a round trip, few enough not to bind pieces to a slow peer.
    std::size_t ahead = 64;
    // Pieces that a peer was given and has passed on to nobody, while others have passed on theirs:
    // a peer on a slow link, or one that keeps everything to itself, is given no more of them.
    std::size_t unshared = 8;
  };

  Handout(std::uint32_t pieces, Limits limits);

  Peer join();
  // What it alone was given is given to another.
  void leave(Peer peer);
  // The peer says that it has the piece, from wherever.
  void has(Peer peer, std::uint32_t piece);
  void has_all(Peer peer);
  // The piece is on its way to the peer.
  void sent(Peer peer, std::uint32_t piece);
  // What the peer is to be shown now; counts as shown. Ask after each of the calls above.
  std::vector<std::uint32_t> show(Peer peer);
  // Peers that were shown less than they have room for, because they pass nothing on. Ask again
  // after another peer's has().
  [[nodiscard]] const std::set<Peer>& held() const { return held_; }

 private:
  enum class Holding : std::uint8_t { kNone, kShown, kHas };
  struct State {
    std::vector<Holding> pieces;
    std::set<std::uint32_t> waiting;  // shown, and neither sent nor had
    std::size_t unshared = 0;
  };

  [[nodiscard]] std::size_t room() const;
  [[nodiscard]] bool keeps_to_itself(Peer peer) const;
  [[nodiscard]] std::uint32_t rarest_lacked_by(const State& state) const;
  void give(Peer peer, State& state, std::uint32_t piece);
  void shared(std::uint32_t piece);

  const Limits limits_;
  std::vector<std::uint32_t> copies_;
  std::vector<Peer> only_;  // the peer that alone was given the piece; 0: none
  std::uint32_t next_ = 0;  // no piece before it is without a copy, unless somebody left
  std::map<Peer, State> peers_;
  std::size_t sharing_ = 0;  // peers with fewer than limits_.unshared
  std::set<Peer> held_;
  Peer last_ = 0;
};

}  // namespace lineside::swarm

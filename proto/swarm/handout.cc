// SPDX-License-Identifier: Apache-2.0
#include "proto/swarm/handout.h"

#include <algorithm>

namespace lineside::swarm {
namespace {

constexpr std::size_t kLeastRoom = 2;  // else a peer idles for the time of a round trip
constexpr std::size_t kMostRoom = 32;
// What was sent once already is of use to a peer only if it has not asked another one for it, so
// that it is shown more of it to choose from.
constexpr std::size_t kChoice = 4;

}  // namespace

Handout::Handout(std::uint32_t pieces, Limits limits)
    : limits_(limits), copies_(pieces, 0), only_(pieces, 0) {}

Handout::Peer Handout::join() {
  peers_[++last_].pieces.assign(copies_.size(), Holding::kNone);
  ++sharing_;
  return last_;
}

void Handout::leave(Peer peer) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return;
  const State& state = found->second;
  for (std::uint32_t piece = 0; piece < copies_.size(); ++piece) {
    if (state.pieces[piece] == Holding::kNone) continue;
    if (only_[piece] == peer) only_[piece] = 0;
    if (--copies_[piece] == 0) next_ = std::min(next_, piece);
  }
  if (state.unshared < limits_.unshared) --sharing_;
  peers_.erase(found);
  held_.erase(peer);
}

// Another peer has what one peer alone was given.
void Handout::shared(std::uint32_t piece) {
  const auto giver = peers_.find(only_[piece]);
  only_[piece] = 0;
  if (giver != peers_.end() && giver->second.unshared-- == limits_.unshared) ++sharing_;
}

void Handout::has(Peer peer, std::uint32_t piece) {
  const auto found = peers_.find(peer);
  if (found == peers_.end() || piece >= copies_.size()) return;
  Holding& holding = found->second.pieces[piece];
  if (holding == Holding::kNone) ++copies_[piece];
  holding = Holding::kHas;
  found->second.waiting.erase(piece);
  if (only_[piece] != 0 && only_[piece] != peer) shared(piece);
}

void Handout::has_all(Peer peer) {
  for (std::uint32_t piece = 0; piece < copies_.size(); ++piece) has(peer, piece);
}

void Handout::sent(Peer peer, std::uint32_t piece) {
  if (const auto found = peers_.find(peer); found != peers_.end()) {
    found->second.waiting.erase(piece);
  }
}

std::size_t Handout::room() const {
  return std::clamp(limits_.ahead / std::max<std::size_t>(1, peers_.size()), kLeastRoom, kMostRoom);
}

// If nobody passes anything on, everybody is served alike.
bool Handout::keeps_to_itself(Peer peer) const {
  return sharing_ > 0 && peers_.at(peer).unshared >= limits_.unshared;
}

std::uint32_t Handout::rarest_lacked_by(const State& state) const {
  const auto pieces = static_cast<std::uint32_t>(copies_.size());
  std::uint32_t best = pieces;
  for (std::uint32_t piece = next_; piece < pieces; ++piece) {
    if (state.pieces[piece] != Holding::kNone) continue;
    if (best == pieces || copies_[piece] < copies_[best]) best = piece;
    if (copies_[best] == 0) break;
  }
  if (best < pieces && copies_[best] == 0) return best;
  for (std::uint32_t piece = 0; piece < next_; ++piece) {
    if (state.pieces[piece] != Holding::kNone) continue;
    if (best == pieces || copies_[piece] < copies_[best]) best = piece;
  }
  return best;
}

void Handout::give(Peer peer, State& state, std::uint32_t piece) {
  state.pieces[piece] = Holding::kShown;
  state.waiting.insert(piece);
  if (copies_[piece]++ > 0) return;
  only_[piece] = peer;
  if (++state.unshared == limits_.unshared) --sharing_;
  while (next_ < copies_.size() && copies_[next_] > 0) ++next_;
}

std::vector<std::uint32_t> Handout::show(Peer peer) {
  std::vector<std::uint32_t> shown;
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return shown;
  State& state = found->second;
  held_.erase(peer);
  while (state.waiting.size() < kChoice * room()) {
    const std::uint32_t piece = rarest_lacked_by(state);
    if (piece == copies_.size()) break;
    if (copies_[piece] == 0) {
      if (state.waiting.size() >= room()) break;
      if (keeps_to_itself(peer)) {
        held_.insert(peer);
        break;
      }
    }
    give(peer, state, piece);
    shown.push_back(piece);
  }
  return shown;
}

}  // namespace lineside::swarm

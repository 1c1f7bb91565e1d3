// SPDX-License-Identifier: Apache-2.0
#include "proto/swarm/guard.h"

#include "proto/swarm/peer_link.h"

namespace lineside::swarm {
void Neighbours::set_gateways(std::set<std::string> addresses) {
  const std::lock_guard lock(mutex_);
  gateways_ = std::move(addresses);
}

bool Neighbours::is_gateway(const std::string& address) const {
  const std::lock_guard lock(mutex_);
  return gateways_.contains(address);
}

Guard::Guard(const DeliveryFacts& facts, std::vector<Digest> leaves, bool hands_out,
             std::shared_ptr<const Neighbours> neighbours)
    : facts_(facts), leaves_(std::move(leaves)), neighbours_(std::move(neighbours)) {
  if (hands_out) {
    handout_.emplace(static_cast<std::uint32_t>(piece_count(facts.length)), Handout::Limits{});
  }
}

GuardCounts Guard::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

// The bytes of the delivery in this block, 0 if it does not match its leaf.
std::uint64_t Guard::matching(std::uint32_t piece, std::uint64_t offset, BytesView block) const {
  const std::uint64_t start = std::uint64_t{piece} * piece_length(facts_.length) + offset;
  if (start % kBlockBytes != 0 || start >= facts_.length) return 0;
  const auto length = std::min<std::uint64_t>(kBlockBytes, facts_.length - start);
  // libtorrent asks for the last block filled up to 16 KiB; what it fills up with is never written.
  if (block.size() < length || block.size() > kBlockBytes) return 0;
  return sha256(block.first(length)) == leaves_[start / kBlockBytes] ? length : 0;
}

bool Guard::admit(const std::string& address, std::uint32_t piece, std::uint64_t offset,
                  BytesView block) {
  const std::uint64_t good = matching(piece, offset, block);
  {
    const std::lock_guard lock(mutex_);
    if (good > 0) {
      (neighbours_->is_gateway(address) ? counts_.from_gateway : counts_.from_peers) += good;
    } else {
      counts_.bad += block.size();
      counts_.culprits.insert(address);
    }
  }
  if (good == 0) neighbours_->wake(facts_.root);
  return good > 0;
}

std::shared_ptr<lt::peer_plugin> Guard::new_connection(const lt::peer_connection_handle& peer) {
  return std::make_shared<PeerLink>(shared_from_this(), peer);
}

bool Guard::is_last_block(std::uint32_t piece, int start, int length) const {
  const std::uint64_t size = piece_length(facts_.length);
  const std::uint64_t end = std::min<std::uint64_t>(size, facts_.length - piece * size);
  return static_cast<std::uint64_t>(start) + static_cast<std::uint64_t>(length) >= end;
}

Handout::Peer Guard::joined(PeerLink* link) {
  const Handout::Peer peer = handout_->join();
  links_.emplace(peer, link);
  return peer;
}

void Guard::left(Handout::Peer peer) {
  links_.erase(peer);
  handout_->leave(peer);
}

void Guard::show(PeerLink* link) {
  link->show();
  const std::set<Handout::Peer> held = handout_->held();
  for (const Handout::Peer peer : held) {
    if (const auto found = links_.find(peer); found != links_.end()) found->second->show();
  }
}

void Guard::on_piece_pass(lt::piece_index_t) {
  neighbours_->wake(facts_.root);
}

// Only a disk that returns other bytes than were written gets here, and every message that a peer
// sends from now on could be the fatal one: pause() is queued before any of them can be.
void Guard::on_piece_failed(lt::piece_index_t piece) {
  torrent_.pause();
  {
    const std::lock_guard lock(mutex_);
    counts_.error = Error{Code::kIo, "piece " + std::to_string(static_cast<int>(piece)) +
                                         " read back from the disk differs from what was written"};
  }
  neighbours_->wake(facts_.root);
}

}  // namespace lineside::swarm

// SPDX-License-Identifier: Apache-2.0
#include "proto/swarm/peer_link.h"

#include <array>
#include <libtorrent/error_code.hpp>

namespace lineside::swarm {
namespace {

std::uint32_t number(lt::piece_index_t piece) {
  return static_cast<std::uint32_t>(static_cast<int>(piece));
}

// BEP 3: length, id, body.
constexpr std::array<char, 5> kUnchoke{0, 0, 0, 1, 1};

std::array<char, 9> have_message(std::uint32_t piece) {
  return {0,
          0,
          0,
          5,
          4,
          static_cast<char>(piece >> 24),
          static_cast<char>(piece >> 16),
          static_cast<char>(piece >> 8),
          static_cast<char>(piece)};
}

}  // namespace

PeerLink::PeerLink(std::shared_ptr<Guard> guard, lt::peer_connection_handle peer)
    : guard_(std::move(guard)), peer_(std::move(peer)) {}

PeerLink::~PeerLink() {
  if (taker_) guard_->left(*taker_);
}

void PeerLink::wake() {
  if (requests_ > 0 || peer_.is_choked()) return;
  peer_.send_buffer(kUnchoke.data(), static_cast<int>(kUnchoke.size()));
}

void PeerLink::show() {
  if (!taker_) return;
  const std::vector<std::uint32_t> pieces = guard_->handout()->show(*taker_);
  for (const std::uint32_t piece : pieces) {
    const auto message = have_message(piece);
    peer_.send_buffer(message.data(), static_cast<int>(message.size()));
  }
  if (!pieces.empty()) wake();
}

bool PeerLink::on_piece(const lt::peer_request& place, lt::span<const char> data) {
  const BytesView block = as_bytes({data.data(), static_cast<std::size_t>(data.size())});
  if (guard_->admit(peer_.remote().address().to_string(), number(place.piece),
                    static_cast<std::uint64_t>(place.start), block)) {
    return false;
  }
  peer_.disconnect(lt::errors::failed_hash_check, lt::operation_t::bittorrent,
                   lt::peer_connection_interface::peer_error);
  return true;
}

bool PeerLink::on_have(lt::piece_index_t piece) {
  if (!taker_) return false;
  guard_->handout()->has(*taker_, number(piece));
  guard_->show(this);
  return false;
}

bool PeerLink::on_bitfield(const lt::bitfield& pieces) {
  if (guard_->handout() == nullptr) return false;
  if (!taker_) taker_ = guard_->joined(this);
  for (int i = 0; i < pieces.size(); ++i) {
    if (pieces.get_bit(i)) guard_->handout()->has(*taker_, static_cast<std::uint32_t>(i));
  }
  guard_->show(this);
  return false;
}

bool PeerLink::on_have_none() {
  if (guard_->handout() == nullptr) return false;
  if (!taker_) taker_ = guard_->joined(this);
  guard_->show(this);
  return false;
}

bool PeerLink::is_gateway() const {
  return peer_.pid().to_string().starts_with(kGatewayFingerprint);
}

// A gateway has everything and says so, because libtorrent knows no other way to begin; what it
// wants to be asked for follows piece by piece.
bool PeerLink::on_have_all() {
  return is_gateway();
}

// libtorrent would choke the peer, which then needs three messages more to go on.
bool PeerLink::on_not_interested() {
  return true;
}

bool PeerLink::on_request(const lt::peer_request&) {
  ++requests_;
  return false;
}

void PeerLink::sent_piece(const lt::peer_request& place) {
  if (requests_ > 0) --requests_;
  if (!taker_ || !guard_->is_last_block(number(place.piece), place.start, place.length)) return;
  guard_->handout()->sent(*taker_, number(place.piece));
  show();
}

void PeerLink::sent_reject_request(const lt::peer_request&) {
  if (requests_ > 0) --requests_;
}

void PeerLink::sent_have(lt::piece_index_t) {
  wake();
}

void PeerLink::sent_choke() {
  requests_ = 0;
}

// A peer that needs nothing at the moment stays, and so does a gateway that shows nothing yet.
bool PeerLink::can_disconnect(const lt::error_code& why) {
  if (why == lt::errors::uninteresting_upload_peer) return !is_gateway();
  return why != lt::errors::timed_out_no_request;
}

}  // namespace lineside::swarm

// SPDX-License-Identifier: Apache-2.0
#include "node/peer_book.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proto/api/site_api.h"
#include "proto/trust/json.h"

namespace lineside::node {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxFileBytes = 64 << 10;

bool is_address(const std::string& text) {
  auto endpoint = api::parse_endpoint(text);
  return endpoint.ok() && endpoint->port != 0;
}

}  // namespace

PeerBook::PeerBook(const std::vector<std::string>& fixed, std::uint32_t seed) : random_(seed) {
  for (const std::string& endpoint : fixed) {
    if (add(endpoint)) peers_.back().fixed = true;
  }
}

PeerBook::Peer* PeerBook::find(const std::string& endpoint) {
  auto found = std::find_if(peers_.begin(), peers_.end(),
                            [&](const Peer& peer) { return peer.endpoint == endpoint; });
  return found == peers_.end() ? nullptr : &*found;
}

// Of those that may go, the one that failed most; one that never answered before one that did.
bool PeerBook::make_room() {
  if (peers_.size() < kMaxPeers) return true;
  auto worst = peers_.end();
  for (auto peer = peers_.begin(); peer != peers_.end(); ++peer) {
    if (peer->fixed || (peer->ever && peer->failures == 0)) continue;
    auto rank = [](const Peer& one) { return std::pair(!one.ever, one.failures); };
    if (worst == peers_.end() || rank(*peer) > rank(*worst)) worst = peer;
  }
  if (worst == peers_.end()) return false;
  peers_.erase(worst);
  return true;
}

bool PeerBook::add(const std::string& endpoint) {
  if (!is_address(endpoint) || find(endpoint) != nullptr || !make_room()) return false;
  peers_.push_back({endpoint});
  return true;
}

void PeerBook::answered(const std::string& endpoint) {
  if (Peer* peer = find(endpoint)) {
    peer->ever = true;
    peer->failures = 0;
  }
}

void PeerBook::failed(const std::string& endpoint) {
  if (Peer* peer = find(endpoint)) peer->failures = std::min(peer->failures + 1, 1000U);
}

void PeerBook::prefer(const std::string& endpoint) {
  const bool there = std::find(preferred_.begin(), preferred_.end(), endpoint) != preferred_.end();
  if (!there && find(endpoint) != nullptr && preferred_.size() < kMaxPeers) {
    preferred_.push_back(endpoint);
  }
}

std::vector<std::string> PeerBook::choose(std::size_t count) {
  std::vector<std::string> chosen;
  while (chosen.size() < count && !preferred_.empty()) {
    chosen.push_back(preferred_.front());
    preferred_.erase(preferred_.begin());
  }
  std::vector<const Peer*> order;
  for (const Peer& peer : peers_) order.push_back(&peer);
  std::shuffle(order.begin(), order.end(), random_);
  // Who failed for long is asked, too, but rarely: each failure halves the chance, to 1 in 16.
  auto skipped = [this](const Peer& peer) {
    return (random_() & ((1U << std::min(peer.failures, 4U)) - 1)) != 0;
  };
  for (const Peer* peer : order) {
    if (chosen.size() >= count) break;
    const bool twice = std::find(chosen.begin(), chosen.end(), peer->endpoint) != chosen.end();
    if (!twice && !skipped(*peer)) chosen.push_back(peer->endpoint);
  }
  return chosen;
}

std::vector<std::string> PeerBook::good() const {
  std::vector<std::string> found;
  for (const Peer& peer : peers_) {
    if (peer.ever && peer.failures == 0) found.push_back(peer.endpoint);
  }
  return found;
}

Bytes PeerBook::serialise() const {
  json list = json::array();
  for (const Peer& peer : peers_) {
    if (peer.ever) list.push_back(peer.endpoint);
  }
  return to_bytes(json{{"peers", list}}.dump());
}

Result<std::vector<std::string>> parse_peers(BytesView bytes) {
  TRY_ASSIGN(json value, trust::parse_json(bytes, "peers.json", {kMaxFileBytes, 4}));
  auto list = value.is_object() ? value.find("peers") : value.end();
  if (!value.is_object() || list == value.end() || !list->is_array()) {
    return Error{Code::kMalformed, "peers.json: expected a list \"peers\""};
  }
  std::vector<std::string> peers;
  for (const json& item : *list) {
    if (peers.size() >= PeerBook::kMaxPeers) break;
    if (item.is_string() && is_address(item.get_ref<const std::string&>())) {
      peers.push_back(item.get<std::string>());
    }
  }
  return peers;
}

}  // namespace lineside::node

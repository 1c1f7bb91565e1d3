// SPDX-License-Identifier: Apache-2.0
// Addresses of other nodes: who introduced them does not matter, since the handshake proves which
// key answers there. Bounded, and kept on the disk, so that a device that comes up without a
// gateway knows whom to ask. Whoever answered is not pushed out by addresses that never did: a
// gateway cannot make a device forget its neighbours by introducing strangers.
#pragma once

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::node {

// One thread.
class PeerBook {
 public:
  static constexpr std::size_t kMaxPeers = 64;

  // `fixed` ("IP:port", from the configuration) are never forgotten. `seed` of the choice.
  PeerBook(const std::vector<std::string>& fixed, std::uint32_t seed);

  // Notes an address; in a full book one that never answered, or failed since, goes for it. False
  // if it is none, or known, or all others are better.
  bool add(const std::string& endpoint);
  // It answered with a key of the roster, or did not.
  void answered(const std::string& endpoint);
  void failed(const std::string& endpoint);
  // It was heard of and may have news: asked before others, once.
  void prefer(const std::string& endpoint);

  // The next to ask, at most `count`: preferred ones, then at random among those that failed least.
  std::vector<std::string> choose(std::size_t count);
  // Those whose last answer was good.
  [[nodiscard]] std::vector<std::string> good() const;
  [[nodiscard]] std::size_t size() const { return peers_.size(); }

  // STATE/peers.json: {"peers":["IP:port",…]}, those that ever answered. parse_peers() takes
  // nothing that is no address, and kMaxPeers at most.
  [[nodiscard]] Bytes serialise() const;

 private:
  struct Peer {
    std::string endpoint;
    bool fixed = false;
    bool ever = false;           // answered once
    std::uint32_t failures = 0;  // since its last answer
  };
  Peer* find(const std::string& endpoint);
  bool make_room();

  std::vector<Peer> peers_;
  std::vector<std::string> preferred_;
  std::mt19937 random_;
};

// kMalformed, kTooLarge.
Result<std::vector<std::string>> parse_peers(BytesView bytes);

}  // namespace lineside::node

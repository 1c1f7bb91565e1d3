// SPDX-License-Identifier: Apache-2.0
// Checks every block of one torrent against its leaf as it arrives, before libtorrent sees it.
//
// libtorrent checks a piece once all its blocks are written, then has to find out which peer to
// blame and asks the swarm for hashes to do so; in 2.0.8 a peer that rejects that request corrupts
// the heap (README.md, "The heap"). With the check here no piece from the network can fail, nothing
// bad is written, the culprit is known, and the request is never made.
//
// Internal to proto/swarm. The plugin functions run on libtorrent's thread; the others on any.
#pragma once

#include <functional>
#include <libtorrent/extensions.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/result.h"
#include "proto/base/sha256.h"
#include "proto/swarm/handout.h"
#include "proto/swarm/info.h"

namespace lineside::swarm {

// What the guards of a session share: who is the gateway, and whom to wake.
class Neighbours {
 public:
  // `wake` is called on libtorrent's thread and must not call libtorrent.
  explicit Neighbours(std::function<void(const Digest& root)> wake) : wake_(std::move(wake)) {}
  void set_gateways(std::set<std::string> addresses);
  [[nodiscard]] bool is_gateway(const std::string& address) const;
  void wake(const Digest& root) const { wake_(root); }

 private:
  mutable std::mutex mutex_;
  std::set<std::string> gateways_;
  std::function<void(const Digest&)> wake_;
};

struct GuardCounts {
  std::uint64_t from_gateway = 0;  // good bytes
  std::uint64_t from_peers = 0;    // good bytes
  std::uint64_t bad = 0;           // bytes that did not match their leaf
  std::set<std::string> culprits;  // addresses that sent them
  std::optional<Error> error;      // the torrent has been stopped
};

// How the peer id of a gateway begins (BEP 20).
inline constexpr std::string_view kGatewayFingerprint = "-LG";

class PeerLink;

class Guard final : public lt::torrent_plugin, public std::enable_shared_from_this<Guard> {
 public:
  // With `hands_out` peers are shown pieces as a Handout chooses.
  Guard(const DeliveryFacts& facts, std::vector<Digest> leaves, bool hands_out,
        std::shared_ptr<const Neighbours> neighbours);

  void attach(const lt::torrent_handle& torrent) { torrent_ = torrent; }
  [[nodiscard]] GuardCounts counts() const;
  // True if the block belongs where the peer says; counts it, or notes the culprit.
  bool admit(const std::string& address, std::uint32_t piece, std::uint64_t offset,
             BytesView block);
  [[nodiscard]] bool is_last_block(std::uint32_t piece, int start, int length) const;

  // For PeerLink, like the three below. Null if nothing is handed out.
  Handout* handout() { return handout_ ? &*handout_ : nullptr; }
  Handout::Peer joined(PeerLink* link);
  void left(Handout::Peer peer);
  // After news of one peer: shows it, and those that were held back, what there is for them now.
  void show(PeerLink* link);

  std::shared_ptr<lt::peer_plugin> new_connection(const lt::peer_connection_handle& peer) override;
  void on_piece_pass(lt::piece_index_t piece) override;
  void on_piece_failed(lt::piece_index_t piece) override;

 private:
  [[nodiscard]] std::uint64_t matching(std::uint32_t piece, std::uint64_t offset,
                                       BytesView block) const;

  const DeliveryFacts facts_;
  const std::vector<Digest> leaves_;
  const std::shared_ptr<const Neighbours> neighbours_;
  std::optional<Handout> handout_;            // libtorrent's thread
  std::map<Handout::Peer, PeerLink*> links_;  // libtorrent's thread; each says when it goes
  lt::torrent_handle torrent_;
  mutable std::mutex mutex_;
  GuardCounts counts_;
};

}  // namespace lineside::swarm

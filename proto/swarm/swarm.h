// SPDX-License-Identifier: Apache-2.0
// One libtorrent session that carries deliveries, one torrent each.
//
//     gateway ── seed(facts, file, leaves) ──┐
//     node ───── fetch(facts, file, leaves) ─┼─ blocks of 16 KiB over TCP, each checked against its
//     leaf node ───── fetch(facts, file, leaves) ─┘
//
// Invariants
// - The torrent is derived from signed facts (info.h); nothing about it is received.
// - The leaves stand under the root before the first peer is met, so a bad block is known when it
//   arrives, is never written, and names the peer that sent it. That peer is dropped and its
//   address banned until the Swarm is destroyed.
// - A torrent whose file reads back differently from what was written stops (kIo): libtorrent 2.0.8
//   must never come to ask peers for hashes (README.md, "The heap").
// - kSeeding is said only after file and resume data are durable.
//
// All functions are thread-safe and block at most for a round trip to libtorrent's thread, start()
// and the destructor longer. Codes: see each function.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/swarm/info.h"

namespace lineside::swarm {

struct Endpoint {
  std::string address;  // IPv4 or IPv6 in numbers; names are not resolved
  std::uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;
};

struct SwarmOptions {
  // "IP:port" or "[IPv6]:port"; port 0 lets the system choose. A connection is made from these
  // addresses too unless they are the wildcard, so that peers see the address they were told.
  std::vector<std::string> listen = {"0.0.0.0:0"};
  std::uint64_t upload_limit = 0;    // bytes/s, 0: none; headers included
  std::uint64_t download_limit = 0;  // bytes/s, 0: none; headers included
  bool local_discovery = true;       // finds peers by multicast (BEP 14) when the gateway is gone
  std::string name;                  // shown to peers, e.g. a device id; may be empty
  // Requests that a peer may have waiting here. A deep queue binds a piece to one peer long before
  // it is sent: 4 measured best at 20 to 100 Mbit/s.
  std::uint32_t request_queue = 4;
  // What is seeded here is handed out (handout.h): the gateway of a site, and nobody else.
  bool gateway = false;
  // Progress of one delivery, called from the Swarm's own thread, never after the destructor. Calls
  // are merged to ten a second, so ask status(). It may call the Swarm, but must not destroy it.
  std::function<void(const Digest& root)> on_change;
};

enum class State {
  kChecking,  // reading what is on the disk already
  kFetching,
  kSeeding,  // complete, durable, and given to others
  kFailed,   // stopped; see Status::error. remove() it and begin again
};
std::string_view state_name(State state);

struct Status {
  State state = State::kChecking;
  // kNoSpace, kDenied, kIo (disk), kMismatch (a seeded file is not what its facts say).
  std::optional<Error> error;
  std::vector<bool> pieces;  // which ones are here
  std::uint64_t pieces_have = 0;
  std::uint64_t bytes_total = 0;
  std::uint64_t bytes_done = 0;          // in whole pieces
  std::uint64_t bytes_from_gateway = 0;  // good blocks received, this run
  std::uint64_t bytes_from_peers = 0;    // good blocks received, this run
  std::uint64_t bytes_wasted = 0;        // bad or received twice, this run
  std::uint64_t bytes_uploaded = 0;      // payload sent, this run
  std::uint64_t upload_rate = 0;         // bytes/s of payload
  std::uint64_t download_rate = 0;       // bytes/s of payload
  std::uint32_t peers = 0;               // connected
  std::vector<std::string> culprits;     // addresses that sent bad blocks of this delivery
};

struct PeerStatus {
  Endpoint endpoint;
  std::string name;  // as the peer calls itself: not to be trusted
  bool gateway = false;
  std::uint64_t bytes_received = 0;  // payload, this connection
  std::uint64_t bytes_sent = 0;      // payload, this connection
  std::uint64_t pieces_have = 0;     // says the peer
};

class Swarm {
 public:
  // `disk` keeps the resume data and outlives the Swarm. kUsage for an address that is none,
  // kConflict if a port is taken, kDenied or kNetwork if it cannot be bound otherwise; each names
  // the address.
  static Result<std::unique_ptr<Swarm>> start(Disk& disk, SwarmOptions options);
  // Saves resume data and leaves the network.
  ~Swarm();
  Swarm(const Swarm&) = delete;
  Swarm& operator=(const Swarm&) = delete;

  // The port of the first listen address.
  [[nodiscard]] std::uint16_t port() const;

  // Gives a complete file to whoever asks. Its pieces are read and checked as they are first asked
  // for; one that does not match fails the delivery (kMismatch) and is not sent.
  // Errors: kUsage (length 0 or over kMaxLength), kMismatch (leaves against the facts; size of the
  // file), kNotFound, kExists (this root is carried already).
  Result<void> seed(const DeliveryFacts& facts, const Path& file, std::vector<Digest> leaves);

  // Gets the file, then seeds it. What is there is kept: pieces that "<file>.resume" vouches for
  // are not read again, without it the file is checked from its start. The folder exists. Errors:
  // kUsage, kMismatch (leaves), kExists as in seed(); kConflict if `file` is no regular file or
  // longer than the delivery, kNoSpace if the rest would not fit.
  Result<void> fetch(const DeliveryFacts& facts, const Path& file, std::vector<Digest> leaves);

  // Whom to ask. kNotFound for an unknown root, kUsage for an address that is none.
  Result<void> add_peers(const Digest& root, std::span<const Endpoint> peers);
  // Whose blocks count as the gateway's. kUsage.
  Result<void> mark_gateway(std::span<const std::string> addresses);
  // Changes the limits of SwarmOptions.
  void set_limits(std::uint64_t upload_limit, std::uint64_t download_limit);

  // kNotFound for an unknown root.
  [[nodiscard]] Result<Status> status(const Digest& root) const;
  [[nodiscard]] Result<std::vector<PeerStatus>> peers(const Digest& root) const;

  // Stops carrying it. With `delete_file`, file and resume data go too; else resume data are saved.
  // Returns when libtorrent has let go of the file. kNotFound, or the codes of Disk.
  Result<void> remove(const Digest& root, bool delete_file);

 private:
  class Engine;
  explicit Swarm(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

}  // namespace lineside::swarm

// SPDX-License-Identifier: Apache-2.0
// Gossip over HTTPS: a small server for other nodes, and a thread that asks a few of them now and
// then. What it finds waits until the agent takes and verifies it.
//
//     thread:  choose peers ─▶ exchange heads ─▶ fetch what is newer there ─▶ inbox ─▶ agent
//     server:  heads of a caller that holds newer things ─▶ it is asked next
//
// Every wait has a limit, every answer a bound, and the inbox, too: a peer can waste a share of one
// thread's time and nothing else.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "node/peers.h"
#include "proto/base/disk.h"
#include "proto/http/identity.h"

namespace lineside::node {

struct GossipOptions {
  std::string listen = "0.0.0.0:0";
  std::vector<std::string> peers;  // "IP:port", beside those who are introduced
  std::chrono::milliseconds every{10'000};
  std::string gateway;  // "https://host:port": towards it our address is found
};

class Gossip final : public Peers {
 public:
  // `disk` outlives it. Listens when it returns. The codes of http::Server::start().
  static Result<std::unique_ptr<Gossip>> start(Disk& disk, Path state, http::Identity identity,
                                               GossipOptions options);
  ~Gossip() override;  // stop()
  // Ends what is under way, and asks and answers nobody any more. Any thread.
  void stop();

  void meet(const std::vector<std::string>& endpoints) override;
  void show(Holdings holdings) override;
  [[nodiscard]] std::vector<Gift> take() override;
  [[nodiscard]] std::vector<std::shared_ptr<GatewayLink>> sources() override;
  [[nodiscard]] std::string endpoint() const override;

 private:
  struct State;
  explicit Gossip(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace lineside::node

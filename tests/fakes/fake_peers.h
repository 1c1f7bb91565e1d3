// SPDX-License-Identifier: Apache-2.0
// Other nodes in memory: they give what a test lays out, and remember what they were shown.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "node/peers.h"

namespace lineside::fakes {

class FakePeers final : public node::Peers {
 public:
  std::vector<node::Gift> gifts;
  std::vector<std::shared_ptr<node::GatewayLink>> links;
  std::vector<std::string> met;
  node::Holdings shown;

  void give(node::Gift::Kind kind, std::vector<Bytes> bytes, std::int64_t first = 0) {
    gifts.push_back({kind, "192.0.2.8:7445", first, std::move(bytes), {}, {}});
  }

  void meet(const std::vector<std::string>& endpoints) override {
    met.insert(met.end(), endpoints.begin(), endpoints.end());
  }
  void show(node::Holdings holdings) override { shown = std::move(holdings); }
  std::vector<node::Gift> take() override { return std::exchange(gifts, {}); }
  std::vector<std::shared_ptr<node::GatewayLink>> sources() override { return links; }
  std::string endpoint() const override { return "192.0.2.7:7445"; }
};

}  // namespace lineside::fakes

// SPDX-License-Identifier: Apache-2.0
// How deliveries are chosen, awaited and given up.
#include <gtest/gtest.h>

#include "tests/node/agent_site.h"

namespace lineside::node {
namespace {

using fakes::must;

class AgentDeliveryTest : public AgentSite {};

TEST_F(AgentDeliveryTest, ALyingDeliveryWastesTimeButChangesNothing) {
  auto& offer = gateway_->offers.at({sha256({}), manifests_.at("1.0.0").tree});
  Path lie = dir_.write("lie", std::string(30'000, 'x'));
  gateway_->offer(sha256({}), offer.target, lie);
  direct(1, "1.0.0");
  Life life = run_until(State::kFailed);
  EXPECT_EQ(life.state, State::kFailed);
  EXPECT_EQ(current(), "");
}

TEST_F(AgentDeliveryTest, OnlyThePresentDeliveryKeepsItsFiles) {
  std::string old = sha256(as_bytes("old")).hex();
  for (const char* suffix : {"", ".resume", ".leaves"}) {
    dir_.write("state/deliveries/" + old + suffix, "half");
  }
  direct(1, "1.0.0");
  Life life = run_until(State::kConfirmed);
  ASSERT_EQ(life.state, State::kConfirmed) << life.error;
  std::size_t kept = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir_ / "state/deliveries")) {
    EXPECT_EQ(entry.path().filename().string().find(life.delivery->root.hex()), 0U);
    ++kept;
  }
  EXPECT_GE(kept, 1U);
}

TEST_F(AgentDeliveryTest, ADeliveryThatStandsStillGivesWayToAnother) {
  auto& offer = gateway_->offers.at({sha256({}), manifests_.at("1.0.0").tree});
  const api::DeliveryOffer good = offer;
  const Path lost = dir_.write("lost", std::string(30'000, 'x'));
  gateway_->offer(sha256({}), good.target, lost);
  const Digest root = offer.root;
  transport_->still = {root};
  direct(1, "1.0.0");
  EXPECT_EQ(run_until(State::kStaging).state, State::kFetching);
  EXPECT_EQ(transport_->carried.count(root), 1U);  // no other is offered
  gateway_->offers[{good.base, good.target}] = good;
  Life life = run_until(State::kConfirmed);
  EXPECT_EQ(life.state, State::kConfirmed) << life.error;
  EXPECT_EQ(life.delivery->root, good.root);
  EXPECT_EQ(transport_->carried.count(root), 0U);
}

}  // namespace
}  // namespace lineside::node

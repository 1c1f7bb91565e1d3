// SPDX-License-Identifier: Apache-2.0
// What a device refuses, whoever asks.
#include <gtest/gtest.h>

#include "tests/node/agent_site.h"

namespace lineside::node {
namespace {

using fakes::must;

class AgentTrustTest : public AgentSite {};

TEST_F(AgentTrustTest, OtherHardwareIsNeverFetched) {
  publish("3.0.0", 3, {"jetson-orin-nano"});
  direct(1, "3.0.0");
  Life life = run_until(State::kFailed);
  EXPECT_EQ(life.code, "wrong-hardware");
  EXPECT_TRUE(transport_->carried.empty());
}

TEST_F(AgentTrustTest, ReleasesBelowTheSecurityFloorAreRefused) {
  direct(1, "2.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  direct(2, "1.0.0");
  Life life = run_until(State::kFailed);
  EXPECT_EQ(life.state, State::kFailed);
  EXPECT_EQ(life.code, "rollback");
  EXPECT_EQ(current(), "version = '2.0.0'");
}

TEST_F(AgentTrustTest, AStrangerAsksToBeEnrolledAndDoesNothingElse) {
  config_.device = "cam99";
  direct(1, "1.0.0");
  auto one = agent(*disk_);
  must_ok(one->start());
  for (int i = 0; i < 3; ++i) must_ok(one->tick());
  EXPECT_EQ(gateway_->enrolments.size(), 3U);
  EXPECT_TRUE(gateway_->reports.empty());
  EXPECT_EQ(one->life().state, State::kIdle);
}

TEST_F(AgentTrustTest, AForgedDirectiveIsRefused) {
  direct(1, "1.0.0");
  gateway_->directive_envelope =
      must(trust::seal(trust::kDirectiveType, as_bytes("{}"), {&other_}));
  EXPECT_EQ(run_until(State::kFetching).state, State::kIdle);
}

TEST_F(AgentTrustTest, ARestartedNodePinsItsGatewaysBeforeItTalks) {
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  gateway_->pinned = 0;
  auto one = agent(*disk_);
  must_ok(one->start());
  EXPECT_EQ(gateway_->pinned, 1U);
}

TEST_F(AgentTrustTest, ADeviceOfAnotherClassThanTheRosterSaysIsNotSwitched) {
  publish("3.0.0", 3, {"ipc-x86", "jetson-orin-nano"});
  config_.hardware = {"jetson-orin-nano"};
  direct(1, "3.0.0");
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kGated);
  EXPECT_EQ(gateway_->reports.back().code, "gate-shut");
  EXPECT_NE(gateway_->reports.back().error.find("roster"), std::string::npos);
  EXPECT_EQ(current(), "");
  config_.hardware = {"ipc-x86"};
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
}

}  // namespace
}  // namespace lineside::node

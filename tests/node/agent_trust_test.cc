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

TEST_F(AgentTrustTest, OlderRosterIsRefused) {
  const Bytes old = gateway_->roster_envelope;
  make_roster(2, true);
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  gateway_->roster_envelope = old;
  // While the newer is held, and after somebody replaced or deleted its file.
  dir_.write("state/documents/roster.dsse", std::string(as_text(old)));
  for (int round = 0; round < 2; ++round) {
    gateway_->reports.clear();
    gateway_->enrolments.clear();
    auto one = agent(*disk_);
    must_ok(one->start());
    rounds(*one, 3);
    EXPECT_TRUE(gateway_->reports.empty());  // no roster, no work
    EXPECT_FALSE(gateway_->enrolments.empty());
    EXPECT_EQ(one->life().roster_floor.number, 2);
    std::filesystem::remove(dir_ / "state/documents/roster.dsse");
  }
}

TEST_F(AgentTrustTest, OlderRosterOfTheGatewayChangesNothing) {
  const Bytes old = gateway_->roster_envelope;
  make_roster(2, true);
  direct(1, "1.0.0");
  auto one = agent(*disk_);
  must_ok(one->start());
  drive_to(*one, State::kConfirmed, 1);
  gateway_->roster_envelope = old;
  gateway_->reply.roster_version = 3;
  rounds(*one, 3);
  EXPECT_EQ(gateway_->reports.back().roster_version, 2);
}

TEST_F(AgentTrustTest, ASecondRosterOfTheSameVersionIsRefused) {
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  make_roster(1, false);
  std::filesystem::remove(dir_ / "state/documents/roster.dsse");
  gateway_->reports.clear();
  auto one = agent(*disk_);
  must_ok(one->start());
  rounds(*one, 3);
  EXPECT_TRUE(gateway_->reports.empty());
}

TEST_F(AgentTrustTest, ForgedRosterIsRefused) {
  direct(1, "1.0.0");
  auto one = agent(*disk_);
  must_ok(one->start());
  drive_to(*one, State::kConfirmed, 1);
  operator_ = &other_;
  make_roster(9, true);
  rounds(*one, 3);
  EXPECT_EQ(gateway_->reports.back().roster_version, 1);
  EXPECT_EQ(one->life().roster_floor.number, 1);
  EXPECT_EQ(dir_.read("state/documents/roster.dsse").find(as_text(gateway_->roster_envelope)),
            std::string::npos);
}

TEST_F(AgentTrustTest, DeletingTheDirectiveBringsNoOlderOne) {
  gateway_->reply.paused = true;
  direct(3, "2.0.0");
  auto one = agent(*disk_);
  must_ok(one->start());
  rounds(*one, 3);
  ASSERT_EQ(one->life().directive_floor.number, 3);
  std::filesystem::remove(dir_ / "state/documents/directive.dsse");
  direct(2, "1.0.0");
  gateway_->reply.paused = false;
  one = agent(*disk_);
  must_ok(one->start());
  rounds(*one, 10);
  EXPECT_EQ(one->life().state, State::kIdle);
  EXPECT_EQ(one->life().sequence, 0);
}

// An operator's key was stolen, and its thief signed the highest numbers. The site's root names
// other operators: what he signed counts no more, at once, nor do his numbers.
TEST_F(AgentTrustTest, NewOperatorsCountAtOnceAndBeginAnew) {
  config_.patience.site_root = std::chrono::seconds(1);
  make_roster(900, true);
  direct(900, "1.0.0");
  auto one = agent(*disk_);
  must_ok(one->start());
  drive_to(*one, State::kConfirmed, 900);
  rounds(*one, 3);
  trust::RootSpec spec;
  for (const char* role : {"root", "timestamp", "snapshot"}) {
    spec.roles[role] = {{boss_.public_key()}, 1};
  }
  spec.roles["targets"] = {{other_.public_key()}, 1};
  Bytes root = must(trust::sign_metadata(must(trust::draft_root(spec, 2, start_)), boss_));
  dir_.write("site/2.root.json", std::string(as_text(root)));
  gateway_->reports.clear();
  clock_.advance(std::chrono::seconds(2));
  rounds(*one, 3);
  EXPECT_TRUE(gateway_->reports.empty());
  EXPECT_EQ(gateway_->pinned, 0U);
  EXPECT_EQ(one->life().roster_floor.number, 0);
  operator_ = &other_;
  make_roster(5, true);
  direct(5, "2.0.0");
  drive(*one, [](const Life& life) { return life.attested_sequence == 5; });
  EXPECT_EQ(one->life().state, State::kConfirmed) << one->life().error;
  EXPECT_EQ(current(), "version = '2.0.0'");
  EXPECT_EQ(gateway_->pinned, 1U);
}

TEST_F(AgentTrustTest, AnOperatorsFastClockDoesNotMoveOurs) {
  issued_ = start_ + std::chrono::hours(24 * 365);
  direct(1, "1.0.0");
  auto one = agent(*disk_);
  must_ok(one->start());
  rounds(*one, 5);
  EXPECT_LT(one->life().time_floor, start_ + std::chrono::hours(24));
  EXPECT_EQ(one->life().state, State::kIdle);
  EXPECT_NE(gateway_->reports.back().error.find("clock"), std::string::npos);
  // A device whose clock was never set takes his word for it.
  clock_.set_wall(UtcTime{std::chrono::seconds(86'400)});
  rounds(*one, 20);
  EXPECT_GE(one->life().time_floor, issued_);
}

}  // namespace
}  // namespace lineside::node

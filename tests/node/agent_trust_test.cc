// SPDX-License-Identifier: Apache-2.0
// What a device refuses, whoever asks.
#include <gtest/gtest.h>

#include "tests/node/agent_site.h"

namespace lineside::node {
namespace {

using fakes::must;

class AgentTrustTest : public AgentSite {
 protected:
  std::string root_text(std::int64_t version, const trust::PrivateKey& signer,
                        const std::vector<const trust::PrivateKey*>& operators) {
    trust::RootSpec spec;
    for (const char* role : {"root", "timestamp", "snapshot"}) {
      spec.roles[role] = {{signer.public_key()}, 1};
    }
    spec.roles["targets"].threshold = 1;
    for (const trust::PrivateKey* one : operators) {
      spec.roles["targets"].keys.push_back(one->public_key());
    }
    Bytes root = must(trust::sign_metadata(must(trust::draft_root(spec, version, start_)), signer));
    return std::string(as_text(root));
  }
  // Any one of them may sign from now on.
  void name_operators(std::int64_t version,
                      const std::vector<const trust::PrivateKey*>& operators) {
    dir_.write("site/" + std::to_string(version) + ".root.json",
               root_text(version, boss_, operators));
  }
};

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
  name_operators(2, {&other_});
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

// What the thief's directive began is undone, too, though a newer one of his was held.
TEST_F(AgentTrustTest, NewOperatorsBeginAnewWhicheverDirectiveWasBegun) {
  config_.patience.site_root = std::chrono::seconds(1);
  direct(900, "1.0.0");
  auto one = agent(*disk_);
  must_ok(one->start());
  drive_to(*one, State::kConfirmed, 900);
  gateway_->reply.paused = true;
  direct(901, "1.0.0");
  rounds(*one, 3);
  ASSERT_EQ(one->life().directive_floor.number, 901);
  name_operators(2, {&other_});
  clock_.advance(std::chrono::seconds(2));
  rounds(*one, 3);
  EXPECT_EQ(one->life().sequence, 0);
  gateway_->reply.paused = false;
  operator_ = &other_;
  make_roster(1, true);
  direct(1, "2.0.0");
  drive_to(*one, State::kConfirmed, 1);
  EXPECT_EQ(current(), "version = '2.0.0'");
}

// One of two operators leaves. What the other signed long ago must not come back for it.
TEST_F(AgentTrustTest, TheNumbersStayWhileAnOperatorStays) {
  config_.patience.site_root = std::chrono::seconds(1);
  name_operators(2, {&boss_, &other_});
  direct(1, "1.0.0");
  make_roster(5, true);
  const Bytes old = gateway_->roster_envelope;
  operator_ = &other_;
  make_roster(6, true);
  auto one = agent(*disk_);
  must_ok(one->start());
  drive_to(*one, State::kConfirmed, 1);
  ASSERT_EQ(one->life().roster_floor.number, 6);
  name_operators(3, {&boss_});
  gateway_->roster_envelope = old;
  clock_.advance(std::chrono::seconds(2));
  gateway_->reports.clear();
  rounds(*one, 3);
  EXPECT_TRUE(gateway_->reports.empty());
  EXPECT_EQ(one->life().roster_floor.number, 6);
  one = agent(*disk_);  // nor after a restart
  must_ok(one->start());
  rounds(*one, 3);
  EXPECT_TRUE(gateway_->reports.empty());
  operator_ = &boss_;
  make_roster(7, true);
  rounds(*one, 3);
  EXPECT_FALSE(gateway_->reports.empty());
  EXPECT_EQ(one->life().roster_floor.number, 7);
  EXPECT_EQ(one->life().sequence, 1);
}

TEST_F(AgentTrustTest, AnotherSitesRootIsNoticedAndTheWayOutWorks) {
  make_roster(9, true);
  direct(9, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  config_.anchors.site_root = dir_ / "elsewhere/1.root.json";
  dir_.write("elsewhere/1.root.json", root_text(1, other_, {&other_}));
  auto one = agent(*disk_);
  auto started = one->start();
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, Code::kUsage);
  for (const char* words :
       {"site.root", "elsewhere/1.root.json", "remove trust/site and documents"}) {
    EXPECT_NE(started.error().what.find(words), std::string::npos) << started.error().what;
  }
  must_ok(disk_->remove_tree(dir_ / "state/trust/site"));
  must_ok(disk_->remove_tree(dir_ / "state/documents"));
  must_ok(disk_->remove(dir_ / "site/1.root.json"));
  operator_ = &other_;
  make_roster(1, true);
  direct(1, "2.0.0");
  EXPECT_EQ(run_until(State::kConfirmed).sequence, 1);
  EXPECT_EQ(current(), "version = '2.0.0'");
}

TEST_F(AgentTrustTest, ADeviceOutlivesTheFilesOfItsCommissioning) {
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  must_ok(disk_->remove(dir_ / "site/1.root.json"));
  EXPECT_TRUE(agent(*disk_)->start().ok());
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

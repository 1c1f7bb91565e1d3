// SPDX-License-Identifier: Apache-2.0
// The life of a device under directives: canary, gate, trial, way back.
#include <gtest/gtest.h>

#include "tests/node/agent_site.h"

namespace lineside::node {
namespace {

using fakes::must;

class AgentTest : public AgentSite {};

TEST_F(AgentTest, ACanaryInstallsAndAttests) {
  direct(1, "1.0.0");
  Life life = run_until(State::kConfirmed);
  ASSERT_EQ(life.state, State::kConfirmed) << life.error;
  EXPECT_EQ(current(), "version = '1.0.0'");
  EXPECT_EQ(life.read_back, manifests_.at("1.0.0").tree);
  EXPECT_EQ(life.confirmed->version, "1.0.0");
  ASSERT_EQ(gateway_->envelopes.size(), 1U);
  auto said = must(trust::verify_attestation(gateway_->envelopes[0], roster_)).attestation;
  EXPECT_EQ(said.outcome, trust::Outcome::kPassed);
  EXPECT_EQ(said.tree, manifests_.at("1.0.0").tree);
  EXPECT_EQ(gateway_->pinned, 1U);
  EXPECT_TRUE(gateway_->reports.back().inferring);
  EXPECT_EQ(gateway_->reports.back().tree, manifests_.at("1.0.0").tree);
}

TEST_F(AgentTest, AFailedCheckLeavesTheOldSlotAndIsAttested) {
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  checker_.bad_version = "2.0.0";
  direct(2, "2.0.0");
  Life life = run_until(State::kFailed);
  EXPECT_EQ(life.state, State::kFailed);
  EXPECT_EQ(life.code, "check-failed");
  EXPECT_EQ(current(), "version = '1.0.0'");
  EXPECT_FALSE(must(slots_->has(manifests_.at("2.0.0").tree)));
  ASSERT_EQ(gateway_->envelopes.size(), 1U);
  auto said = must(trust::verify_attestation(gateway_->envelopes[0], roster_)).attestation;
  EXPECT_EQ(said.outcome, trust::Outcome::kFailed);
  // The same directive is not tried again.
  int runs = checker_.runs;
  run_until(State::kConfirmed);
  EXPECT_LE(checker_.runs, runs + 1);  // the live check of the old tree
}

TEST_F(AgentTest, ACheckThatCouldNotRunProvesNothing) {
  checker_.bad_version = "1.0.0";
  checker_.verdict = Verdict::kError;
  direct(1, "1.0.0");
  Life life = run_until(State::kFailed);
  EXPECT_EQ(life.code, "check-error");
  EXPECT_TRUE(gateway_->envelopes.empty());
}

TEST_F(AgentTest, AFailedTrialTakesFirmwareAndRuntimeBackTogether) {
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  checker_.bad_version = "2.0.0";
  checker_.only_when_current = true;
  direct(2, "2.0.0");
  Life life = run_until(State::kRolledBack);
  EXPECT_EQ(life.state, State::kRolledBack);
  EXPECT_EQ(current(), "version = '1.0.0'");
  EXPECT_EQ(dir_.read("state/current/firmware/image").substr(0, 14), "firmware 1.0.0");
  EXPECT_EQ(life.confirmed->version, "1.0.0");
  EXPECT_EQ(gateway_->envelopes.size(), 1U);
}

TEST_F(AgentTest, NoActivationWithoutTheEvidenceOfTheCanary) {
  direct(1, "1.0.0", {"cam02"});
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kGated);
  EXPECT_EQ(gateway_->reports.back().code, "gate-shut");
  EXPECT_EQ(current(), "");
  other_attests("1.0.0", trust::Outcome::kFailed);
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kGated);
  gateway_->envelopes.clear();
  other_attests("1.0.0", trust::Outcome::kPassed);
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  EXPECT_EQ(gateway_->envelopes.size(), 1U);  // this device is no canary and attests nothing
}

TEST_F(AgentTest, TheGatewayCanWithholdTheTurn) {
  direct(1, "1.0.0");
  gateway_->reply.batches_open = 0;
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kGated);
  gateway_->reply.batches_open = 1;
  gateway_->reply.paused = true;
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kGated);
  gateway_->reachable = false;
  gateway_->reply.paused = false;
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kGated);
  gateway_->reachable = true;
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
}

TEST_F(AgentTest, ANewerDirectiveTakesOver) {
  direct(1, "1.0.0", {"cam02"});
  ASSERT_EQ(run_until(State::kGated).state, State::kGated);
  direct(2, "2.0.0");
  Life life = run_until(State::kConfirmed);
  EXPECT_EQ(life.sequence, 2);
  EXPECT_EQ(current(), "version = '2.0.0'");
}

TEST_F(AgentTest, ADeviceAtTheGateOfARolloutThatWasCalledOffGivesItUp) {
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  direct(2, "2.0.0", {"cam02"});
  auto one = agent(*disk_);
  ASSERT_TRUE(one->start().ok());
  drive_to(*one, State::kGated, 2);
  gateway_->reply.called_off = true;
  gateway_->reply.directive_sequence = 1;  // of another: it says nothing about this one
  rounds(*one, 5);
  EXPECT_EQ(one->life().state, State::kGated);
  gateway_->reply.directive_sequence = 2;
  drive_to(*one, State::kIdle, 2);
  settle(*one);
  EXPECT_FALSE(std::filesystem::exists(dir_ / ("state/slots/" + tree("2.0.0").hex())))
      << "what was staged is removed";
  EXPECT_EQ(gateway_->reports.back().state, "idle");
  EXPECT_EQ(gateway_->reports.back().version, "1.0.0");
  other_attests("2.0.0", trust::Outcome::kPassed);
  gateway_->reply.called_off = false;  // a gateway that changes its mind: it is begun once
  rounds(*one, 5);
  EXPECT_EQ(one->life().state, State::kIdle);
  gateway_->reply.directive_sequence = 3;
  direct(3, "2.0.0");
  drive_to(*one, State::kConfirmed, 3);
}

TEST_F(AgentTest, AFailedTrialOfTheRunningTreeLeavesItRunning) {
  direct(1, "1.0.0");
  auto one = agent(*disk_);
  must_ok(one->start());
  drive(*one, [](const Life& life) { return life.attested_sequence == 1; });
  ASSERT_EQ(one->life().state, State::kConfirmed) << one->life().error;
  checker_.bad_version = "1.0.0";
  checker_.bad_from_run = checker_.runs + 2;  // staged it still passes
  direct(2, "1.0.0");
  drive(*one, [](const Life& life) { return life.attested_sequence == 2; });
  EXPECT_EQ(one->life().state, State::kRolledBack);
  settle(*one);
  EXPECT_EQ(current(), "version = '1.0.0'");
  EXPECT_EQ(must(slots_->current()), manifests_.at("1.0.0").tree);
}

TEST_F(AgentTest, TheRunningTreeMayBeRolledOutAgain) {
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  direct(2, "2.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).sequence, 2);
  direct(3, "2.0.0");
  auto one = agent(*disk_);
  must_ok(one->start());
  drive(*one, [](const Life& life) { return life.attested_sequence == 3; });
  EXPECT_EQ(one->life().state, State::kConfirmed);
  EXPECT_EQ(one->life().previous, manifests_.at("1.0.0").tree);  // still the way back
}

TEST_F(AgentTest, BytesAreCountedOnceUnderTheDirectiveThatTheyCameFor) {
  auto one = agent(*disk_);
  must_ok(one->start());
  for (const auto& [sequence, version] :
       std::map<int, std::string>{{1, "1.0.0"}, {2, "2.0.0"}, {3, "2.0.0"}}) {
    direct(sequence, version);
    gateway_->reports.clear();
    drive_to(*one, State::kConfirmed, sequence);
    rounds(*one, 2);
    std::uint64_t length = gateway_->offers.at({sha256({}), manifests_.at(version).tree}).length;
    for (const api::NodeReport& report : gateway_->reports) {
      if (report.directive_sequence == sequence) {
        EXPECT_LE(report.delivered_from_peers, length) << sequence << " " << report.state;
      }
    }
    // The third finds its tree in place.
    EXPECT_EQ(gateway_->reports.back().delivered_from_peers, sequence == 3 ? 0 : length);
  }
}

TEST_F(AgentTest, AnAttestationIsPostedUntilTheGatewayHasIt) {
  direct(1, "1.0.0");
  gateway_->knows_directive = false;
  auto one = agent(*disk_);
  must_ok(one->start());
  drive(*one, [](const Life& life) { return life.attested_sequence == 1; });
  must_ok(one->tick());
  EXPECT_TRUE(gateway_->envelopes.empty());
  gateway_->knows_directive = true;
  must_ok(one->tick());
  EXPECT_EQ(gateway_->envelopes.size(), 1U);
  must_ok(one->tick());
  EXPECT_EQ(gateway_->envelopes.size(), 1U);
}

TEST_F(AgentTest, AGatewayThatLostAnAttestationGetsItAgain) {
  direct(1, "1.0.0");
  auto one = agent(*disk_);
  must_ok(one->start());
  drive(*one, [](const Life& life) { return life.attested_sequence == 1; });
  must_ok(one->tick());
  ASSERT_EQ(gateway_->envelopes.size(), 1U);
  gateway_->envelopes.clear();  // restored from a backup
  gateway_->reply.attestations = 0;
  must_ok(one->tick());
  EXPECT_EQ(gateway_->envelopes.size(), 1U);
  must_ok(one->tick());
  EXPECT_EQ(gateway_->envelopes.size(), 1U);
}

TEST_F(AgentTest, ADirectiveThatExpiresAtItsGateIsGivenUp) {
  direct(1, "1.0.0", {"cam02"});
  auto one = agent(*disk_);
  must_ok(one->start());
  drive_to(*one, State::kGated, 1);
  must_ok(one->tick());
  clock_.advance(std::chrono::hours(100));
  drive_to(*one, State::kFailed, 1);
  ASSERT_EQ(one->life().state, State::kFailed);
  EXPECT_EQ(one->life().code, "expired");
  EXPECT_NE(one->life().error.find("clock says"), std::string::npos) << one->life().error;
  EXPECT_NE(one->life().error.find("until then"), std::string::npos) << one->life().error;
  settle(*one);
  EXPECT_FALSE(must(slots_->has(tree("1.0.0"))));
  EXPECT_TRUE(gateway_->envelopes.empty());
}

TEST_F(AgentTest, AManifestThatRotsAtTheGateEndsTheDirectiveWithItsReason) {
  direct(1, "1.0.0", {"cam02"});
  auto one = agent(*disk_);
  must_ok(one->start());
  drive_to(*one, State::kGated, 1);
  const std::string file = "state/manifests/" + one->life().target->manifest.hex() + ".json";
  ASSERT_NE(dir_.read(file), "");
  dir_.write(file, "rotten");
  drive_to(*one, State::kFailed, 1);
  EXPECT_EQ(one->life().state, State::kFailed);
  EXPECT_NE(one->life().error, "");
}

// The service is restarted again and again while a good tree proves itself.
TEST_F(AgentTest, ATrialThatIsStoppedIsNoFailedAttempt) {
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  direct(2, "2.0.0");
  checker_.hangs_when_current = true;
  for (std::uint32_t restart = 0; restart <= kTries; ++restart) {
    auto one = agent(*disk_);
    must_ok(one->start());
    drive(*one, [this](const Life&) { return checker_.hanging.load(); });
    ASSERT_EQ(one->life().state, State::kTrial) << one->life().error;
    one.reset();
    EXPECT_EQ(must(load_life(*disk_, config_.state)).tries, kTries);
  }
  checker_.hangs_when_current = false;
  EXPECT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  EXPECT_EQ(current(), "version = '2.0.0'");
}

// No sandbox for a moment, a full disk: neither is the tree's fault.
TEST_F(AgentTest, ACheckThatCannotBeRunForAWhileIsRunAgain) {
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  for (bool in_trial : {false, true}) {
    const std::string version = in_trial ? "1.1.0" : "1.2.0";
    publish(version, in_trial ? 4 : 3);
    checker_.bad_version = version;
    checker_.only_when_current = in_trial;
    checker_.verdict = Verdict::kError;
    checker_.when_bad = [this] { checker_.bad_version.clear(); };
    direct(in_trial ? 3 : 2, version);
    Life life = run_until(State::kConfirmed);
    EXPECT_EQ(life.state, State::kConfirmed) << life.error;
    EXPECT_EQ(current(), "version = '" + version + "'");
    EXPECT_EQ(life.code, "");
  }
}

TEST_F(AgentTest, ATrialThatCanNeverBeRunGoesBackAndProvesNothing) {
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  checker_.bad_version = "2.0.0";
  checker_.only_when_current = true;
  checker_.verdict = Verdict::kError;
  direct(2, "2.0.0");
  Life life = run_until(State::kRolledBack);
  EXPECT_EQ(life.state, State::kRolledBack);
  EXPECT_EQ(life.code, "check-error");
  EXPECT_EQ(current(), "version = '1.0.0'");
  EXPECT_TRUE(gateway_->envelopes.empty());
}

}  // namespace
}  // namespace lineside::node

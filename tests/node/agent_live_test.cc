// SPDX-License-Identifier: Apache-2.0
// What a confirmed device says of itself: whether it infers, and whether its tree is whole.
#include <gtest/gtest.h>

#include "tests/node/agent_site.h"

namespace lineside::node {
namespace {

class AgentLiveTest : public AgentSite {
 protected:
  void SetUp() override {
    config_.live_check = std::chrono::seconds(60);
    config_.verify_every = std::chrono::seconds(60);
    direct(1, "1.0.0");
    one_ = agent(*disk_);
    must_ok(one_->start());
    drive(*one_, [](const Life& life) { return life.attested_sequence == 1; });
    ASSERT_EQ(one_->life().state, State::kConfirmed) << one_->life().error;
  }
  // Until a live check has said so, and its report is out.
  void await_inferring(bool inferring) {
    drive(*one_, [inferring](const Life& life) { return life.inferring == inferring; });
    must_ok(one_->tick());
  }
  std::size_t events(const std::string& text) {
    const std::string log = dir_.read("state/events.log");
    std::size_t count = 0;
    for (std::size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) {
      ++count;
    }
    return count;
  }
  std::unique_ptr<Agent> one_;
};

TEST_F(AgentLiveTest, DeadInferenceIsSaidAtOnceAndByName) {
  EXPECT_TRUE(gateway_->reports.back().inferring);
  EXPECT_EQ(gateway_->reports.back().inferring_cause, "");
  const UtcTime before = clock_.now();
  checker_.bad_version = "1.0.0";
  await_inferring(false);
  const api::NodeReport& said = gateway_->reports.back();
  EXPECT_FALSE(said.inferring);
  EXPECT_EQ(said.state, "confirmed");
  EXPECT_EQ(said.inferring_cause, "infer.case.speech: 0.5");
  EXPECT_GE(said.inferring_since, before);
  EXPECT_LE(said.inferring_since, clock_.now());
  EXPECT_EQ(events("not_inferring"), 1U);
  EXPECT_EQ(events("infer.case.speech: 0.5"), 1U);
}

TEST_F(AgentLiveTest, ALongDeathIsOneEventAndRevivalAnother) {
  checker_.bad_version = "1.0.0";
  await_inferring(false);
  const UtcTime since = one_->life().inferring_since;
  rounds(*one_, 50);  // some live checks later
  EXPECT_EQ(one_->life().inferring_since, since);
  EXPECT_EQ(events("not_inferring"), 1U);
  checker_.bad_version.clear();
  await_inferring(true);
  EXPECT_TRUE(gateway_->reports.back().inferring);
  EXPECT_EQ(gateway_->reports.back().inferring_cause, "");
  EXPECT_GT(gateway_->reports.back().inferring_since, since);
  EXPECT_EQ(events("\"event\":\"inferring\""), 1U);
}

TEST_F(AgentLiveTest, ACheckThatCannotBeRunIsNoInference) {
  checker_.bad_version = "1.0.0";
  checker_.verdict = Verdict::kError;
  await_inferring(false);
  EXPECT_NE(gateway_->reports.back().inferring_cause.find("could not be run"), std::string::npos);
}

TEST_F(AgentLiveTest, ADeviceWithoutItsSlotDoesNotInfer) {
  std::filesystem::remove(dir_ / "state/current");
  await_inferring(false);
  EXPECT_NE(gateway_->reports.back().inferring_cause.find("`current` leads to no slot"),
            std::string::npos)
      << gateway_->reports.back().inferring_cause;
}

TEST_F(AgentLiveTest, ADeviceThatLostItsManifestDoesNotInfer) {
  std::filesystem::remove_all(dir_ / "state/manifests");
  await_inferring(false);
  EXPECT_NE(gateway_->reports.back().inferring_cause.find("could not be run"), std::string::npos);
}

// What a live check finds says nothing about the trial, which is what a canary attests.
TEST_F(AgentLiveTest, ALiveCheckLeavesWhatIsAttestedAlone) {
  const std::vector<std::string> passed = one_->life().passed_tests;
  checker_.bad_version = "1.0.0";
  await_inferring(false);
  EXPECT_EQ(one_->life().check->phase, "live");
  EXPECT_EQ(one_->life().passed_tests, passed);
  EXPECT_TRUE(one_->life().failed_tests.empty());
}

TEST_F(AgentLiveTest, WhatRunsIsWatchedWhileTheGateIsShut) {
  direct(2, "2.0.0", {"cam02"});
  drive_to(*one_, State::kGated, 2);
  checker_.bad_version = "1.0.0";
  await_inferring(false);
  EXPECT_EQ(one_->life().state, State::kGated);
  EXPECT_FALSE(gateway_->reports.back().inferring);
  other_attests("2.0.0", trust::Outcome::kPassed);
  drive_to(*one_, State::kConfirmed, 2);
  EXPECT_EQ(one_->life().state, State::kConfirmed) << one_->life().error;
}

TEST_F(AgentLiveTest, WhatRunsIsWatchedWhileADeliveryIsAwaitedOrTheSiteIsPaused) {
  gateway_->offers.clear();
  direct(2, "2.0.0");
  drive_to(*one_, State::kFetching, 2);
  checker_.bad_version = "1.0.0";
  await_inferring(false);
  EXPECT_EQ(one_->life().state, State::kFetching);
  EXPECT_FALSE(gateway_->reports.back().inferring);
  gateway_->reply.paused = true;
  checker_.bad_version.clear();
  await_inferring(true);
  EXPECT_EQ(one_->life().state, State::kFetching);
  EXPECT_TRUE(gateway_->reports.back().inferring);
}

TEST_F(AgentLiveTest, DamageOfTheRunningTreeIsReported) {
  const Path model = dir_ / "state/current/models/vad.onnx";
  std::filesystem::permissions(model, std::filesystem::perms::owner_all);
  dir_.write("state/current/models/vad.onnx", "moDel");
  drive(*one_, [](const Life& life) { return !life.damage.empty(); });
  must_ok(one_->tick());
  EXPECT_NE(gateway_->reports.back().damage.find("models/vad.onnx"), std::string::npos);
  EXPECT_EQ(gateway_->reports.back().tree, Digest{});
}

}  // namespace
}  // namespace lineside::node

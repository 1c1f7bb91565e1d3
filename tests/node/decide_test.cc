// SPDX-License-Identifier: Apache-2.0
#include "node/decide.h"

#include <gtest/gtest.h>

#include "tests/fakes/signed_site.h"

namespace lineside::node {
namespace {

using fakes::at;

class DecideTest : public testing::Test {
 protected:
  DecideTest() {
    directive_ = site_.verified();
    life_.state = State::kGated;
    life_.directive = directive_.digest;
    life_.target = {site_.directive.bundle, "2.0.0", site_.manifest_digest(), site_.manifest.tree,
                    20};
    reply_.batches_open = 10;
    for (const char* canary : {"cam01", "ipc01"}) {
      evidence_.push_back(site_.seal(site_.passed(canary)));
    }
  }
  std::string shut() {
    Knowledge known{
        device_, life_, hardware_, &site_.roster, &directive_, &reply_, at("2026-11-22T12:00:00Z")};
    return gate_shut(known, site_.manifest, evidence_);
  }

  fakes::SignedSite site_;
  trust::VerifiedDirective directive_;
  std::string device_ = "cam02";
  std::vector<std::string> hardware_ = {"jetson-orin-nano"};
  Life life_;
  api::ReportReply reply_;
  std::vector<Bytes> evidence_;
};

TEST_F(DecideTest, TheGateOpensOnTheEvidenceOfAllCanaries) {
  EXPECT_EQ(shut(), "");
  evidence_.pop_back();
  EXPECT_NE(shut(), "");
}

TEST_F(DecideTest, TheGateIsShutForHardwareThatTheRosterDoesNotHave) {
  hardware_ = {"ipc-x86"};
  EXPECT_EQ(shut(),
            "the roster has this device as jetson-orin-nano, its configuration says ipc-x86");
  hardware_ = {"jetson-orin-nano", "ipc-x86"};
  EXPECT_NE(shut(), "");
  device_ = "cam01";  // no canary is excepted
  EXPECT_NE(shut(), "");
}

TEST_F(DecideTest, ACanaryThatDiedAfterItsTrialAttestsNoSuccess) {
  device_ = "cam01";
  life_.state = State::kConfirmed;
  life_.sequence = site_.directive.sequence;
  life_.measured = {{"latency.p50_us", "73.1"}};
  Knowledge known{
      device_, life_, hardware_, &site_.roster, &directive_, &reply_, at("2026-11-22T12:00:00Z")};
  life_.inferring = true;
  EXPECT_EQ(attestation_due(known), trust::Outcome::kPassed);
  EXPECT_EQ(make_attestation(known, site_.manifest, trust::Outcome::kPassed).measured,
            life_.measured);
  life_.inferring = false;
  EXPECT_EQ(attestation_due(known), std::nullopt);
}

TEST_F(DecideTest, WorkRunsOutWithItsDirective) {
  auto at_time = [this](const char* time) {
    Knowledge known{device_, life_, hardware_, &site_.roster, &directive_, &reply_, at(time)};
    return run_out(known);
  };
  EXPECT_FALSE(at_time("2026-11-22T08:30:00Z"));  // a clock that went back
  EXPECT_FALSE(at_time("2026-11-29T08:59:59Z"));
  ASSERT_TRUE(at_time("2026-11-29T09:00:00Z"));
  EXPECT_EQ(at_time("2026-11-29T09:00:00Z")->code, Code::kExpired);
  life_.state = State::kTrial;  // it ends by itself
  EXPECT_FALSE(at_time("2026-11-29T09:00:00Z"));
}

TEST_F(DecideTest, ARolloutThatWasCalledOffEndsWhatHasNotSwitched) {
  life_.sequence = reply_.directive_sequence = site_.directive.sequence;
  Knowledge known{
      device_, life_, hardware_, &site_.roster, &directive_, &reply_, at("2026-11-22T12:00:00Z")};
  EXPECT_EQ(cut_short(known), std::nullopt);
  reply_.called_off = true;
  for (State state : {State::kFetching, State::kStaging, State::kChecking, State::kGated}) {
    life_.state = state;
    EXPECT_EQ(cut_short(known), Event::kCalledOff);
  }
  for (State state : {State::kActivating, State::kTrial, State::kConfirmed, State::kIdle}) {
    life_.state = state;
    EXPECT_EQ(cut_short(known), std::nullopt);
  }
  life_.state = State::kGated;
  life_.sequence -= 1;
  EXPECT_EQ(cut_short(known), Event::kSuperseded) << "the word is of the newer directive";
  known.directive = nullptr;
  EXPECT_EQ(cut_short(known), std::nullopt);
}

TEST_F(DecideTest, TheOrderOfClassesDoesNotMatter) {
  hardware_ = {"jetson-orin-nano", "ipc-x86"};
  for (trust::Device& device : site_.roster.devices) {
    if (device.id == "cam02") device.hardware = {"ipc-x86", "jetson-orin-nano"};
  }
  EXPECT_EQ(shut(), "");
}

TEST_F(DecideTest, TheGateIsShutForAnotherManifestThanTheDirectives) {
  life_.target->manifest = sha256(as_bytes("another"));
  EXPECT_NE(shut(), "");
  life_.target.reset();
  EXPECT_EQ(shut(), "there is no target");
}

}  // namespace
}  // namespace lineside::node

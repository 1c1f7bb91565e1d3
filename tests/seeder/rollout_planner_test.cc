// SPDX-License-Identifier: Apache-2.0
#include "seeder/rollout_planner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

namespace lineside::seeder {
namespace {

constexpr UtcTime kStart{std::chrono::seconds(1'790'000'000)};

trust::Directive make_directive(unsigned devices, unsigned canaries, unsigned batch) {
  trust::Directive directive;
  directive.site = "plant-7";
  directive.sequence = 4;
  directive.not_before = kStart;
  directive.expires = kStart + std::chrono::hours(24 * 7);
  directive.bundle = "vision/2.0.0.json";
  directive.manifest = sha256(as_bytes("manifest"));
  for (unsigned i = 0; i < devices; ++i) directive.devices.push_back(fmt::format("cam{:03}", i));
  for (unsigned i = 0; i < canaries; ++i) directive.canaries.push_back(fmt::format("cam{:03}", i));
  directive.batch_size = batch;
  directive.failure_limit = {4, 25};
  directive.device_deadline = std::chrono::seconds(600);
  return directive;
}

// A site whose devices do what the test says.
class Floor {
 public:
  explicit Floor(trust::Directive of) : directive(std::move(of)), state(begin_rollout(directive)) {
    seen.now = kStart;
    seen.supplied = true;
    seen.gate = "0 of the canaries passed";
    for (const auto& id : directive.devices) report(id, "fetching");
  }

  void report(const std::string& id, const std::string& life, const std::string& error = "") {
    DeviceNews news;
    news.state = life;
    news.directive_sequence = directive.sequence;
    news.heard = seen.now;
    if (life == "confirmed") news.manifest = directive.manifest;
    if (!error.empty()) news.code = "check-failed";
    news.error = error;
    seen.devices[id] = news;
  }

  std::vector<Decision> step() {
    Planned planned = advance(state, directive, seen);
    state = planned.state;
    return planned.decisions;
  }

  void give(Command what) {
    Result<Planned> planned = command(state, what, "operator");
    ASSERT_TRUE(planned.ok()) << planned.error().describe();
    state = planned->state;
  }

  void confirm_batch(std::uint32_t batch) {
    for (const auto& id : directive.devices) {
      if (directive.batch_of(id) == batch) report(id, "confirmed");
    }
  }

  void pass_gate() {
    step();
    confirm_batch(0);
    seen.gate_open = true;
    step();
  }

  trust::Directive directive;
  RolloutState state;
  Observation seen;
};

TEST(RolloutPlanner, OpensNothingBeforeTheGatewayHasTheDeliveries) {
  Floor floor(make_directive(5, 1, 2));
  floor.seen.supplied = false;
  EXPECT_TRUE(floor.step().empty());
  EXPECT_EQ(floor.state.batches_open, 0U);
  EXPECT_EQ(floor.state.stage, Stage::kPreparing);
}

TEST(RolloutPlanner, WaitsForTheWindow) {
  Floor floor(make_directive(5, 1, 2));
  floor.seen.now = kStart - std::chrono::seconds(1);
  floor.step();
  EXPECT_EQ(floor.state.batches_open, 0U);
  floor.seen.now = kStart;
  floor.step();
  EXPECT_EQ(floor.state.batches_open, 1U);
}

TEST(RolloutPlanner, GoesFromCanariesOverSoakAndBatchesToDone) {
  Floor floor(make_directive(5, 1, 2));
  floor.step();
  EXPECT_EQ(floor.state.stage, Stage::kCanaries);
  floor.confirm_batch(0);
  floor.seen.soaking = true;
  floor.seen.gate = "soaking until noon";
  floor.step();
  EXPECT_EQ(floor.state.stage, Stage::kSoaking);
  EXPECT_EQ(floor.state.batches_open, 1U);
  floor.seen.gate_open = true;
  floor.step();
  EXPECT_EQ(floor.state.stage, Stage::kBatches);
  EXPECT_EQ(floor.state.batches_open, 2U);
  floor.confirm_batch(1);
  floor.step();
  EXPECT_EQ(floor.state.batches_open, 3U);
  floor.confirm_batch(2);
  floor.step();
  EXPECT_EQ(floor.state.stage, Stage::kDone);
  EXPECT_EQ(floor.state.count(Ending::kConfirmed), 5U);
}

TEST(RolloutPlanner, ARolloutOfCanariesAloneEnds) {
  Floor floor(make_directive(2, 2, 50));
  floor.pass_gate();
  EXPECT_EQ(floor.state.stage, Stage::kDone);
  EXPECT_EQ(floor.state.batches_open, 1U);
}

TEST(RolloutPlanner, AConfirmedCanaryWithoutAttestationOpensNothing) {
  Floor floor(make_directive(5, 1, 2));
  floor.step();
  floor.confirm_batch(0);
  floor.step();
  EXPECT_EQ(floor.state.batches_open, 1U);
  EXPECT_EQ(floor.state.reason, "0 of the canaries passed");
}

TEST(RolloutPlanner, AFailedCanaryPausesAtOnceAndSaysWhy) {
  Floor floor(make_directive(9, 1, 2));
  floor.step();
  floor.report("cam000", "failed", "numpy 1.19.5: cannot import");
  floor.step();
  EXPECT_TRUE(floor.state.paused);
  EXPECT_NE(floor.state.reason.find("numpy 1.19.5"), std::string::npos);
  EXPECT_EQ(floor.state.batches_open, 1U);
}

TEST(RolloutPlanner, FailuresWithinTheLimitDoNotStop) {
  Floor floor(make_directive(9, 1, 4));
  floor.pass_gate();
  floor.confirm_batch(1);
  floor.report("cam001", "rolled_back", "trial failed");
  floor.step();
  EXPECT_FALSE(floor.state.paused);
  EXPECT_EQ(floor.state.batches_open, 3U);
}

TEST(RolloutPlanner, FailuresAboveTheLimitPauseBeforeTheNextBatch) {
  Floor floor(make_directive(9, 1, 4));
  floor.pass_gate();
  floor.confirm_batch(1);
  floor.report("cam001", "rolled_back", "trial failed");
  floor.report("cam002", "failed", "check failed");
  floor.step();
  EXPECT_TRUE(floor.state.paused);
  EXPECT_EQ(floor.state.batches_open, 2U);
}

TEST(RolloutPlanner, TooFewEndedDevicesSayNothingAboutTheShare) {
  Floor floor(make_directive(9, 1, 4));
  floor.pass_gate();
  floor.report("cam001", "failed", "check failed");
  floor.step();
  EXPECT_FALSE(floor.state.paused);
}

TEST(RolloutPlanner, ResumingAcceptsTheFailuresSoFarOnly) {
  Floor floor(make_directive(9, 1, 4));
  floor.pass_gate();
  floor.confirm_batch(1);
  floor.report("cam001", "failed", "x");
  floor.report("cam002", "failed", "x");
  floor.step();
  floor.give(Command::kResume);
  floor.step();
  EXPECT_FALSE(floor.state.paused);
  EXPECT_EQ(floor.state.batches_open, 3U);
  floor.report("cam005", "failed", "x");
  floor.step();
  EXPECT_TRUE(floor.state.paused);
}

TEST(RolloutPlanner, ASilentDeviceCountsAsFailedAfterItsDeadline) {
  Floor floor(make_directive(2, 1, 4));
  floor.pass_gate();
  floor.seen.now += std::chrono::seconds(599);
  floor.step();
  EXPECT_EQ(floor.state.outcomes["cam001"].ending, Ending::kPending);
  floor.seen.now += std::chrono::seconds(1);
  floor.step();
  EXPECT_EQ(floor.state.outcomes["cam001"].ending, Ending::kSilent);
  EXPECT_EQ(floor.state.stage, Stage::kDone);
}

TEST(RolloutPlanner, ASilentDeviceThatSpeaksAgainIsPendingAgain) {
  Floor floor(make_directive(9, 1, 4));
  floor.pass_gate();
  floor.seen.now += std::chrono::seconds(600);
  for (const auto& id : floor.directive.devices) {
    if (id != "cam001") floor.report(id, id == "cam000" ? "confirmed" : "fetching");
  }
  floor.step();
  EXPECT_EQ(floor.state.outcomes["cam001"].ending, Ending::kSilent);
  floor.report("cam001", "fetching");
  floor.step();
  EXPECT_EQ(floor.state.outcomes["cam001"].ending, Ending::kPending);
}

TEST(RolloutPlanner, ADeviceThatIsSilentBeforeItsBatchOpensIsNotBlamed) {
  Floor floor(make_directive(9, 1, 4));
  floor.step();
  floor.seen.now += std::chrono::seconds(5000);
  floor.report("cam000", "trial");
  floor.step();
  EXPECT_EQ(floor.state.count(Ending::kSilent), 0U);
}

TEST(RolloutPlanner, ARevokedDeviceHoldsNothingUp) {
  Floor floor(make_directive(3, 1, 4));
  floor.pass_gate();
  floor.report("cam001", "confirmed");
  floor.seen.devices["cam002"].revoked = true;
  floor.step();
  EXPECT_EQ(floor.state.stage, Stage::kDone);
  EXPECT_EQ(floor.state.count(Ending::kWithdrawn), 1U);
}

TEST(RolloutPlanner, AnotherBundleThatWasConfirmedIsNoSuccess) {
  Floor floor(make_directive(2, 1, 4));
  floor.step();
  floor.report("cam000", "confirmed");
  floor.seen.devices["cam000"].manifest = sha256(as_bytes("other"));
  floor.step();
  EXPECT_EQ(floor.state.outcomes["cam000"].ending, Ending::kPending);
}

TEST(RolloutPlanner, AConfirmedDeviceThatRollsBackLaterCountsAsFailed) {
  Floor floor(make_directive(9, 1, 8));
  floor.pass_gate();
  floor.report("cam001", "confirmed");
  floor.step();
  floor.report("cam001", "rolled_back", "no heartbeat");
  floor.step();
  EXPECT_EQ(floor.state.outcomes["cam001"].ending, Ending::kFailed);
}

TEST(RolloutPlanner, AnOperatorsPauseHoldsEverything) {
  Floor floor(make_directive(9, 1, 2));
  floor.pass_gate();
  floor.give(Command::kPause);
  floor.confirm_batch(1);
  floor.step();
  EXPECT_EQ(floor.state.batches_open, 2U);
  floor.give(Command::kResume);
  floor.step();
  EXPECT_EQ(floor.state.batches_open, 3U);
}

TEST(RolloutPlanner, AnAbortedRolloutStaysAborted) {
  Floor floor(make_directive(9, 1, 2));
  floor.pass_gate();
  floor.give(Command::kAbort);
  floor.confirm_batch(1);
  EXPECT_TRUE(floor.step().empty());
  EXPECT_EQ(floor.state.batches_open, 2U);
  EXPECT_EQ(command(floor.state, Command::kResume, "x").error().code, Code::kConflict);
}

TEST(RolloutPlanner, AnExpiredDirectiveOpensNoFurtherBatch) {
  Floor floor(make_directive(9, 1, 2));
  floor.pass_gate();
  floor.seen.now = floor.directive.expires;
  floor.confirm_batch(1);
  for (const auto& id : floor.directive.devices) floor.seen.devices[id].heard = floor.seen.now;
  floor.step();
  EXPECT_EQ(floor.state.batches_open, 2U);
  EXPECT_TRUE(floor.state.paused);
}

TEST(RolloutPlanner, StateSurvivesItsJson) {
  Floor floor(make_directive(9, 1, 2));
  floor.pass_gate();
  floor.report("cam001", "failed", "quotes \" and \xff bytes");
  floor.step();
  RolloutState state = floor.state;
  state.outcomes["cam001"].why = "plain";
  Result<RolloutState> back = parse_rollout_state(as_bytes(serialise(state)));
  ASSERT_TRUE(back.ok()) << back.error().describe();
  EXPECT_EQ(*back, state);
  EXPECT_TRUE(parse_rollout_state(as_bytes(serialise(floor.state))).ok());
}

// Any order of events keeps the invariants of the header.
class RolloutProperties : public ::testing::TestWithParam<unsigned> {};

TEST_P(RolloutProperties, Hold) {
  std::mt19937 random(GetParam());
  auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
  unsigned devices = 1 + pick(12);
  unsigned canaries = 1 + pick(devices);
  Floor floor(make_directive(devices, canaries, 1 + pick(4)));
  const char* lives[] = {"fetching", "gated", "trial", "confirmed", "confirmed", "failed"};
  bool gate_was_open = false;
  for (int i = 0; i < 120; ++i) {
    std::uint32_t open_before = floor.state.batches_open;
    bool paused_before = floor.state.paused;
    Stage stage_before = floor.state.stage;
    floor.seen.now += std::chrono::seconds(pick(200));
    std::string id = floor.directive.devices[pick(devices)];
    floor.report(id, lives[pick(6)], "x");
    if (pick(10) == 0) floor.seen.gate_open = !floor.seen.gate_open;
    if (pick(30) == 0) (void)command(floor.state, Command::kPause, "o");
    if (pick(8) == 0) {
      if (Result<Planned> resumed = command(floor.state, Command::kResume, "o"); resumed.ok()) {
        floor.state = resumed->state;
        paused_before = false;
      }
    }
    floor.step();
    gate_was_open = gate_was_open || floor.seen.gate_open;
    ASSERT_GE(floor.state.batches_open, open_before);
    ASSERT_LE(floor.state.batches_open, floor.directive.batch_count());
    if (floor.state.batches_open > 1) {
      ASSERT_TRUE(gate_was_open);
    }
    if (paused_before) {
      ASSERT_EQ(floor.state.batches_open, open_before);
    }
    if (has_ended(stage_before)) {
      ASSERT_EQ(floor.state.stage, stage_before);
    }
    for (std::uint32_t batch = open_before; batch < floor.state.batches_open && batch > 0;
         ++batch) {
      for (const auto& device : floor.directive.devices) {
        if (floor.directive.batch_of(device) < batch) {
          ASSERT_NE(floor.state.outcomes[device].ending, Ending::kPending);
        }
      }
    }
    ASSERT_TRUE(floor.step().empty()) << "a second look at the same facts decided something";
    Result<RolloutState> back = parse_rollout_state(as_bytes(serialise(floor.state)));
    ASSERT_TRUE(back.ok() && *back == floor.state);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RolloutProperties, ::testing::Range(0U, 60U));

}  // namespace
}  // namespace lineside::seeder

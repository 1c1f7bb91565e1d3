// SPDX-License-Identifier: Apache-2.0
#include "seeder/rollout_planner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/seeder/rollout_floor.h"

namespace lineside::seeder {
namespace {

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

TEST(RolloutPlanner, AFailedCanaryEndsTheRolloutAtOnceAndSaysWhy) {
  Floor floor(make_directive(9, 1, 2));
  floor.step();
  floor.report("cam000", "failed", "numpy 1.19.5: cannot import");
  floor.step();
  EXPECT_EQ(floor.state.stage, Stage::kFailed);
  EXPECT_TRUE(floor.state.withholds());
  EXPECT_NE(floor.state.reason.find("numpy 1.19.5"), std::string::npos);
  EXPECT_EQ(floor.state.batches_open, 1U);
  EXPECT_EQ(floor.state.count(Ending::kUnfinished), 8U);
}

TEST(RolloutPlanner, ResumingAfterAFailedCanaryIsRefusedAndSaysWhatToDo) {
  Floor floor(make_directive(9, 1, 2));
  floor.step();
  floor.report("cam000", "failed", "numpy 1.19.5: cannot import");
  floor.step();
  Result<Planned> resumed = command(floor.state, Command::kResume, "x", floor.seen.now);
  ASSERT_FALSE(resumed.ok());
  EXPECT_EQ(resumed.error().code, Code::kConflict);
  for (const char* words : {"canary cam000 failed", "rollout start", "directive 5"}) {
    EXPECT_NE(resumed.error().what.find(words), std::string::npos) << resumed.error().what;
  }
}

TEST(RolloutPlanner, ACanaryThatFailsWhileAnOperatorPausedEndsTheRolloutToo) {
  Floor floor(make_directive(9, 1, 2));
  floor.step();
  floor.give(Command::kPause);
  floor.report("cam000", "rolled_back", "trial failed");
  floor.step();
  EXPECT_EQ(floor.state.stage, Stage::kFailed);
}

TEST(RolloutPlanner, ARevokedCanaryEndsTheRolloutSinceEveryGateIsShutForGood) {
  Floor floor(make_directive(9, 1, 2));
  floor.pass_gate();
  floor.seen.devices["cam000"].revoked = true;
  floor.step();
  EXPECT_EQ(floor.state.stage, Stage::kFailed);
  EXPECT_NE(floor.state.reason.find("cam000 was revoked"), std::string::npos);
}

TEST(RolloutPlanner, ACanaryThatFailsAfterTheGateOpenedOnlyPauses) {
  Floor floor(make_directive(9, 1, 2));
  floor.pass_gate();
  floor.report("cam000", "rolled_back", "no heartbeat");
  floor.step();
  EXPECT_EQ(floor.state.stage, Stage::kBatches);
  EXPECT_TRUE(floor.state.paused);
  floor.give(Command::kResume);
  floor.confirm_batch(1);
  floor.step();
  EXPECT_EQ(floor.state.batches_open, 3U);
}

TEST(RolloutPlanner, CanariesThatNeverAttestPauseTheRolloutAfterTheDeadline) {
  Floor floor(make_directive(9, 1, 2));
  floor.step();
  floor.confirm_batch(0);
  floor.step();
  floor.seen.now += std::chrono::seconds(599);
  floor.step();
  EXPECT_FALSE(floor.state.paused);
  floor.seen.now += std::chrono::seconds(1);
  floor.step();
  EXPECT_TRUE(floor.state.paused);
  EXPECT_NE(floor.state.reason.find("0 of the canaries passed"), std::string::npos);
}

TEST(RolloutPlanner, ADeviceThatSpeaksButDoesNotAdvanceIsStalledAndCountsAsFailed) {
  Floor floor(make_directive(2, 1, 4));
  floor.pass_gate();
  for (int i = 0; i < 10; ++i) {
    floor.seen.now += std::chrono::seconds(60);
    floor.report("cam001", "fetching", "no peers");
    floor.step();
  }
  const DeviceOutcome& outcome = floor.state.outcomes["cam001"];
  EXPECT_EQ(outcome.ending, Ending::kStalled);
  EXPECT_NE(outcome.why.find("fetching for 600 s"), std::string::npos) << outcome.why;
  EXPECT_NE(outcome.why.find("no peers"), std::string::npos);
  EXPECT_EQ(floor.state.failures(), 1U);
  EXPECT_EQ(floor.state.stage, Stage::kDone);
}

TEST(RolloutPlanner, BytesThatArriveAreProgress) {
  Floor floor(make_directive(2, 1, 4));
  floor.pass_gate();
  for (std::uint64_t i = 1; i <= 40; ++i) {
    floor.seen.now += std::chrono::seconds(60);
    floor.report("cam001", "fetching");
    floor.seen.devices["cam001"].delivered = i;
    floor.step();
  }
  EXPECT_EQ(floor.state.outcomes["cam001"].ending, Ending::kPending);
  floor.seen.now += std::chrono::seconds(599);
  floor.report("cam001", "fetching");
  floor.seen.devices["cam001"].delivered = 7;  // an old report, or a counter that began anew
  floor.step();
  EXPECT_EQ(floor.state.outcomes["cam001"].ending, Ending::kPending);
  floor.seen.now += std::chrono::seconds(1);
  floor.step();
  EXPECT_EQ(floor.state.outcomes["cam001"].ending, Ending::kStalled);
}

TEST(RolloutPlanner, AStalledDeviceThatGoesOnIsPendingAgainAndMayStillBeConfirmedAfterTheEnd) {
  Floor floor(make_directive(9, 1, 8));
  floor.pass_gate();
  floor.seen.now += std::chrono::seconds(600);
  for (int i = 1; i < 9; ++i) floor.report(fmt::format("cam00{}", i), "fetching");
  floor.directive.failure_limit = {4, 100};
  floor.step();
  ASSERT_EQ(floor.state.stage, Stage::kDone);
  floor.report("cam001", "staging");
  floor.step();
  EXPECT_EQ(floor.state.outcomes["cam001"].ending, Ending::kStalled) << "the rollout has ended";
  floor.report("cam001", "confirmed");
  floor.step();
  EXPECT_EQ(floor.state.outcomes["cam001"].ending, Ending::kConfirmed);
}

TEST(RolloutPlanner, NobodyStallsWhileTheRolloutIsPaused) {
  Floor floor(make_directive(2, 1, 4));
  floor.pass_gate();
  floor.give(Command::kPause);
  floor.seen.now += std::chrono::seconds(5000);
  floor.report("cam001", "gated");
  floor.step();
  EXPECT_EQ(floor.state.outcomes["cam001"].ending, Ending::kPending);
  floor.give(Command::kResume);
  floor.seen.now += std::chrono::seconds(599);
  floor.report("cam001", "gated");
  floor.step();
  EXPECT_EQ(floor.state.outcomes["cam001"].ending, Ending::kPending);
}

TEST(RolloutPlanner, ResumingPastASilentDeviceDoesNotWaitForItAgain) {
  trust::Directive directive = make_directive(5, 1, 2);
  directive.failure_limit = {1, 0};
  Floor floor(directive);
  floor.pass_gate();
  floor.seen.now += std::chrono::seconds(600);
  floor.report("cam001", "confirmed");
  floor.step();
  ASSERT_EQ(floor.state.outcomes["cam002"].ending, Ending::kSilent);
  ASSERT_TRUE(floor.state.paused);
  floor.give(Command::kResume);
  floor.step();
  EXPECT_EQ(floor.state.outcomes["cam002"].ending, Ending::kSilent);
  EXPECT_EQ(floor.state.batches_open, 3U);
}

TEST(RolloutPlanner, DevicesAreNotBlamedForTheTimeThatTheGatewayWasDown) {
  Floor floor(make_directive(2, 1, 4));
  floor.pass_gate();
  floor.seen.now += std::chrono::seconds(5000);
  floor.seen.listening = floor.seen.now - std::chrono::seconds(1);
  floor.step();
  EXPECT_EQ(floor.state.outcomes["cam001"].ending, Ending::kPending);
}

TEST(RolloutPlanner, AfterAnAbortDevicesInTrialComeToTheirEndAndTheOthersAreUnfinished) {
  Floor floor(make_directive(4, 1, 4));
  floor.pass_gate();
  floor.report("cam001", "trial");
  floor.report("cam002", "gated");
  floor.step();
  floor.give(Command::kAbort);
  floor.step();
  EXPECT_EQ(floor.state.outcomes["cam001"].ending, Ending::kPending);
  EXPECT_EQ(floor.state.outcomes["cam002"].ending, Ending::kUnfinished);
  EXPECT_NE(floor.state.outcomes["cam002"].why.find("aborted by operator at "), std::string::npos);
  EXPECT_NE(floor.state.reason.find(format_utc(floor.seen.now)), std::string::npos);
  floor.report("cam001", "rolled_back", "trial failed");
  floor.step();
  EXPECT_EQ(floor.state.outcomes["cam001"].ending, Ending::kFailed);
  EXPECT_EQ(floor.state.stage, Stage::kAborted);
}

TEST(RolloutPlanner, ASupersededRolloutIsNotPausedAndLeavesNobodyPending) {
  Floor floor(make_directive(4, 1, 4));
  floor.pass_gate();
  floor.give(Command::kPause);
  floor.give(Command::kSupersede);
  EXPECT_EQ(floor.state.stage, Stage::kSuperseded);
  EXPECT_FALSE(floor.state.paused);
  EXPECT_EQ(floor.state.count(Ending::kPending), 0U);
  EXPECT_EQ(floor.state.count(Ending::kUnfinished), 3U);
}

TEST(RolloutPlanner, ARolloutThatTheGatewayNeverCouldBeginEndsWithItsDirective) {
  Floor floor(make_directive(4, 1, 4));
  floor.seen.supplied = false;
  floor.seen.now = floor.directive.expires;
  floor.step();
  EXPECT_EQ(floor.state.stage, Stage::kFailed);
  EXPECT_EQ(floor.state.count(Ending::kUnfinished), 4U);
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
  floor.step();
  EXPECT_EQ(floor.state.stage, Stage::kAborted);
  EXPECT_EQ(floor.state.batches_open, 2U);
  EXPECT_EQ(command(floor.state, Command::kResume, "x", kStart).error().code, Code::kConflict);
}

TEST(RolloutPlanner, AnExpiredDirectiveOpensNoFurtherBatch) {
  Floor floor(make_directive(9, 1, 2));
  floor.pass_gate();
  floor.seen.now = floor.directive.expires;
  floor.confirm_batch(1);
  for (const auto& id : floor.directive.devices) floor.seen.devices[id].heard = floor.seen.now;
  floor.step();
  EXPECT_EQ(floor.state.batches_open, 2U);
  EXPECT_EQ(floor.state.stage, Stage::kFailed);
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

TEST(RolloutPlanner, AFailureLimitPassedByTheLastDeviceHoldsNobodyAndEndsTheRollout) {
  Floor floor(make_directive(5, 1, 4));
  floor.pass_gate();
  floor.report("cam001", "confirmed");
  for (const char* id : {"cam002", "cam003", "cam004"}) floor.report(id, "failed", "x");
  floor.step();
  EXPECT_TRUE(floor.state.paused);
  EXPECT_EQ(floor.state.stage, Stage::kDone);
}

TEST(RolloutPlanner, ReadsTheStateThatAnEarlierVersionWrote) {
  auto state = parse_rollout_state(as_bytes(
      R"({"sequence":4,"stage":"batches","batches_open":2,"opened":[],"paused":false,)"
      R"("outcomes":[{"device":"cam1","ending":"silent","why":"x"}],"paused_by_operator":false,)"
      R"("tolerated_failures":1,"reason":"r"})"));
  ASSERT_TRUE(state.ok()) << state.error().describe();
  EXPECT_EQ(state->outcomes["cam1"].ending, Ending::kSilent);
}

}  // namespace
}  // namespace lineside::seeder

// SPDX-License-Identifier: Apache-2.0
#include "node/life_table.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

namespace lineside::node {
namespace {

using S = State;
using E = Event;
using A = Action;

struct Scenario {
  const char* name;
  std::vector<Event> events;
  std::vector<State> chain;  // the states entered, in order
};

// clang-format off
const Scenario kScenarios[] = {
    {"everything goes well",
     {E::kDirective, E::kFetched, E::kStaged, E::kCheckPassed, E::kGateOpen, E::kActivated, E::kTrialPassed},
     {S::kFetching, S::kStaging, S::kChecking, S::kGated, S::kActivating, S::kTrial, S::kConfirmed}},
    {"the check fails: the old slot was never touched",
     {E::kDirective, E::kFetched, E::kStaged, E::kStepFailed},
     {S::kFetching, S::kStaging, S::kChecking, S::kFailed}},
    {"the trial fails: both go back together",
     {E::kDirective, E::kFetched, E::kStaged, E::kCheckPassed, E::kGateOpen, E::kActivated, E::kTrialFailed},
     {S::kFetching, S::kStaging, S::kChecking, S::kGated, S::kActivating, S::kTrial, S::kRolledBack}},
    {"the gate stays shut: a trial cannot begin",
     {E::kDirective, E::kFetched, E::kStaged, E::kCheckPassed, E::kActivated, E::kTrialPassed},
     {S::kFetching, S::kStaging, S::kChecking, S::kGated}},
    {"the directive ends while gated",
     {E::kDirective, E::kFetched, E::kStaged, E::kCheckPassed, E::kStepFailed, E::kDirective},
     {S::kFetching, S::kStaging, S::kChecking, S::kGated, S::kFailed, S::kFetching}},
    {"a newer directive while gated",
     {E::kDirective, E::kFetched, E::kStaged, E::kCheckPassed, E::kSuperseded, E::kDirective},
     {S::kFetching, S::kStaging, S::kChecking, S::kGated, S::kIdle, S::kFetching}},
    {"its rollout is called off while gated",
     {E::kDirective, E::kFetched, E::kStaged, E::kCheckPassed, E::kCalledOff, E::kDirective},
     {S::kFetching, S::kStaging, S::kChecking, S::kGated, S::kIdle, S::kFetching}},
    {"what has switched goes on to its end, whatever becomes of the rollout",
     {E::kDirective, E::kFetched, E::kStaged, E::kCheckPassed, E::kGateOpen, E::kCalledOff, E::kActivated, E::kCalledOff, E::kTrialPassed},
     {S::kFetching, S::kStaging, S::kChecking, S::kGated, S::kActivating, S::kTrial, S::kConfirmed}},
    {"a newer directive during the trial has to wait",
     {E::kDirective, E::kFetched, E::kStaged, E::kCheckPassed, E::kGateOpen, E::kActivated, E::kSuperseded, E::kDirective},
     {S::kFetching, S::kStaging, S::kChecking, S::kGated, S::kActivating, S::kTrial}},
    {"power cuts at every state",
     {E::kResumed, E::kDirective, E::kResumed, E::kFetched, E::kResumed, E::kStaged, E::kResumed, E::kCheckPassed,
      E::kResumed, E::kGateOpen, E::kResumed, E::kActivated, E::kResumed, E::kTrialPassed, E::kResumed},
     {S::kIdle, S::kFetching, S::kFetching, S::kStaging, S::kStaging, S::kChecking, S::kChecking, S::kGated,
      S::kGated, S::kActivating, S::kActivating, S::kTrial, S::kTrial, S::kConfirmed, S::kConfirmed}},
    {"after a failure the next directive begins",
     {E::kDirective, E::kStepFailed, E::kDirective},
     {S::kFetching, S::kFailed, S::kFetching}},
};
// clang-format on

TEST(LifeTable, ScenariosFollowTheirChains) {
  for (const Scenario& scenario : kScenarios) {
    State state = S::kIdle;
    std::vector<State> chain;
    for (Event event : scenario.events) {
      if (auto row = life_row(state, event)) {
        state = row->next;
        chain.push_back(state);
      }
    }
    EXPECT_EQ(chain, scenario.chain) << scenario.name;
  }
}

TEST(LifeTable, NoStateHasTwoRowsForOneEvent) {
  std::set<std::pair<State, Event>> seen;
  for (const Row& row : life_table()) {
    EXPECT_TRUE(seen.insert({row.state, row.event}).second)
        << state_name(row.state) << " " << event_name(row.event);
  }
}

TEST(LifeTable, EveryStateResumesIntoItself) {
  for (int state = 0; state <= static_cast<int>(S::kRolledBack); ++state) {
    auto row = life_row(static_cast<State>(state), E::kResumed);
    ASSERT_TRUE(row) << state_name(static_cast<State>(state));
    EXPECT_EQ(row->next, row->state);
  }
}

TEST(LifeTable, NamesRoundTrip) {
  for (int state = 0; state <= static_cast<int>(S::kRolledBack); ++state) {
    EXPECT_EQ(state_from(state_name(static_cast<State>(state))), static_cast<State>(state));
  }
  EXPECT_FALSE(state_from("Idle"));
  EXPECT_EQ(action_name(A::kRollBack), "roll_back");
}

// A model of the device: what the actions do to its slots. Random events, power cuts included, must
// never leave it without a slot that is good.
class Device {
 public:
  void feed(Event event) {
    auto row = life_row(state_, event);
    if (!row) return;
    if (event == E::kGateOpen) gate_ = true;
    if (row->action == A::kActivate) {
      EXPECT_TRUE(event == E::kGateOpen || (event == E::kResumed && state_ == S::kActivating));
      EXPECT_TRUE(gate_);
    }
    if (row->action == A::kConfirm) {
      EXPECT_TRUE(event == E::kTrialPassed || event == E::kResumed);
    }
    state_ = row->next;
    act(row->action);
    EXPECT_TRUE(current_good_ || !at_rest(state_)) << state_name(state_);
    EXPECT_TRUE(current_good_ || previous_good_);
  }
  [[nodiscard]] State state() const { return state_; }

 private:
  void act(Action action) {
    switch (action) {
      case A::kFetch:
        gate_ = false;
        break;
      case A::kActivate:
        if (!switched_) previous_good_ = current_good_;
        switched_ = true;
        current_good_ = false;  // unproven
        break;
      case A::kConfirm:
        current_good_ = true;
        switched_ = false;
        break;
      case A::kRollBack:
        if (switched_) current_good_ = previous_good_;
        switched_ = false;
        break;
      case A::kDiscard:
        EXPECT_FALSE(switched_);
        break;
      default:
        break;
    }
  }

  State state_ = S::kIdle;
  bool gate_ = true;
  bool switched_ = false;
  bool current_good_ = true;
  bool previous_good_ = false;
};

TEST(LifeTable, RandomEventsNeverLeaveADeviceWithoutAGoodSlot) {
  std::mt19937 random(20261122);
  std::uniform_int_distribution<int> pick(0, static_cast<int>(E::kCalledOff));
  for (int run = 0; run < 200; ++run) {
    Device device;
    for (int step = 0; step < 500; ++step) device.feed(static_cast<Event>(pick(random)));
  }
}

TEST(LifeTable, EveryStateReachesRest) {
  for (int start = 0; start <= static_cast<int>(S::kRolledBack); ++start) {
    std::set<State> reached{static_cast<State>(start)};
    for (std::size_t before = 0; before != reached.size();) {
      before = reached.size();
      for (const Row& row : life_table()) {
        if (reached.count(row.state) != 0) reached.insert(row.next);
      }
    }
    EXPECT_TRUE(reached.count(S::kConfirmed) != 0 || at_rest(static_cast<State>(start)));
    EXPECT_TRUE(reached.count(S::kFailed) != 0 || reached.count(S::kRolledBack) != 0);
  }
}

}  // namespace
}  // namespace lineside::node

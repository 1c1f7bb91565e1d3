// SPDX-License-Identifier: Apache-2.0
// The life cycle of a device under one directive: a pure table of (state, event) -> (next, action).
//
// How it is driven: the next state is made durable first, then its action runs, and the action's
// outcome is the next event. Every action can be run again, so after a power cut the agent loads
// the state and feeds kResumed, whose row names the same action.
//
// Invariants, which tests/node/life_table_test.cc holds against random events:
//   - kActivate is reached only by kGateOpen out of kGated, or by kResumed in kActivating;
//   - kConfirm only by kTrialPassed out of kTrial, or by kResumed in kConfirmed;
//   - what leaves kActivating or kTrial without passing runs kRollBack: a good slot remains;
//   - kDiscard is never the action of a row whose state is kActivating or kTrial;
//   - an event that a state does not know changes nothing.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace lineside::node {

enum class State {
  kIdle,        // no directive under way
  kFetching,    // documents, space, the delivery
  kStaging,     // the delivery becomes a verified tree
  kChecking,    // the staged tree's inference check
  kGated,       // waits for the evidence of the canaries and its batch
  kActivating,  // `current` is being switched
  kTrial,       // the new tree runs and has to prove itself
  kConfirmed,   // rest: the new tree is good
  kFailed,      // rest: given up before the switch, the old slot was never touched
  kRolledBack,  // rest: the old tree is current again, firmware and runtime together
};

enum class Event {
  kResumed,    // the agent has just started
  kDirective,  // a directive for this device, newer than the last
  kFetched,
  kStaged,
  kCheckPassed,
  kStepFailed,  // what comes before the switch cannot succeed, or not in the directive's time
  kGateOpen,
  kActivated,
  kActivationFailed,
  kTrialPassed,
  kTrialFailed,  // or its attempts are used up
  kSuperseded,   // a newer directive arrived before the switch
  kCalledOff,    // the directive's rollout ended before the switch: aborted, or failed
};

enum class Action {
  kNone,
  kFetch,
  kStage,
  kCheck,
  kAwaitGate,
  kActivate,
  kTry,
  kConfirm,
  kDiscard,   // removes what was staged
  kRollBack,  // `current` back to the tree before; nothing to do if it is there already
};

struct Row {
  State state;
  Event event;
  State next;
  Action action;
};

// The whole table, in reading order.
std::span<const Row> life_table();

// The row of (state, event); nullopt if the event means nothing there.
std::optional<Row> life_row(State state, Event event);

// "idle", "rolled_back": the names that reports and life.json use.
std::string_view state_name(State state);
std::string_view event_name(Event event);
std::string_view action_name(Action action);
std::optional<State> state_from(std::string_view name);

// Nothing is under way: a directive may begin.
bool at_rest(State state);
// Under way, and nothing of the running system is touched yet: may be superseded or paused.
bool before_switch(State state);

}  // namespace lineside::node

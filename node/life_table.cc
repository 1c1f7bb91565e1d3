// SPDX-License-Identifier: Apache-2.0
#include "node/life_table.h"

#include <algorithm>
#include <array>

namespace lineside::node {
namespace {

using S = State;
using E = Event;
using A = Action;

// clang-format off
constexpr Row kTable[] = {
    // state          event                  next            action
    {S::kIdle,        E::kResumed,           S::kIdle,       A::kDiscard},
    {S::kIdle,        E::kDirective,         S::kFetching,   A::kFetch},

    {S::kFetching,    E::kResumed,           S::kFetching,   A::kFetch},
    {S::kFetching,    E::kFetched,           S::kStaging,    A::kStage},
    {S::kFetching,    E::kStepFailed,        S::kFailed,     A::kDiscard},
    {S::kFetching,    E::kSuperseded,        S::kIdle,       A::kNone},
    {S::kFetching,    E::kCalledOff,         S::kIdle,       A::kDiscard},

    {S::kStaging,     E::kResumed,           S::kStaging,    A::kStage},
    {S::kStaging,     E::kStaged,            S::kChecking,   A::kCheck},
    {S::kStaging,     E::kStepFailed,        S::kFailed,     A::kDiscard},
    {S::kStaging,     E::kSuperseded,        S::kIdle,       A::kNone},
    {S::kStaging,     E::kCalledOff,         S::kIdle,       A::kDiscard},

    {S::kChecking,    E::kResumed,           S::kChecking,   A::kCheck},
    {S::kChecking,    E::kCheckPassed,       S::kGated,      A::kAwaitGate},
    {S::kChecking,    E::kStepFailed,        S::kFailed,     A::kDiscard},
    {S::kChecking,    E::kSuperseded,        S::kIdle,       A::kNone},
    {S::kChecking,    E::kCalledOff,         S::kIdle,       A::kDiscard},

    {S::kGated,       E::kResumed,           S::kGated,      A::kAwaitGate},
    {S::kGated,       E::kGateOpen,          S::kActivating, A::kActivate},
    {S::kGated,       E::kStepFailed,        S::kFailed,     A::kDiscard},
    {S::kGated,       E::kSuperseded,        S::kIdle,       A::kNone},
    {S::kGated,       E::kCalledOff,         S::kIdle,       A::kDiscard},

    {S::kActivating,  E::kResumed,           S::kActivating, A::kActivate},
    {S::kActivating,  E::kActivated,         S::kTrial,      A::kTry},
    {S::kActivating,  E::kActivationFailed,  S::kRolledBack, A::kRollBack},

    {S::kTrial,       E::kResumed,           S::kTrial,      A::kTry},
    {S::kTrial,       E::kTrialPassed,       S::kConfirmed,  A::kConfirm},
    {S::kTrial,       E::kTrialFailed,       S::kRolledBack, A::kRollBack},

    {S::kConfirmed,   E::kResumed,           S::kConfirmed,  A::kConfirm},
    {S::kConfirmed,   E::kDirective,         S::kFetching,   A::kFetch},

    {S::kFailed,      E::kResumed,           S::kFailed,     A::kDiscard},
    {S::kFailed,      E::kDirective,         S::kFetching,   A::kFetch},

    {S::kRolledBack,  E::kResumed,           S::kRolledBack, A::kRollBack},
    {S::kRolledBack,  E::kDirective,         S::kFetching,   A::kFetch},
};
// clang-format on

constexpr std::array<std::string_view, 10> kStates = {
    "idle",       "fetching", "staging",   "checking", "gated",
    "activating", "trial",    "confirmed", "failed",   "rolled_back"};
constexpr std::array<std::string_view, 13> kEvents = {
    "resumed",   "directive", "fetched",           "staged",       "check_passed", "step_failed",
    "gate_open", "activated", "activation_failed", "trial_passed", "trial_failed", "superseded",
    "called_off"};
constexpr std::array<std::string_view, 10> kActions = {"none",       "fetch",    "stage", "check",
                                                       "await_gate", "activate", "try",   "confirm",
                                                       "discard",    "roll_back"};

}  // namespace

std::span<const Row> life_table() {
  return kTable;
}

std::optional<Row> life_row(State state, Event event) {
  for (const Row& row : kTable) {
    if (row.state == state && row.event == event) return row;
  }
  return std::nullopt;
}

std::string_view state_name(State state) {
  return kStates[static_cast<std::size_t>(state)];
}
std::string_view event_name(Event event) {
  return kEvents[static_cast<std::size_t>(event)];
}
std::string_view action_name(Action action) {
  return kActions[static_cast<std::size_t>(action)];
}

std::optional<State> state_from(std::string_view name) {
  const auto* found = std::find(kStates.begin(), kStates.end(), name);
  if (found == kStates.end()) return std::nullopt;
  return static_cast<State>(found - kStates.begin());
}

bool at_rest(State state) {
  return state == S::kIdle || state == S::kConfirmed || state == S::kFailed ||
         state == S::kRolledBack;
}

bool before_switch(State state) {
  return state == S::kFetching || state == S::kStaging || state == S::kChecking ||
         state == S::kGated;
}

}  // namespace lineside::node

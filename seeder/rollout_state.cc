// SPDX-License-Identifier: Apache-2.0
// Names and counts of a rollout's state, and what people do to it.
#include <fmt/format.h>

#include <algorithm>

#include "seeder/rollout_planner.h"

namespace lineside::seeder {

std::string_view stage_name(Stage stage) {
  switch (stage) {
    case Stage::kPreparing:
      return "preparing";
    case Stage::kCanaries:
      return "canaries";
    case Stage::kSoaking:
      return "soaking";
    case Stage::kBatches:
      return "batches";
    case Stage::kDone:
      return "done";
    case Stage::kFailed:
      return "failed";
    case Stage::kAborted:
      return "aborted";
    case Stage::kSuperseded:
      return "superseded";
  }
  return "preparing";
}

std::string_view ending_name(Ending ending) {
  switch (ending) {
    case Ending::kPending:
      return "pending";
    case Ending::kConfirmed:
      return "confirmed";
    case Ending::kFailed:
      return "failed";
    case Ending::kSilent:
      return "silent";
    case Ending::kStalled:
      return "stalled";
    case Ending::kWithdrawn:
      return "withdrawn";
    case Ending::kUnfinished:
      return "unfinished";
  }
  return "pending";
}

std::string_view command_name(Command command) {
  switch (command) {
    case Command::kPause:
      return "pause";
    case Command::kResume:
      return "resume";
    case Command::kAbort:
      return "abort";
    case Command::kSupersede:
      return "supersede";
  }
  return "pause";
}

bool has_ended(Stage stage) {
  return stage >= Stage::kDone;
}

std::uint32_t RolloutState::count(Ending ending) const {
  return static_cast<std::uint32_t>(
      std::count_if(outcomes.begin(), outcomes.end(),
                    [&](const auto& item) { return item.second.ending == ending; }));
}

std::uint32_t RolloutState::failures() const {
  return count(Ending::kFailed) + count(Ending::kSilent) + count(Ending::kStalled);
}

bool RolloutState::gate_was_open() const {
  return batches_open > 1 || stage == Stage::kBatches || stage == Stage::kDone;
}

bool RolloutState::in_vain() const {
  return stage == Stage::kFailed || stage == Stage::kAborted;
}

bool RolloutState::withholds() const {
  return paused || in_vain();
}

RolloutState begin_rollout(const trust::Directive& directive) {
  RolloutState state;
  state.sequence = directive.sequence;
  for (const std::string& device : directive.devices) state.outcomes[device] = {};
  state.reason = "the gateway fetches the bundle";
  return state;
}

namespace {

Error ended_error(const RolloutState& state, Command what) {
  std::string text = fmt::format("rollout {} has ended: {}: {}", state.sequence,
                                 stage_name(state.stage), state.reason);
  if (what == Command::kResume) {
    text += fmt::format(
        "; it cannot be resumed: begin a new one with `lineside rollout start NAME/VERSION`, which "
        "becomes directive {} or later",
        state.sequence + 1);
  }
  return {Code::kConflict, text};
}

std::string_view participle(Command what) {
  switch (what) {
    case Command::kPause:
      return "paused";
    case Command::kResume:
      return "resumed";
    case Command::kAbort:
      return "aborted";
    case Command::kSupersede:
      return "superseded";
  }
  return "paused";
}

// No more news of this rollout are looked at: everybody's ending is what it is now.
void cut_off(RolloutState& state) {
  for (auto& [device, outcome] : state.outcomes) {
    if (outcome.ending != Ending::kPending) continue;
    outcome.ending = Ending::kUnfinished;
    outcome.why = state.reason;
  }
}

}  // namespace

Result<Planned> command(RolloutState state, Command what, std::string_view who, UtcTime now) {
  if (has_ended(state.stage)) {
    if (what != Command::kSupersede) return ended_error(state, what);
    cut_off(state);
    return Planned{std::move(state), {}};
  }
  if (what == Command::kPause && state.paused && state.paused_by_operator) {
    return Error{Code::kConflict, fmt::format("rollout {} is paused already", state.sequence)};
  }
  if (what == Command::kResume && !state.paused) {
    return Error{Code::kConflict, fmt::format("rollout {} is not paused", state.sequence)};
  }
  state.reason = fmt::format("{} by {} at {}", participle(what), who, format_utc(now));
  state.paused = state.paused_by_operator = what == Command::kPause;
  switch (what) {
    case Command::kPause:
      break;
    case Command::kResume:
      state.tolerated_failures = state.failures();
      state.resumed = now;
      break;
    case Command::kAbort:
      state.stage = Stage::kAborted;
      break;
    case Command::kSupersede:
      state.stage = Stage::kSuperseded;
      cut_off(state);
      break;
  }
  std::string why = state.reason;
  return Planned{std::move(state), {{std::string(command_name(what)), "", why}}};
}

}  // namespace lineside::seeder

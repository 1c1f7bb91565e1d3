// SPDX-License-Identifier: Apache-2.0
#include "seeder/rollout_planner.h"

#include <fmt/format.h>

#include <algorithm>

namespace lineside::seeder {
namespace {

class Step {
 public:
  Step(RolloutState state, const trust::Directive& directive, const Observation& seen)
      : plan_{std::move(state), {}}, directive_(directive), seen_(seen) {}

  Planned run() {
    if (has_ended(state().stage)) return std::move(plan_);
    open_canaries();
    update_outcomes();
    check_limits();
    if (!state().paused) move_on();
    return std::move(plan_);
  }

 private:
  RolloutState& state() { return plan_.state; }

  void decide(std::string kind, std::string device, std::string why) {
    plan_.decisions.push_back({std::move(kind), std::move(device), std::move(why)});
  }

  void enter(Stage stage, std::string why) {
    if (state().stage == stage) return;
    state().stage = stage;
    state().reason = why;
    decide("stage", "", fmt::format("{}: {}", stage_name(stage), why));
  }

  void pause(std::string why) {
    if (state().paused) return;
    state().paused = true;
    state().paused_by_operator = false;
    state().reason = why;
    decide("pause", "", std::move(why));
  }

  void open_batch(std::string why) {
    std::uint32_t batch = state().batches_open++;
    state().opened[batch] = seen_.now;
    decide("batch-open", "",
           fmt::format("batch {} of {}: {}", batch, directive_.batch_count() - 1, why));
  }

  void open_canaries() {
    if (state().stage != Stage::kPreparing || state().paused) return;
    if (seen_.now < directive_.not_before) {
      state().reason = "not before " + format_utc(directive_.not_before);
      return;
    }
    if (!seen_.supplied) return;
    enter(Stage::kCanaries, fmt::format("{} canaries first", directive_.canaries.size()));
    open_batch("canaries");
  }

  Ending ending_of(const std::string& device, std::string& why) const {
    auto found = seen_.devices.find(device);
    if (found != seen_.devices.end()) {
      const DeviceNews& news = found->second;
      if (news.revoked) {
        why = "revoked";
        return Ending::kWithdrawn;
      }
      if (news.directive_sequence == directive_.sequence) {
        if (news.state == "failed" || news.state == "rolled_back") {
          why = news.code + ": " + news.error;
          return Ending::kFailed;
        }
        bool rests = news.state == "confirmed" || news.state == "idle";
        if (rests && news.manifest == directive_.manifest) return Ending::kConfirmed;
      }
    }
    return is_silent(device, why) ? Ending::kSilent : Ending::kPending;
  }

  // The deadline runs from the opening of the device's batch or its last word, whichever is later.
  bool is_silent(const std::string& device, std::string& why) const {
    auto opened = plan_.state.opened.find(directive_.batch_of(device).value_or(0));
    if (opened == plan_.state.opened.end()) return false;
    UtcTime since = opened->second;
    if (auto found = seen_.devices.find(device); found != seen_.devices.end()) {
      since = std::max(since, found->second.heard);
    }
    if (seen_.now < since + directive_.device_deadline) return false;
    why = fmt::format("not heard of for {} s", directive_.device_deadline.count());
    return true;
  }

  void update_outcomes() {
    for (const std::string& device : directive_.devices) {
      std::string why;
      Ending ending = ending_of(device, why);
      DeviceOutcome& outcome = state().outcomes[device];
      if (outcome.ending == ending && outcome.why == why) continue;
      // What has ended stays ended until the device itself says otherwise: a node that goes on to
      // another task must not reopen a batch.
      if (ending == Ending::kPending && outcome.ending != Ending::kSilent) continue;
      outcome = {ending, why};
      decide("device", device,
             why.empty() ? std::string(ending_name(ending))
                         : fmt::format("{}: {}", ending_name(ending), why));
    }
  }

  void check_limits() {
    if (state().paused || state().stage == Stage::kPreparing) return;
    if (seen_.now >= directive_.expires && !all_ended(directive_.batch_count())) {
      return pause("the directive expired at " + format_utc(directive_.expires));
    }
    std::uint32_t failed = state().count(Ending::kFailed) + state().count(Ending::kSilent);
    if (failed <= state().tolerated_failures) return;
    for (const std::string& canary : directive_.canaries) {
      const DeviceOutcome& outcome = state().outcomes[canary];
      if (outcome.ending == Ending::kFailed || outcome.ending == Ending::kSilent) {
        return pause(
            fmt::format("canary {} {}: {}", canary, ending_name(outcome.ending), outcome.why));
      }
    }
    std::uint32_t executed = failed + state().count(Ending::kConfirmed);
    const trust::FailureLimit& limit = directive_.failure_limit;
    if (executed < limit.minimum_executed) return;
    if (std::uint64_t{failed} * 100 <= std::uint64_t{limit.percent} * executed) return;
    pause(
        fmt::format("{} of {} devices failed, the limit is {} %", failed, executed, limit.percent));
  }

  bool all_ended(std::uint32_t batches) {
    return std::all_of(directive_.devices.begin(), directive_.devices.end(), [&](const auto& id) {
      return directive_.batch_of(id).value_or(0) >= batches ||
             state().outcomes[id].ending != Ending::kPending;
    });
  }

  void move_on() {
    if (state().stage == Stage::kPreparing) return;
    if (state().stage == Stage::kCanaries && seen_.soaking) enter(Stage::kSoaking, seen_.gate);
    if (state().stage == Stage::kCanaries || state().stage == Stage::kSoaking) {
      bool canaries_only = directive_.batch_count() == 1;
      if (!seen_.gate_open) state().reason = seen_.gate;
      if (!seen_.gate_open || !all_ended(1)) return;
      enter(Stage::kBatches, "the gate is open: every canary attested");
      if (!canaries_only) open_batch("the gate is open");
    }
    while (state().batches_open < directive_.batch_count() && all_ended(state().batches_open)) {
      open_batch("every earlier batch has ended");
    }
    if (all_ended(directive_.batch_count())) {
      enter(Stage::kDone,
            fmt::format("{} confirmed, {} failed, {} silent, {} withdrawn",
                        state().count(Ending::kConfirmed), state().count(Ending::kFailed),
                        state().count(Ending::kSilent), state().count(Ending::kWithdrawn)));
    }
  }

  Planned plan_;
  const trust::Directive& directive_;
  const Observation& seen_;
};

}  // namespace

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
    case Ending::kWithdrawn:
      return "withdrawn";
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

RolloutState begin_rollout(const trust::Directive& directive) {
  RolloutState state;
  state.sequence = directive.sequence;
  for (const std::string& device : directive.devices) state.outcomes[device] = {};
  state.reason = "the gateway fetches the bundle";
  return state;
}

Planned advance(RolloutState state, const trust::Directive& directive, const Observation& seen) {
  return Step(std::move(state), directive, seen).run();
}

Result<Planned> command(RolloutState state, Command what, std::string_view who) {
  if (has_ended(state.stage)) {
    if (what == Command::kSupersede) return Planned{std::move(state), {}};
    return Error{Code::kConflict,
                 fmt::format("rollout {} has ended: {}", state.sequence, stage_name(state.stage))};
  }
  if (what == Command::kPause && state.paused && state.paused_by_operator) {
    return Error{Code::kConflict, fmt::format("rollout {} is paused already", state.sequence)};
  }
  if (what == Command::kResume && !state.paused) {
    return Error{Code::kConflict, fmt::format("rollout {} is not paused", state.sequence)};
  }
  std::string why = fmt::format("{} by {}", command_name(what), who);
  switch (what) {
    case Command::kPause:
      state.paused = state.paused_by_operator = true;
      break;
    case Command::kResume:
      state.paused = state.paused_by_operator = false;
      state.tolerated_failures = state.count(Ending::kFailed) + state.count(Ending::kSilent);
      break;
    case Command::kAbort:
      state.stage = Stage::kAborted;
      break;
    case Command::kSupersede:
      state.stage = Stage::kSuperseded;
      break;
  }
  state.reason = why;
  return Planned{std::move(state), {{std::string(command_name(what)), "", why}}};
}

}  // namespace lineside::seeder

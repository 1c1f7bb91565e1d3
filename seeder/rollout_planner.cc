// SPDX-License-Identifier: Apache-2.0
#include "seeder/rollout_planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace lineside::seeder {
namespace {

// How far a device has come, by its state; 0 for states that are no part of the way.
std::size_t rank(std::string_view state) {
  constexpr std::array<std::string_view, 7> kWay = {"fetching",   "staging", "checking", "gated",
                                                    "activating", "trial",   "confirmed"};
  auto found = std::find(kWay.begin(), kWay.end(), state);
  return found == kWay.end() ? 0 : static_cast<std::size_t>(found - kWay.begin()) + 1;
}

bool is_overdue(Ending ending) {
  return ending == Ending::kSilent || ending == Ending::kStalled;
}

// Bytes alone are noted only so often: each note is a write to the disk.
constexpr int kNotesInDeadline = 16;

class Step {
 public:
  Step(RolloutState state, const trust::Directive& directive, const Observation& seen)
      : plan_{std::move(state), {}}, directive_(directive), seen_(seen) {}

  Planned run() {
    open_canaries();
    update_outcomes();
    give_up_if_hopeless();
    check_limits();
    if (!state().paused) move_on();
    end_if_done();
    if (has_ended(state().stage)) settle();
    return std::move(plan_);
  }

 private:
  RolloutState& state() { return plan_.state; }
  [[nodiscard]] bool ended() const { return has_ended(plan_.state.stage); }

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
    if (!seen_.supplied || seen_.now >= directive_.expires) return;
    enter(Stage::kCanaries, fmt::format("{} canaries first", directive_.canaries.size()));
    open_batch("canaries");
  }

  // What the device last said about this directive; null if nothing.
  [[nodiscard]] const DeviceNews* news_of(const std::string& device) const {
    auto found = seen_.devices.find(device);
    if (found == seen_.devices.end()) return nullptr;
    return found->second.directive_sequence == directive_.sequence ? &found->second : nullptr;
  }

  Ending ending_of(const std::string& device, std::string& why) const {
    auto found = seen_.devices.find(device);
    if (found != seen_.devices.end() && found->second.revoked) {
      why = "revoked";
      return Ending::kWithdrawn;
    }
    if (const DeviceNews* news = news_of(device)) {
      if (news->state == "failed" || news->state == "rolled_back") {
        why = news->code + ": " + news->error;
        return Ending::kFailed;
      }
      bool rests = news->state == "confirmed" || news->state == "idle";
      if (rests && news->manifest == directive_.manifest) return Ending::kConfirmed;
    }
    return overdue(device, why);
  }

  // kSilent, kStalled or kPending, by the two deadlines.
  Ending overdue(const std::string& device, std::string& why) const {
    auto opened = plan_.state.opened.find(directive_.batch_of(device).value_or(0));
    if (opened == plan_.state.opened.end()) return Ending::kPending;
    auto known = plan_.state.outcomes.find(device);
    DeviceOutcome before = known == plan_.state.outcomes.end() ? DeviceOutcome{} : known->second;
    UtcTime since = opened->second;
    // Who is overdue has to move by itself; a resume gives only the others their time anew.
    if (!is_overdue(before.ending)) since = std::max({since, plan_.state.resumed, seen_.listening});
    UtcTime heard = since;
    if (auto found = seen_.devices.find(device); found != seen_.devices.end()) {
      heard = std::max(heard, found->second.heard);
    }
    if (seen_.now >= heard + directive_.device_deadline) {
      why = fmt::format("not heard of for {} s", directive_.device_deadline.count());
      return Ending::kSilent;
    }
    since = std::max(since, before.advanced);
    bool held = plan_.state.paused && !ended() && before.ending != Ending::kStalled;
    if (held || seen_.now < since + directive_.device_deadline) return Ending::kPending;
    const DeviceNews* news = news_of(device);
    why = fmt::format("{} for {} s without a step{}", news == nullptr ? "idle" : news->state,
                      directive_.device_deadline.count(),
                      news == nullptr || news->error.empty() ? "" : ": " + news->error);
    return Ending::kStalled;
  }

  // Reports may be doubled, late or out of order: only what goes further than ever counts.
  void note_progress(const std::string& device, DeviceOutcome& outcome) const {
    const DeviceNews* news = news_of(device);
    if (news == nullptr || news->heard < outcome.advanced) return;
    bool further = rank(news->state) > rank(outcome.furthest);
    bool due = news->heard >= outcome.advanced + directive_.device_deadline / kNotesInDeadline;
    if (!further && !(due && news->delivered > outcome.delivered)) return;
    if (further) outcome.furthest = news->state;
    outcome.delivered = std::max(outcome.delivered, news->delivered);
    outcome.advanced = news->heard;
  }

  void update_outcomes() {
    for (const std::string& device : directive_.devices) {
      DeviceOutcome& outcome = state().outcomes[device];
      note_progress(device, outcome);
      std::string why;
      Ending ending = ending_of(device, why);
      if (outcome.ending == ending && outcome.why == why) continue;
      // What has ended stays ended until the device itself says otherwise: a node that goes on to
      // another task must not reopen a batch. An ended rollout makes nobody pending again.
      bool overdue_before = outcome.ending == Ending::kSilent || outcome.ending == Ending::kStalled;
      if (ending == Ending::kPending && (ended() || !overdue_before)) continue;
      bool overdue_now = ending == Ending::kSilent || ending == Ending::kStalled;
      if (overdue_now && outcome.ending != Ending::kPending && !overdue_before) continue;
      end_device(device, outcome, ending, why);
    }
  }

  void end_device(const std::string& device, DeviceOutcome& outcome, Ending ending,
                  const std::string& why) {
    outcome.ending = ending;
    outcome.why = why;
    decide("device", device,
           why.empty() ? std::string(ending_name(ending))
                       : fmt::format("{}: {}", ending_name(ending), why));
  }

  // Why no batch can ever open again; empty while one can.
  std::string hopeless() {
    if (all_ended(directive_.batch_count()) && state().stage == Stage::kBatches) return "";
    for (const std::string& canary : directive_.canaries) {
      const DeviceOutcome& outcome = state().outcomes[canary];
      if (outcome.ending == Ending::kWithdrawn) {
        return fmt::format("canary {} was revoked: every gate is shut for good", canary);
      }
      if (outcome.ending == Ending::kFailed && state().stage < Stage::kBatches) {
        return fmt::format("canary {} failed: {}: every gate is shut for good", canary,
                           outcome.why);
      }
    }
    if (seen_.now < directive_.expires) return "";
    return "the directive expired at " + format_utc(directive_.expires);
  }

  void give_up_if_hopeless() {
    if (ended()) return;
    if (std::string why = hopeless(); !why.empty()) enter(Stage::kFailed, why);
  }

  void check_limits() {
    if (state().paused || ended() || state().stage == Stage::kPreparing) return;
    std::uint32_t failed = state().failures();
    if (failed <= state().tolerated_failures) return;
    for (const std::string& canary : directive_.canaries) {
      const DeviceOutcome& outcome = state().outcomes[canary];
      if (outcome.ending == Ending::kFailed || is_overdue(outcome.ending)) {
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

  // Every canary has ended well, but their word is missing: nobody is told to wait for ever.
  void await_gate() {
    state().reason = seen_.gate;
    if (seen_.soaking || !all_ended(1)) return;
    UtcTime since = std::max(state().resumed, seen_.listening);
    for (const auto& id : directive_.canaries) {
      since = std::max(since, state().outcomes[id].advanced);
    }
    if (seen_.now < since + directive_.device_deadline) return;
    pause(fmt::format("every canary ended {} s ago, but the gate is shut: {}",
                      directive_.device_deadline.count(), seen_.gate));
  }

  void move_on() {
    if (state().stage == Stage::kPreparing || ended()) return;
    if (state().stage == Stage::kCanaries && seen_.soaking) enter(Stage::kSoaking, seen_.gate);
    if (state().stage == Stage::kCanaries || state().stage == Stage::kSoaking) {
      bool canaries_only = directive_.batch_count() == 1;
      if (!seen_.gate_open) return await_gate();
      if (!all_ended(1)) return;
      enter(Stage::kBatches, "the gate is open: every canary attested");
      if (!canaries_only) open_batch("the gate is open");
    }
    while (state().batches_open < directive_.batch_count() && all_ended(state().batches_open)) {
      open_batch("every earlier batch has ended");
    }
  }

  // A pause has nothing left to hold once everybody has ended.
  void end_if_done() {
    if (state().stage != Stage::kBatches || !all_ended(directive_.batch_count())) return;
    enter(Stage::kDone, endings());
  }

  std::string endings() {
    std::string out;
    for (Ending ending : {Ending::kConfirmed, Ending::kFailed, Ending::kSilent, Ending::kStalled,
                          Ending::kWithdrawn}) {
      if (state().count(ending) == 0) continue;
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", state().count(ending),
                         ending_name(ending));
    }
    return out;
  }

  // The rollout has ended: what has switched goes on to its own end, the rest never will.
  void settle() {
    for (const std::string& device : directive_.devices) {
      DeviceOutcome& outcome = state().outcomes[device];
      if (outcome.ending != Ending::kPending) continue;
      const DeviceNews* news = news_of(device);
      if (news != nullptr && (news->state == "activating" || news->state == "trial")) continue;
      end_device(device, outcome, Ending::kUnfinished, state().reason);
    }
  }

  Planned plan_;
  const trust::Directive& directive_;
  const Observation& seen_;
};

}  // namespace

Planned advance(RolloutState state, const trust::Directive& directive, const Observation& seen) {
  return Step(std::move(state), directive, seen).run();
}

}  // namespace lineside::seeder

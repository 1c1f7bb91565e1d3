// SPDX-License-Identifier: Apache-2.0
// The part of Site that drives the rollout: what the planner is shown, and what it decides.
#include <fmt/format.h>

#include <algorithm>

#include "proto/base/log.h"
#include "seeder/site.h"

namespace lineside::seeder {

Result<void> Site::command(std::int64_t sequence, Command what, const Caller& caller) {
  {
    std::lock_guard lock(mutex_);
    if (!rollout_ || rollout_->sequence != sequence) {
      return Error{Code::kNotFound, fmt::format("rollout {} is not the present one", sequence)};
    }
    TRY_ASSIGN(Planned planned, seeder::command(*rollout_, what, caller.actor(), clock_.now()));
    TRY(keep_locked(planned, caller.actor()));
    plan_locked();
  }
  if (wake_) wake_();
  return ok();
}

void Site::tick() {
  std::lock_guard lock(mutex_);
  for (const NodeRow& row : node_rows(reports_, nullptr, nullptr)) note_health_locked(row);
  plan_locked();
}

void Site::bundle_news(BundleNews news) {
  std::lock_guard lock(mutex_);
  if (!directive_ || directive_->directive.manifest != news.manifest_digest) return;
  bundle_ = std::move(news);
  plan_locked();
}

trust::GateState Site::gate_locked() const {
  if (!bundle_ || !roster_ || !directive_) return {};
  return trust::evaluate_gate(*directive_, bundle_->manifest_digest, bundle_->manifest,
                              roster_->roster, attestations_, clock_.now());
}

Observation Site::observe_locked() const {
  Observation seen;
  seen.now = clock_.now();
  seen.listening = started_;
  seen.supplied = bundle_ && bundle_->offered;
  trust::GateState gate = gate_locked();
  seen.gate_open = gate.open;
  seen.soaking = !gate.open && gate.opens_at.has_value();
  seen.gate = bundle_ ? gate.describe() : "the manifest is not here yet";
  for (const auto& [device, heard] : reports_) {
    DeviceNews& news = seen.devices[device];
    news = {heard.report.state,
            heard.report.directive_sequence,
            heard.report.manifest,
            heard.report.code,
            heard.report.error,
            heard.at,
            false,
            heard.report.delivered_from_gateway + heard.carried.from_gateway +
                heard.report.delivered_from_peers + heard.carried.from_peers};
  }
  for (const std::string& id : directive_->directive.devices) {
    const trust::Device* device = roster_ ? roster_->roster.find(id) : nullptr;
    if (device == nullptr || device->revoked) seen.devices[id].revoked = true;
  }
  return seen;
}

void Site::plan_locked() {
  if (!directive_ || !rollout_) return;
  Planned planned = advance(*rollout_, directive_->directive, observe_locked());
  if (planned.decisions.empty() && planned.state == *rollout_) return;
  if (Result<void> kept = keep_locked(planned, "gateway"); !kept.ok()) {
    log(Level::kError, "rollout step not recorded, so not taken",
        {{"error", kept.error().describe()}});
  }
}

RolloutStep Site::step_of(const Planned& planned, const std::string& actor) const {
  RolloutStep step{{planned.state, directive_->directive.bundle}, {}};
  for (const Decision& decision : planned.decisions) {
    Event made = event(decision.kind, actor, decision.why);
    made.device = decision.device;
    made.sequence = planned.state.sequence;
    made.document = directive_->digest.hex();
    log(Level::kNotice, "rollout",
        {{"sequence", std::to_string(made.sequence)},
         {"decision", decision.kind},
         {"device", decision.device},
         {"why", decision.why}});
    step.events.push_back(std::move(made));
  }
  return step;
}

// The step counts only once it is on the disk.
Result<void> Site::keep_locked(const Planned& planned, const std::string& actor) {
  RolloutStep step = step_of(planned, actor);
  TRY(store_.put_rollout(step.rollout, step.events));
  rollout_ = planned.state;
  return ok();
}

std::optional<trust::VerifiedDirective> Site::to_supply() const {
  std::lock_guard lock(mutex_);
  if (rollout_ && rollout_->in_vain()) return std::nullopt;
  return directive_;
}

std::int64_t Site::ended_rollout() const {
  std::lock_guard lock(mutex_);
  return rollout_ && has_ended(rollout_->stage) ? rollout_->sequence : 0;
}

Result<std::vector<std::string>> Site::recent_bundles(std::size_t most) const {
  TRY_ASSIGN(std::vector<StoredRollout> rollouts, store_.rollouts());
  std::vector<std::string> names;
  for (auto rollout = rollouts.rbegin(); rollout != rollouts.rend(); ++rollout) {
    if (names.size() == most) break;
    if (std::find(names.begin(), names.end(), rollout->bundle) == names.end()) {
      names.push_back(rollout->bundle);
    }
  }
  return names;
}

}  // namespace lineside::seeder

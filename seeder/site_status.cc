// SPDX-License-Identifier: Apache-2.0
// The part of Site that tells people what is going on.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proto/base/log.h"
#include "seeder/site.h"

namespace lineside::seeder {
namespace {

std::string_view evidence_name(trust::Evidence evidence) {
  switch (evidence) {
    case trust::Evidence::kMissing:
      return "missing";
    case trust::Evidence::kInvalid:
      return "invalid";
    case trust::Evidence::kFailed:
      return "failed";
    case trust::Evidence::kPassed:
      return "passed";
  }
  return "missing";
}

// What is kept of a rollout that is over: its manifest need not be here any more, so its gate is
// not evaluated again. The canaries' words are verified by the present roster.
trust::GateState gate_on_record(const trust::VerifiedDirective& directive,
                                const RolloutState& state, const std::vector<Bytes>& envelopes,
                                const trust::Roster& roster) {
  trust::GateState gate;
  gate.open = state.gate_was_open();
  for (const std::string& id : directive.directive.canaries) {
    trust::CanaryEvidence canary{id, trust::Evidence::kMissing, "no valid word of it is kept", {}};
    for (const Bytes& envelope : envelopes) {
      auto verified = trust::verify_attestation(envelope, roster);
      if (!verified.ok() || verified->attestation.device != id ||
          verified->attestation.directive != directive.digest) {
        continue;
      }
      bool passed = verified->attestation.outcome == trust::Outcome::kPassed;
      canary.evidence = passed ? trust::Evidence::kPassed : trust::Evidence::kFailed;
      canary.why = passed ? "" : verified->attestation.cause;
      if (!passed) break;  // beside a PASSED it counts
    }
    gate.canaries.push_back(std::move(canary));
  }
  return gate;
}

}  // namespace

Result<Site::Heard> Site::heard(const StoredReport& stored) {
  TRY_ASSIGN(api::NodeReport report, api::parse_node_report(as_bytes(stored.json)));
  TRY_ASSIGN(Carried carried, parse_carried(as_bytes(stored.json)));
  return Heard{std::move(report), stored.heard, carried};
}

RolloutRow Site::rollout_row(const trust::VerifiedDirective& directive, const RolloutState& state,
                             const trust::GateState& gate) const {
  RolloutRow row;
  row.sequence = directive.directive.sequence;
  row.bundle = directive.directive.bundle;
  row.manifest = directive.directive.manifest;
  row.stage = stage_name(state.stage);
  row.paused = state.paused;
  row.reason = state.reason;
  row.batches_open = state.batches_open;
  row.batch_count = directive.directive.batch_count();
  for (Ending ending : {Ending::kPending, Ending::kConfirmed, Ending::kFailed, Ending::kSilent,
                        Ending::kStalled, Ending::kWithdrawn, Ending::kUnfinished}) {
    row.endings[std::string(ending_name(ending))] = state.count(ending);
  }
  row.gate_open = gate.open;
  row.gate = gate.describe();
  for (const trust::CanaryEvidence& canary : gate.canaries) {
    row.canaries.push_back(
        {canary.device, std::string(evidence_name(canary.evidence)), canary.why});
  }
  row.issued = directive.directive.issued;
  row.expires = directive.directive.expires;
  row.opens_at = gate.opens_at;
  row.soak_s = directive.directive.soak.count();
  for (const auto& [batch, at] : state.opened) row.opened[std::to_string(batch)] = at;
  if (auto opened = state.opened.find(0); opened != state.opened.end()) {
    for (const auto& [device, outcome] : state.outcomes) {
      row.seconds = std::max(row.seconds, (outcome.advanced - opened->second).count());
    }
  }
  return row;
}

NodeRow Site::node_row(const trust::Device& device, const std::map<std::string, Heard>& reports,
                       const trust::Directive* directive, const RolloutState* state) const {
  NodeRow row;
  row.device = device.id;
  row.fingerprint = device.key.fingerprint();
  row.hardware = device.hardware;
  row.groups = device.groups;
  row.canary = device.canary;
  row.revoked = device.revoked;
  if (directive != nullptr) {
    if (auto batch = directive->batch_of(device.id)) row.batch = *batch;
  }
  if (state != nullptr) {
    if (auto found = state->outcomes.find(device.id); found != state->outcomes.end()) {
      row.ending = ending_name(found->second.ending);
      row.why = found->second.why;
    }
  }
  if (auto heard = reports.find(device.id); heard != reports.end()) {
    row.heard = heard->second.at;
    row.report = with_carried(heard->second.report, heard->second.carried);
  }
  row.health = health_name(health_of(row, clock_.now(), started_));
  return row;
}

std::vector<NodeRow> Site::node_rows(const std::map<std::string, Heard>& reports,
                                     const trust::Directive* directive,
                                     const RolloutState* state) const {
  std::vector<NodeRow> rows;
  if (!roster_) return rows;
  for (const trust::Device& device : roster_->roster.devices) {
    rows.push_back(node_row(device, reports, directive, state));
  }
  return rows;
}

// The history that people look at. It is not worth refusing a report for.
void Site::keep_check_locked(const api::NodeReport& report) {
  if (!report.check || report.check->finished == UtcTime{}) return;
  auto before = reports_.find(report.device);
  bool known = before != reports_.end() && before->second.report.check &&
               before->second.report.check->finished == report.check->finished &&
               before->second.report.check->phase == report.check->phase;
  if (known) return;
  const api::CheckSummary& check = *report.check;
  std::string measured = nlohmann::json(check.measured).dump();
  Result<void> kept = store_.add_check(
      report.device, {check.finished, check.phase, check.verdict, check.cause, measured});
  if (!kept.ok()) log(Level::kError, "check not recorded", {{"error", kept.error().describe()}});
}

std::optional<trust::VerifiedRoster> Site::roster() const {
  std::lock_guard lock(mutex_);
  return roster_;
}

SiteStatus Site::status() const {
  std::lock_guard lock(mutex_);
  SiteStatus status;
  status.site = options_.name;
  if (!options_.gateway.empty()) status.fingerprint = options_.gateway.front().fingerprint();
  status.now = clock_.now();
  status.roster_version = roster_ ? roster_->roster.version : 0;
  status.newest_sequence = directive_floor_;
  status.newest_roster = roster_floor_;
  if (auto pending = store_.pending(); pending.ok()) {
    status.pending = static_cast<std::int64_t>(pending->size());
  }
  if (directive_ && rollout_) {
    status.rollout = rollout_row(*directive_, *rollout_, gate_locked());
    if (bundle_) {
      status.rollout->version = bundle_->manifest.version;
      status.rollout->tree = bundle_->manifest.tree;
    }
  }
  status.nodes = node_rows(reports_, directive_ ? &directive_->directive : nullptr,
                           rollout_ ? &*rollout_ : nullptr);
  status.health = count_health(status.nodes);
  return status;
}

// The event log has this already: a restart does not say it again.
void Site::remember_health() {
  for (const NodeRow& row : node_rows(reports_, nullptr, nullptr)) {
    health_[row.device] = health_from(row.health);
  }
}

void Site::note_health_locked(const NodeRow& row) {
  Health now = health_from(row.health);
  auto [known, is_new] = health_.try_emplace(row.device, Health::kInferring);
  std::string words = is_new && now == Health::kSilent ? "" : describe_change(known->second, row);
  known->second = now;
  if (words.empty()) return;
  bool is_own = now == Health::kNotInferring || now == Health::kDamaged;
  Event made = event(is_own ? row.health : "health", "gateway", row.device + " " + words);
  made.device = row.device;
  made.sequence = directive_ ? directive_->directive.sequence : 0;
  log(Level::kWarning, "device", {{"device", row.device}, {"health", row.health}});
  if (Result<void> added = store_.add_event(made); !added.ok()) {
    log(Level::kError, "event not recorded", {{"error", added.error().describe()}});
  }
}

Result<SiteStatus> Site::status_under(std::int64_t sequence) const {
  std::unique_lock lock(mutex_);
  if (directive_ && directive_->directive.sequence == sequence) {
    lock.unlock();
    return status();
  }
  TRY_ASSIGN(auto envelope, store_.document(DocumentKind::kDirective, sequence));
  TRY_ASSIGN(auto stored, store_.rollout(sequence));
  if (!envelope || !stored) {
    return Error{Code::kNotFound, fmt::format("there was no directive {}", sequence)};
  }
  TRY_ASSIGN(auto directive,
             trust::verify_directive(*envelope, options_.operators, options_.name, 1));
  std::map<std::string, Heard> reports;
  TRY_ASSIGN(auto rows, store_.reports_under(sequence));
  for (const StoredReport& row : rows) {
    if (Result<Heard> known = heard(row); known.ok()) reports[row.device] = *known;
  }
  SiteStatus status;
  status.site = options_.name;
  status.now = clock_.now();
  status.roster_version = roster_ ? roster_->roster.version : 0;
  TRY_ASSIGN(auto envelopes, store_.attestations(directive.digest));
  trust::GateState gate = gate_on_record(directive, stored->state, envelopes,
                                         roster_ ? roster_->roster : trust::Roster{});
  status.rollout = rollout_row(directive, stored->state, gate);
  status.nodes = node_rows(reports, &directive.directive, &stored->state);
  status.health = count_health(status.nodes);
  return status;
}

}  // namespace lineside::seeder

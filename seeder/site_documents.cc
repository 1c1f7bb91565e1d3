// SPDX-License-Identifier: Apache-2.0
// The part of Site that takes signed documents: rosters, directives, attestations.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "seeder/site.h"

namespace lineside::seeder {
namespace {

// A canary makes one for a directive; more only if it was set up anew meanwhile.
constexpr std::size_t kMaxAttestations = 4;

}  // namespace

Result<void> Site::post_roster(BytesView envelope, const Caller& caller) {
  std::lock_guard lock(mutex_);
  TRY_ASSIGN(trust::VerifiedRoster roster,
             trust::verify_roster(envelope, options_.operators, options_.name, roster_floor_ + 1));
  bool ours = std::any_of(options_.gateway.begin(), options_.gateway.end(),
                          [&](const auto& key) { return roster.roster.is_gateway(key); });
  Event made = event(
      "roster", caller.actor(),
      fmt::format("roster {} with {} devices{}", roster.roster.version,
                  roster.roster.devices.size(), ours ? "" : "; this gateway's key is NOT in it"));
  made.document = roster.digest.hex();
  TRY(store_.add_document(DocumentKind::kRoster, roster.roster.version, roster.digest, envelope,
                          made));
  roster_floor_ = roster.roster.version;
  roster_ = std::move(roster);
  for (const trust::Device& device : roster_->roster.devices) {
    TRY(store_.remove_pending(device.key.spki()));
  }
  return ok();
}

Result<void> Site::check_devices(const trust::Directive& directive) const {
  if (!roster_) return Error{Code::kConflict, "there is no roster yet"};
  std::set<std::string> covered;
  for (const std::string& id : directive.devices) {
    const trust::Device* device = roster_->roster.find(id);
    if (device == nullptr || device->revoked) {
      return Error{Code::kConflict, id + " is not in the roster"};
    }
    if (!directive.is_canary(id)) continue;
    if (!device->canary) return Error{Code::kConflict, id + " is no canary in the roster"};
    covered.insert(device->hardware.begin(), device->hardware.end());
  }
  for (const std::string& id : directive.devices) {
    for (const std::string& hardware : roster_->roster.find(id)->hardware) {
      if (covered.contains(hardware)) continue;
      return Error{Code::kConflict,
                   fmt::format("no canary covers hardware class {} of {}: its gate "
                               "would stay shut",
                               hardware, id)};
    }
  }
  return ok();
}

// All of it is on the disk or nothing: a rollout is not superseded by a directive that is lost.
Result<void> Site::begin_locked(trust::VerifiedDirective fresh, const std::string& actor) {
  const trust::Directive& directive = fresh.directive;
  std::optional<RolloutStep> ended;
  if (rollout_) {
    std::string by = fmt::format("directive {}", directive.sequence);
    TRY_ASSIGN(Planned planned, seeder::command(*rollout_, Command::kSupersede, by, clock_.now()));
    ended = step_of(planned, actor);
  }
  Event made = event(
      "directive", actor,
      fmt::format("directive {}: {} on {} devices, canaries {}", directive.sequence,
                  directive.bundle, directive.devices.size(), fmt::join(directive.canaries, ", ")));
  made.sequence = directive.sequence;
  made.document = fresh.digest.hex();
  RolloutState begun = begin_rollout(directive);
  TRY(store_.add_directive(fresh.digest, fresh.envelope, made, {begun, directive.bundle}, ended));
  directive_floor_ = directive.sequence;
  rollout_ = std::move(begun);
  directive_ = std::move(fresh);
  attestations_.clear();
  bundle_.reset();
  carriers_.clear();
  return ok();
}

Result<void> Site::post_directive(BytesView envelope, const Caller& caller, IfRunning running) {
  {
    std::lock_guard lock(mutex_);
    TRY_ASSIGN(auto fresh, trust::verify_directive(envelope, options_.operators, options_.name,
                                                   directive_floor_ + 1));
    if (clock_.now() >= fresh.directive.expires) {
      return Error{Code::kExpired, "directive: expired at " + format_utc(fresh.directive.expires)};
    }
    TRY(check_devices(fresh.directive));
    if (running == IfRunning::kRefuse && rollout_ && !has_ended(rollout_->stage)) {
      return Error{Code::kConflict,
                   fmt::format("rollout {} of {} is still running: wait for its end, abort it, or "
                               "give --replace to end it as superseded",
                               rollout_->sequence, directive_->directive.bundle)};
    }
    TRY(begin_locked(std::move(fresh), caller.actor()));
  }
  if (wake_) wake_();
  return ok();
}

// False if it is held already: nodes post again after a restart.
Result<bool> Site::is_news(const trust::VerifiedAttestation& fresh) const {
  const trust::Attestation& said = fresh.attestation;
  if (!directive_) return Error{Code::kConflict, "attestation: there is no directive here"};
  std::int64_t present = directive_->directive.sequence;
  if (said.directive != directive_->digest) {
    return Error{Code::kConflict, fmt::format("attestation: about directive {}, but {} is present",
                                              said.directive_sequence, present)};
  }
  if (!directive_->directive.is_canary(said.device)) {
    return Error{Code::kConflict,
                 fmt::format("attestation: {} is no canary of directive {}", said.device, present)};
  }
  std::size_t held = 0;
  for (const Bytes& envelope : attestations_) {
    auto other = trust::verify_attestation(envelope, roster_->roster);
    if (!other.ok() || other->attestation.device != said.device) continue;
    if (other->digest == fresh.digest) return false;
    ++held;
  }
  if (held < kMaxAttestations) return true;
  return Error{Code::kTooLarge, fmt::format("attestation: {} made {} for directive {} already",
                                            said.device, held, present)};
}

namespace {

// "directive 17" and its digest, or "roster 4" and its.
Result<std::pair<std::string, Digest>> number_of(BytesView envelope, const SiteOptions& options) {
  auto directive = trust::verify_directive(envelope, options.operators, options.name, 1);
  if (directive.ok()) {
    return std::pair("directive " + std::to_string(directive->directive.sequence),
                     directive->digest);
  }
  TRY_ASSIGN(auto roster, trust::verify_roster(envelope, options.operators, options.name, 1));
  return std::pair("roster " + std::to_string(roster.roster.version), roster.digest);
}

}  // namespace

Result<bool> Site::post_evidence(const std::vector<Bytes>& envelopes, const Caller& caller,
                                 const std::function<Result<void>()>& keep) {
  if (envelopes.size() != 2) return Error{Code::kMismatch, "evidence is two documents"};
  TRY_ASSIGN(auto one, number_of(envelopes[0], options_));
  TRY_ASSIGN(auto other, number_of(envelopes[1], options_));
  if (one.first != other.first || one.second == other.second) {
    return Error{Code::kMismatch, "the two documents do not contradict each other"};
  }
  std::lock_guard lock(mutex_);
  if (alarms_.contains(one.first)) return false;
  TRY(keep());
  Event made = event("alarm", caller.actor(),
                     "two documents are signed as " + one.first +
                         ": somebody holds the operators' keys; both are in the folder evidence");
  made.device = caller.name;
  made.document = one.second.hex();
  TRY(store_.add_event(made));
  alarms_.insert(one.first);
  return true;
}

Result<void> Site::post_attestation(BytesView envelope, const Caller& caller) {
  std::lock_guard lock(mutex_);
  if (!roster_) return Error{Code::kUnknownKey, "there is no roster yet"};
  TRY_ASSIGN(auto verified, trust::verify_attestation(envelope, roster_->roster));
  const trust::Attestation& said = verified.attestation;
  if (said.device != caller.name) {
    return Error{Code::kWrongDevice, "attestation of " + said.device + " from " + caller.name};
  }
  TRY_ASSIGN(bool news, is_news(verified));
  if (!news) return ok();
  Event made = event("attestation", said.device,
                     said.outcome == trust::Outcome::kPassed ? "PASSED on " + said.bundle
                                                             : "FAILED: " + said.cause);
  made.device = said.device;
  made.sequence = said.directive_sequence;
  made.document = verified.digest.hex();
  TRY_ASSIGN(bool added, store_.add_attestation(verified.digest, said.directive, envelope, made));
  if (added) {
    attestations_.push_back(std::move(verified.envelope));
    plan_locked();
  }
  return ok();
}

}  // namespace lineside::seeder

// SPDX-License-Identifier: Apache-2.0
#include "node/decide.h"

#include <algorithm>

#include "proto/trust/gate.h"

namespace lineside::node {
namespace {

bool member(const Knowledge& known) {
  if (known.roster == nullptr) return false;
  const trust::Device* own = known.roster->find(known.device);
  return own != nullptr && !own->revoked;
}

// The gate asks for a canary of every class that the roster knows of. Of a device that takes itself
// for another class it would prove nothing.
std::string hardware_dispute(const Knowledge& known) {
  std::vector<std::string> own = known.hardware;
  std::vector<std::string> listed = known.roster->find(known.device)->hardware;
  std::sort(own.begin(), own.end());
  std::sort(listed.begin(), listed.end());
  if (own == listed) return {};
  std::string why = "the roster has this device as";
  for (const std::string& name : listed) why += " " + name;
  why += ", its configuration says";
  for (const std::string& name : own) why += " " + name;
  return why;
}

bool named_as_canary(const Knowledge& known) {
  return known.directive->directive.is_canary(known.device) && member(known) &&
         known.roster->find(known.device)->canary;
}

// When no gateway says whose turn it is. Empty if it is this batch's.
std::string turn_shut(const Knowledge& known, std::uint32_t batch, const trust::GateState& gate) {
  const trust::Directive& directive = known.directive->directive;
  const UtcTime turn = *gate.opens_at + (std::max(batch, 1U) - 1) * directive.device_deadline;
  if (known.now >= turn) return {};
  return "without a gateway the turn of the batch comes at " + format_utc(turn);
}

}  // namespace

std::optional<Error> stopped(const Knowledge& known) {
  if (!known.alarm.empty()) return Error{Code::kConflict, known.alarm};
  if (known.time_missing) {
    return Error{Code::kExpired, "this device has no time: its clock is behind " +
                                     format_utc(known.now) + ", which was signed; set it"};
  }
  if (known.reply != nullptr && known.reply->paused) {
    return Error{Code::kGateShut, "the site is paused"};
  }
  const bool was_paused = known.reply == nullptr && known.directive != nullptr &&
                          known.life.paused_sequence == known.directive->directive.sequence;
  if (!was_paused) return std::nullopt;
  return Error{Code::kGateShut, "the site was paused when its gateway was last heard"};
}

std::optional<Error> held_back(const Knowledge& known) {
  if (auto why = stopped(known)) return why;
  if (known.reply != nullptr || known.alone) return std::nullopt;
  return Error{Code::kGateShut, "no word from the gateway"};
}

bool may_begin(const Knowledge& known) {
  if (known.directive == nullptr || held_back(known) || !member(known)) return false;
  const trust::Directive& directive = known.directive->directive;
  return at_rest(known.life.state) && directive.sequence > known.life.sequence &&
         directive.batch_of(known.device) && trust::verify_current(directive, known.now).ok();
}

std::optional<Error> not_in_its_time(const Knowledge& known) {
  if (known.directive == nullptr || !at_rest(known.life.state)) return std::nullopt;
  const trust::Directive& directive = known.directive->directive;
  if (directive.sequence <= known.life.sequence || !directive.batch_of(known.device)) {
    return std::nullopt;
  }
  auto current = trust::verify_current(directive, known.now);
  if (current.ok()) return std::nullopt;
  return current.error().with("this device's clock says " + format_utc(known.now));
}

std::optional<Error> not_begun(const Knowledge& known) {
  if (known.directive == nullptr || !member(known)) return std::nullopt;
  const trust::Directive& directive = known.directive->directive;
  if (directive.sequence <= known.life.sequence || !directive.batch_of(known.device)) {
    return std::nullopt;
  }
  return held_back(known);
}

std::optional<Error> run_out(const Knowledge& known) {
  if (known.directive == nullptr || !before_switch(known.life.state)) return std::nullopt;
  if (known.directive->digest != known.life.directive) return std::nullopt;
  if (known.now < known.directive->directive.expires) return std::nullopt;
  auto current = trust::verify_current(known.directive->directive, known.now);
  return current.error().with("this device's clock says " + format_utc(known.now));
}

std::optional<Event> cut_short(const Knowledge& known) {
  if (!before_switch(known.life.state)) return std::nullopt;
  if (known.directive != nullptr && known.directive->directive.sequence > known.life.sequence) {
    return Event::kSuperseded;
  }
  bool called_off = known.reply != nullptr && known.reply->called_off &&
                    known.reply->directive_sequence == known.life.sequence;
  return called_off ? std::optional(Event::kCalledOff) : std::nullopt;
}

std::string gate_shut(const Knowledge& known, const trust::Manifest& manifest,
                      const std::vector<Bytes>& attestations) {
  if (known.directive == nullptr || known.directive->digest != known.life.directive) {
    return "the directive is gone";
  }
  if (!member(known)) return "the roster does not name this device";
  if (!known.life.target) return "there is no target";
  std::string dispute = hardware_dispute(known);
  if (!dispute.empty()) return dispute;
  const trust::Directive& directive = known.directive->directive;
  auto current = trust::verify_current(directive, known.now);
  if (!current.ok()) return current.error().what;
  if (auto held = held_back(known)) return held->what;
  auto batch = directive.batch_of(known.device);
  if (!batch || (known.reply != nullptr && *batch >= known.reply->batches_open)) {
    return "waiting for the turn of the batch";
  }
  if (named_as_canary(known)) return {};
  trust::GateState gate = trust::evaluate_gate(*known.directive, known.life.target->manifest,
                                               manifest, *known.roster, attestations, known.now);
  if (!gate.open) return gate.describe();
  return known.reply != nullptr ? "" : turn_shut(known, *batch, gate);
}

std::optional<trust::Outcome> attestation_due(const Knowledge& known) {
  const Life& life = known.life;
  if (known.directive == nullptr || known.directive->digest != life.directive) return std::nullopt;
  if (life.attested_sequence >= life.sequence || !life.target) return std::nullopt;
  if (!named_as_canary(known)) return std::nullopt;
  if (life.state == State::kConfirmed) {
    return life.inferring ? std::optional(trust::Outcome::kPassed) : std::nullopt;
  }
  bool judged =
      life.code == code_name(Code::kCheckFailed) || life.code == code_name(Code::kMismatch);
  if (life.state == State::kRolledBack && judged) return trust::Outcome::kFailed;
  if (life.state == State::kFailed && life.code == code_name(Code::kCheckFailed)) {
    return trust::Outcome::kFailed;
  }
  return std::nullopt;
}

trust::Attestation make_attestation(const Knowledge& known, const trust::Manifest& manifest,
                                    trust::Outcome outcome) {
  const Life& life = known.life;
  const trust::Device* own = known.roster->find(known.device);
  trust::Attestation said;
  said.bundle = manifest.target_name();
  said.manifest = life.target->manifest;
  said.check = manifest.check;
  said.golden = manifest.golden;
  said.directive = life.directive;
  said.outcome = outcome;
  said.passed_tests = life.passed_tests;
  said.failed_tests = life.failed_tests;
  said.device = known.device;
  said.hardware = own->hardware;
  said.directive_sequence = life.sequence;
  said.finished = known.now;
  said.started = std::min(life.check_started, known.now);
  said.counter = life.attestation_counter + 1;
  said.tree = life.read_back.value_or(Digest{});
  said.inferences = life.inferences;
  if (outcome != trust::Outcome::kPassed) said.cause = life.error;
  said.measured = life.measured;
  return said;
}

}  // namespace lineside::node

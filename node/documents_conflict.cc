// SPDX-License-Identifier: Apache-2.0
// Two signed documents of one number: the alarm, and its evidence.
#include <nlohmann/json.hpp>

#include "node/documents.h"
#include "proto/api/gossip.h"
#include "proto/base/log.h"

namespace lineside::node {
namespace {

constexpr const char* kConflictFile = "documents/conflict.json";
constexpr std::uint64_t kMaxConflictBytes = 16 << 20;

const char* kind_name(Conflict::Kind kind) {
  return kind == Conflict::Kind::kRoster ? "rosters of version " : "directives of sequence ";
}

}  // namespace

std::string Conflict::describe() const {
  return std::string("two ") + kind_name(kind) + std::to_string(number) +
         " are signed: whoever did it holds the operators' keys; nothing goes on before a higher "
         "number is signed";
}

Documents::Numbered Documents::numbered(const trust::VerifiedRoster& roster) {
  return {Conflict::Kind::kRoster, {roster.roster.version, roster.digest}, roster.envelope};
}

Documents::Numbered Documents::numbered(const trust::VerifiedDirective& directive) {
  return {Conflict::Kind::kDirective,
          {directive.directive.sequence, directive.digest},
          directive.envelope};
}

DocumentFloor Documents::floor_of(Conflict::Kind kind) const {
  const Life life = ledger_->life();
  return kind == Conflict::Kind::kRoster ? life.roster_floor : life.directive_floor;
}

// `held`: the envelope of the floor's number, if it is still there.
Result<void> Documents::check_number(const Numbered& next, const Bytes* held) {
  if (conflict_ && conflict_->kind == next.kind && next.number.number <= conflict_->number) {
    return Error{Code::kConflict, conflict_->describe()};
  }
  const DocumentFloor floor = floor_of(next.kind);
  if (next.number.number != floor.number || next.number.digest == floor.digest) return ok();
  Conflict conflict{next.kind, next.number.number, {}};
  if (held != nullptr) conflict.envelopes.push_back(*held);
  conflict.envelopes.push_back(next.envelope);
  TRY(raise_alarm(std::move(conflict)));
  return Error{Code::kConflict, conflict_->describe()};
}

Result<void> Documents::raise_alarm(Conflict conflict) {
  const bool known = conflict_ && conflict_->kind == conflict.kind &&
                     conflict_->number == conflict.number &&
                     conflict_->envelopes.size() >= conflict.envelopes.size();
  if (known) return ok();
  conflict_ = std::move(conflict);
  return disk_.replace(state_ / kConflictFile,
                       to_bytes(api::envelopes_json(conflict_->envelopes).dump()));
}

void Documents::end_alarm(Conflict::Kind kind, std::int64_t number) {
  if (!conflict_ || conflict_->kind != kind || number <= conflict_->number) return;
  log(Level::kNotice, "alarm over: the operators signed a higher number",
      {{"number", std::to_string(number)}});
  conflict_.reset();
  if (auto gone = disk_.remove(state_ / kConflictFile); !gone.ok()) {
    log(Level::kInfo, "old evidence stays", {{"why", gone.error().describe()}});
  }
}

// What the envelopes prove by the operators of now. One alone proves it beside the floor.
Result<Conflict> Documents::conflict_of(const std::vector<Bytes>& envelopes) const {
  if (envelopes.empty() || envelopes.size() > 2) {
    return Error{Code::kMismatch, "evidence is two documents"};
  }
  std::optional<Conflict> found;
  Digest first;
  for (const Bytes& envelope : envelopes) {
    Conflict::Kind kind = Conflict::Kind::kDirective;
    DocumentFloor number;
    if (auto directive = trust::verify_directive(envelope, operators_, anchors_.site, 1);
        directive.ok()) {
      number = numbered(*directive).number;
    } else {
      TRY_ASSIGN(auto roster, trust::verify_roster(envelope, operators_, anchors_.site, 1));
      kind = Conflict::Kind::kRoster;
      number = numbered(roster).number;
    }
    if (found &&
        (found->kind != kind || found->number != number.number || first == number.digest)) {
      return Error{Code::kMismatch, "the two documents do not contradict each other"};
    }
    first = number.digest;
    found = Conflict{kind, number.number, envelopes};
  }
  const DocumentFloor floor = floor_of(found->kind);
  if (found->number < floor.number) {
    return Error{Code::kRollback, "the evidence is about a number that was overtaken"};
  }
  if (envelopes.size() == 1 && (found->number != floor.number || first == floor.digest)) {
    return Error{Code::kMismatch, "one document alone proves nothing"};
  }
  return *found;
}

Result<void> Documents::take_evidence(const std::vector<Bytes>& envelopes) {
  if (envelopes.size() != 2) return Error{Code::kMismatch, "evidence is two documents"};
  TRY_ASSIGN(Conflict conflict, conflict_of(envelopes));
  return raise_alarm(std::move(conflict));
}

// What was stored, or what is held under other operators than before.
void Documents::load_conflict() {
  auto stored = disk_.read(state_ / kConflictFile, kMaxConflictBytes);
  if (!stored.ok()) return;
  auto envelopes = api::parse_envelopes(*stored, kMaxConflictBytes, 2);
  auto conflict = envelopes.ok() ? conflict_of(*envelopes) : Result<Conflict>(envelopes.error());
  conflict_.reset();
  if (conflict.ok()) {
    conflict_ = std::move(*conflict);
    return;
  }
  log(Level::kNotice, "alarm over", {{"why", conflict.error().describe()}});
  if (auto gone = disk_.remove(state_ / kConflictFile); !gone.ok()) {
    log(Level::kInfo, "old evidence stays", {{"why", gone.error().describe()}});
  }
}

}  // namespace lineside::node

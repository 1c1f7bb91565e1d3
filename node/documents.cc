// SPDX-License-Identifier: Apache-2.0
#include "node/documents.h"

#include <algorithm>
#include <set>
#include <utility>

#include "node/time_floor.h"
#include "proto/base/log.h"
#include "proto/trust/tuf/updater.h"

namespace lineside::node {
namespace {

constexpr std::uint64_t kMaxRootBytes = 1 << 20;
constexpr const char* kRosterFile = "documents/roster.dsse";
constexpr const char* kDirectiveFile = "documents/directive.dsse";

// The stored file is the one that set the floor, and today's operators did not sign it.
bool unsigned_now(const Error& error, BytesView stored, const DocumentFloor& floor) {
  return error.code == Code::kBadSignature && sha256(stored) == floor.envelope;
}

Result<void> check_second(const char* what, const DocumentFloor& next, const DocumentFloor& floor) {
  if (next.number != floor.number || next.digest == floor.digest) return ok();
  return Error{Code::kRollback, std::string("a second ") + what + std::to_string(next.number)};
}

// Whether the same keys decide: their order says nothing.
bool same(const trust::Authority& one, const trust::Authority& other) {
  auto ids = [](const trust::Authority& authority) {
    std::set<std::string> found;
    for (const trust::PublicKey& key : authority.keys) found.insert(key.keyid());
    return found;
  };
  return one.threshold == other.threshold && ids(one) == ids(other);
}

// For reading what the disk holds: there is nothing to fetch.
class NoFetcher final : public trust::Fetcher {
 public:
  [[nodiscard]] Result<Bytes> fetch(std::string_view path, std::uint64_t) override {
    return Error{Code::kNotFound, std::string(path)};
  }
};

}  // namespace

Documents::Documents(Disk& disk, Path state, TrustAnchors anchors)
    : disk_(disk), state_(std::move(state)), anchors_(std::move(anchors)) {}

Result<void> Documents::anchor(const Path& dir, const Path& root) {
  TRY_ASSIGN(auto known, disk_.stat(dir / "root.json"));
  if (known) return ok();
  auto bytes = disk_.read(root, kMaxRootBytes);
  if (!bytes.ok()) return bytes.error().with("trust anchor");
  TRY(disk_.make_dirs(dir));
  auto done = trust::Updater::init(disk_, dir, *bytes);
  if (!done.ok()) return done.error().with(root.string());
  return ok();
}

Result<void> Documents::load_operators(UtcTime now) {
  NoFetcher nowhere;
  trust::Updater updater(disk_, state_ / "trust" / "site", nowhere, now);
  TRY(updater.load());
  TRY_ASSIGN(operators_, updater.authority("targets"));
  return ok();
}

Result<void> Documents::load(Ledger& ledger, UtcTime now) {
  ledger_ = &ledger;
  TRY(disk_.make_dirs(state_ / "documents"));
  TRY(anchor(state_ / "trust" / "site", anchors_.site_root));
  TRY(anchor(state_ / "trust" / "vendor", anchors_.vendor_root));
  TRY(load_operators(now));
  TRY(load_roster());
  return load_directive();
}

// A stored document that no longer verifies under the operators takes its floor with it; any other
// leaves it.
Result<void> Documents::load_roster() {
  auto stored = disk_.read(state_ / kRosterFile, trust::kMaxEnvelopeBytes);
  if (!stored.ok()) return ok();
  const DocumentFloor floor = ledger_->life().roster_floor;
  auto verified = trust::verify_roster(*stored, operators_, anchors_.site, floor.number);
  if (verified.ok()) return hold(std::move(*verified));
  log(Level::kWarning, "stored roster dropped", {{"why", verified.error().describe()}});
  return unsigned_now(verified.error(), *stored, floor) ? forget_roster() : ok();
}

Result<void> Documents::load_directive() {
  auto stored = disk_.read(state_ / kDirectiveFile, trust::kMaxEnvelopeBytes);
  if (!stored.ok()) return ok();
  const DocumentFloor floor = ledger_->life().directive_floor;
  auto verified = trust::verify_directive(*stored, operators_, anchors_.site, floor.number);
  if (verified.ok()) return hold(std::move(*verified));
  log(Level::kWarning, "stored directive dropped", {{"why", verified.error().describe()}});
  return unsigned_now(verified.error(), *stored, floor) ? forget_directive() : ok();
}

Result<void> Documents::refresh_site(trust::Fetcher& site_metadata, UtcTime now) {
  trust::Updater updater(disk_, state_ / "trust" / "site", site_metadata, now);
  TRY(updater.load());
  auto refreshed = updater.refresh_root();
  // Versions that were accepted on the way count, whatever came after them.
  auto operators = updater.authority("targets");
  if (operators.ok() && !same(*operators, operators_)) {
    log(Level::kNotice, "the site has other operators", {});
    TRY(verify_again(*operators));
    operators_ = std::move(*operators);
  }
  return refreshed;
}

Result<void> Documents::verify_again(const trust::Authority& operators) {
  if (roster_) {
    auto verified = trust::verify_roster(roster_->envelope, operators, anchors_.site, 1);
    if (!verified.ok()) {
      log(Level::kWarning, "roster dropped", {{"why", verified.error().describe()}});
      TRY(forget_roster());
    }
  }
  if (!directive_) return ok();
  auto verified = trust::verify_directive(directive_->envelope, operators, anchors_.site, 1);
  if (verified.ok()) return ok();
  log(Level::kWarning, "directive dropped", {{"why", verified.error().describe()}});
  return forget_directive();
}

Result<void> Documents::forget_roster() {
  TRY(ledger_->change([](Life& life) { life.roster_floor = {}; }));
  roster_.reset();
  return ok();
}

Result<void> Documents::forget_directive() {
  // They are named by sequence, and the numbers may come again.
  TRY(disk_.remove_tree(state_ / "documents" / "attestations"));
  TRY(ledger_->change([](Life& life) {
    if (life.directive == life.directive_floor.digest) life.sequence = 0;
    life.attested_sequence = 0;
    life.directive_floor = {};
  }));
  directive_.reset();
  return ok();
}

Result<void> Documents::hold(trust::VerifiedRoster verified) {
  const DocumentFloor floor = ledger_->life().roster_floor;
  const DocumentFloor next{verified.roster.version, verified.digest, sha256(verified.envelope)};
  TRY(check_second("roster of version ", next, floor));
  if (next != floor) TRY(ledger_->change([&next](Life& life) { life.roster_floor = next; }));
  roster_ = std::move(verified);
  return ok();
}

Result<void> Documents::hold(trust::VerifiedDirective verified) {
  const DocumentFloor floor = ledger_->life().directive_floor;
  const DocumentFloor next{verified.directive.sequence, verified.digest, sha256(verified.envelope)};
  TRY(check_second("directive of sequence ", next, floor));
  if (next != floor) TRY(ledger_->change([&next](Life& life) { life.directive_floor = next; }));
  directive_ = std::move(verified);
  return ok();
}

Result<void> Documents::take_roster(BytesView envelope) {
  const DocumentFloor floor = ledger_->life().roster_floor;
  TRY_ASSIGN(auto verified,
             trust::verify_roster(envelope, operators_, anchors_.site, floor.number));
  if (roster_ && verified.digest == roster_->digest) return ok();
  TRY(check_second("roster of version ", {verified.roster.version, verified.digest, {}}, floor));
  TRY(disk_.replace(state_ / kRosterFile, verified.envelope));
  return hold(std::move(verified));
}

Result<void> Documents::take_directive(BytesView envelope) {
  const DocumentFloor floor = ledger_->life().directive_floor;
  TRY_ASSIGN(auto verified,
             trust::verify_directive(envelope, operators_, anchors_.site, floor.number));
  if (directive_ && verified.digest == directive_->digest) return ok();
  TRY(check_second("directive of sequence ", {verified.directive.sequence, verified.digest, {}},
                   floor));
  TRY(disk_.replace(state_ / kDirectiveFile, verified.envelope));
  return hold(std::move(verified));
}

UtcTime Documents::time_floor(UtcTime floor, UtcTime clock) const {
  if (roster_) floor = raise_floor(floor, clock, roster_->roster.issued);
  if (directive_ && directive_->directive.issued < directive_->directive.expires) {
    floor = raise_floor(floor, clock, directive_->directive.issued);
  }
  return std::max(floor, kBuildTime);
}

}  // namespace lineside::node

// SPDX-License-Identifier: Apache-2.0
#include "node/documents.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "node/kept_roots.h"
#include "node/time_floor.h"
#include "proto/base/log.h"
#include "proto/trust/tuf/updater.h"

namespace lineside::node {
namespace {

constexpr std::uint64_t kMaxRootBytes = 1 << 20;
constexpr const char* kRosterFile = "documents/roster.dsse";
constexpr const char* kDirectiveFile = "documents/directive.dsse";

std::vector<std::string> ids_of(const trust::Authority& authority) {
  std::set<std::string> found;  // the order of keys says nothing
  for (const trust::PublicKey& key : authority.keys) found.insert(key.keyid());
  return {found.begin(), found.end()};
}

bool share_a_key(const std::vector<std::string>& one, const std::vector<std::string>& other) {
  return std::any_of(one.begin(), one.end(), [&other](const std::string& id) {
    return std::binary_search(other.begin(), other.end(), id);
  });
}

// Whether the same keys decide.
bool same(const trust::Authority& one, const trust::Authority& other) {
  return one.threshold == other.threshold && ids_of(one) == ids_of(other);
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

// The file of commissioning may go once it was taken over; another in its place is a mistake that
// would show itself only as signatures that do not hold.
Result<void> Documents::anchor(const char* key, const Path& root, const Path& dir,
                               const char* way_out) {
  auto bytes = disk_.read(root, kMaxRootBytes);
  if (!bytes.ok()) {
    TRY_ASSIGN(auto known, disk_.stat(dir / "root.json"));
    if (known && bytes.error().code == Code::kNotFound) return ok();
    return bytes.error().with("trust anchor");
  }
  auto done = trust::Updater::anchor(disk_, dir, *bytes);
  if (done.ok()) return ok();
  if (done.error().code != Code::kMismatch) return done.error().with(root.string());
  return Error{Code::kUsage, std::string(key) + " = \"" + root.string() +
                                 "\" is not the root that this device began with: " +
                                 done.error().what + "; give it that one again, or " + way_out +
                                 " in " + state_.string() + " and start anew"};
}

Result<void> Documents::load_operators(UtcTime now) {
  NoFetcher nowhere;
  trust::Updater updater(disk_, state_ / "trust" / "site", nowhere, now);
  TRY(updater.load());
  TRY_ASSIGN(operators_, updater.authority("targets"));
  site_root_version_ = updater.version("root");
  return ok();
}

Result<void> Documents::load(Ledger& ledger, UtcTime now) {
  ledger_ = &ledger;
  TRY(disk_.make_dirs(state_ / "documents"));
  TRY(anchor("site.root", anchors_.site_root, state_ / "trust" / "site",
             "to make it another site's, remove trust/site and documents"));
  TRY(anchor("vendor.root", anchors_.vendor_root, state_ / "trust" / "vendor",
             "to have it follow another vendor, remove trust/vendor"));
  TRY(load_operators(now));
  TRY(count_for(operators_));
  TRY(load_roster());
  TRY(load_directive());
  load_conflict();
  return ok();
}

// Whose numbers the floors are. Of operators without a key of those before, nothing was held yet.
Result<void> Documents::count_for(const trust::Authority& operators) {
  const Life life = ledger_->life();
  std::vector<std::string> ids = ids_of(operators);
  if (life.operators == ids) return ok();
  const bool anew = !life.operators.empty() && !share_a_key(life.operators, ids);
  // Attestations are named by sequence, and the numbers may come again.
  if (anew) TRY(disk_.remove_tree(state_ / "documents" / "attestations"));
  return ledger_->change([&](Life& edit) {
    edit.operators = ids;
    if (!anew) return;
    edit.roster_floor = {};
    edit.directive_floor = {};
    edit.sequence = 0;
    edit.attested_sequence = 0;
  });
}

Result<void> Documents::load_roster() {
  auto stored = disk_.read(state_ / kRosterFile, trust::kMaxEnvelopeBytes);
  if (!stored.ok()) return ok();
  const DocumentFloor floor = ledger_->life().roster_floor;
  auto verified = trust::verify_roster(*stored, operators_, anchors_.site, floor.number);
  if (verified.ok()) {
    auto first = check_number(numbered(*verified), nullptr);
    if (first.ok()) return hold(std::move(*verified));
    verified = first.error();
  }
  log(Level::kWarning, "stored roster dropped", {{"why", verified.error().describe()}});
  return ok();
}

Result<void> Documents::load_directive() {
  auto stored = disk_.read(state_ / kDirectiveFile, trust::kMaxEnvelopeBytes);
  if (!stored.ok()) return ok();
  const DocumentFloor floor = ledger_->life().directive_floor;
  auto verified = trust::verify_directive(*stored, operators_, anchors_.site, floor.number);
  if (verified.ok()) {
    auto first = check_number(numbered(*verified), nullptr);
    if (first.ok()) return hold(std::move(*verified));
    verified = first.error();
  }
  log(Level::kWarning, "stored directive dropped", {{"why", verified.error().describe()}});
  return ok();
}

Result<void> Documents::refresh_site(trust::Fetcher& site_metadata, UtcTime now) {
  const Path folder = state_ / "trust" / "site";
  KeptRoots kept(disk_, folder, site_metadata);
  trust::Updater updater(disk_, folder, kept, now);
  TRY(updater.load());
  auto refreshed = updater.refresh_root();
  // Versions that were accepted on the way count, whatever came after them.
  auto operators = updater.authority("targets");
  if (operators.ok() && !same(*operators, operators_)) {
    log(Level::kNotice, "the site has other operators", {});
    TRY(count_for(*operators));
    verify_again(*operators);
    operators_ = std::move(*operators);
    load_conflict();
  }
  site_root_version_ = updater.version("root");
  return refreshed;
}

void Documents::verify_again(const trust::Authority& operators) {
  if (roster_) {
    auto verified = trust::verify_roster(roster_->envelope, operators, anchors_.site, 1);
    if (!verified.ok()) {
      log(Level::kWarning, "roster dropped", {{"why", verified.error().describe()}});
      roster_.reset();
    }
  }
  if (!directive_) return;
  auto verified = trust::verify_directive(directive_->envelope, operators, anchors_.site, 1);
  if (verified.ok()) return;
  log(Level::kWarning, "directive dropped", {{"why", verified.error().describe()}});
  directive_.reset();
}

Result<void> Documents::hold(trust::VerifiedRoster verified) {
  const DocumentFloor floor = ledger_->life().roster_floor;
  const DocumentFloor next{verified.roster.version, verified.digest};
  if (next != floor) TRY(ledger_->change([&next](Life& life) { life.roster_floor = next; }));
  roster_ = std::move(verified);
  end_alarm(Conflict::Kind::kRoster, next.number);
  return ok();
}

Result<void> Documents::hold(trust::VerifiedDirective verified) {
  const DocumentFloor floor = ledger_->life().directive_floor;
  const DocumentFloor next{verified.directive.sequence, verified.digest};
  if (next != floor) TRY(ledger_->change([&next](Life& life) { life.directive_floor = next; }));
  directive_ = std::move(verified);
  end_alarm(Conflict::Kind::kDirective, next.number);
  return ok();
}

Result<void> Documents::take_roster(BytesView envelope) {
  const DocumentFloor floor = ledger_->life().roster_floor;
  TRY_ASSIGN(auto verified,
             trust::verify_roster(envelope, operators_, anchors_.site, floor.number));
  if (roster_ && verified.digest == roster_->digest) return ok();
  TRY(check_number(numbered(verified), roster_ ? &roster_->envelope : nullptr));
  TRY(disk_.replace(state_ / kRosterFile, verified.envelope));
  return hold(std::move(verified));
}

Result<void> Documents::take_directive(BytesView envelope) {
  const DocumentFloor floor = ledger_->life().directive_floor;
  TRY_ASSIGN(auto verified,
             trust::verify_directive(envelope, operators_, anchors_.site, floor.number));
  if (directive_ && verified.digest == directive_->digest) return ok();
  TRY(check_number(numbered(verified), directive_ ? &directive_->envelope : nullptr));
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

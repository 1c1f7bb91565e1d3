// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/tuf/trusted_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "proto/trust/tuf/verify.h"

namespace lineside::trust::tuf {
namespace {

Bytes copy(BytesView bytes) {
  return {bytes.begin(), bytes.end()};
}

Result<void> check_version(const Envelope& file, std::int64_t expected, std::string_view role) {
  if (file.version == expected) return ok();
  Code code = file.version < expected ? Code::kRollback : Code::kMismatch;
  return Error{code,
               fmt::format("{}: version {} where {} is expected", role, file.version, expected)};
}

Error rollback(std::string_view what, std::int64_t version, std::int64_t trusted) {
  return {Code::kRollback,
          fmt::format("{}: version {} is older than the trusted {}", what, version, trusted)};
}

}  // namespace

// --- root

Result<TrustedSet> TrustedSet::start(BytesView bytes, UtcTime now) {
  TRY_ASSIGN(Root root, parse_root(bytes));
  TrustedSet set(Held<Root>{std::move(root), copy(bytes)}, now);
  TRY(set.verify_by_root(set.root_.file, "root"));
  return set;
}

Result<void> TrustedSet::update_root(BytesView bytes) {
  TRY_ASSIGN(Root next, parse_root(bytes));
  TRY(verify_by_root(next, "root"));
  TRY(verify_signatures(next.keys, next.roles.at("root"), next, "root by its own keys"));
  TRY(check_version(next, root_.file.version + 1, "root"));
  root_ = Held<Root>{std::move(next), copy(bytes)};
  return ok();
}

Result<void> TrustedSet::check_root_expiry() const {
  return check_expiry(root_.file, "root");
}

bool TrustedSet::rotates(const Root& before, const Root& after) {
  for (std::string_view role : {"timestamp", "snapshot"}) {
    RoleKeyIds old_keys = before.roles.find(role)->second;
    RoleKeyIds new_keys = after.roles.find(role)->second;
    std::sort(old_keys.keyids.begin(), old_keys.keyids.end());
    std::sort(new_keys.keyids.begin(), new_keys.keyids.end());
    if (old_keys != new_keys) return true;
  }
  return false;
}

void TrustedSet::forget_below_root() {
  timestamp_.reset();
  snapshot_.reset();
  targets_.clear();
}

// --- shared checks

Result<void> TrustedSet::verify_by_root(const Envelope& file, std::string_view role) const {
  return verify_signatures(root_.file.keys, root_.file.roles.find(role)->second, file, role);
}

Result<void> TrustedSet::verify_by_delegator(const Envelope& file, const RolePath& path) const {
  if (path.size() == 1) return verify_by_root(file, "targets");
  const Held<Targets>* delegator = targets(RolePath(path.begin(), path.end() - 1));
  if (delegator == nullptr) return Error{Code::kConflict, path.back() + ": no trusted delegator"};
  for (const DelegatedRole& child : delegator->file.roles) {
    if (child.name != path.back()) continue;
    return verify_signatures(delegator->file.keys, child.keyids, file, child.name);
  }
  return Error{Code::kConflict, path.back() + ": nobody delegates to it"};
}

Result<void> TrustedSet::check_expiry(const Envelope& file, std::string_view role) const {
  if (file.expires > now_) return ok();
  return Error{Code::kExpired, fmt::format("{}: version {} expired on {}", role, file.version,
                                           format_utc(file.expires))};
}

Result<MetaFile> TrustedSet::meta_of(std::string_view role) const {
  if (!snapshot_) return Error{Code::kConflict, "no trusted snapshot"};
  auto found = snapshot_->file.meta.find(std::string(role) + ".json");
  if (found != snapshot_->file.meta.end()) return found->second;
  return Error{Code::kNotFound, fmt::format("{}: the snapshot does not list it", role)};
}

const Held<Targets>* TrustedSet::targets(const RolePath& path) const {
  auto found = targets_.find(path);
  return found == targets_.end() ? nullptr : &found->second;
}

// --- timestamp

Result<void> TrustedSet::restore_timestamp(BytesView bytes) {
  TRY_ASSIGN(Timestamp stored, parse_timestamp(bytes));
  TRY(verify_by_root(stored, "timestamp"));
  timestamp_ = Held<Timestamp>{std::move(stored), copy(bytes)};
  return ok();
}

Result<bool> TrustedSet::update_timestamp(BytesView bytes) {
  TRY_ASSIGN(Timestamp next, parse_timestamp(bytes));
  TRY(verify_by_root(next, "timestamp"));
  if (timestamp_) {
    const Timestamp& trusted = timestamp_->file;
    if (next.version < trusted.version) {
      return rollback("timestamp", next.version, trusted.version);  // 5.4.3.1
    }
    if (next.version == trusted.version) {
      TRY(check_expiry(trusted, "timestamp"));
      return false;
    }
    if (next.snapshot.version < trusted.snapshot.version) {  // 5.4.3.2
      return rollback("timestamp: snapshot", next.snapshot.version, trusted.snapshot.version);
    }
  }
  TRY(check_expiry(next, "timestamp"));
  timestamp_ = Held<Timestamp>{std::move(next), copy(bytes)};
  return true;
}

// --- snapshot

Result<void> TrustedSet::restore_snapshot(BytesView bytes) {
  TRY_ASSIGN(Snapshot stored, parse_snapshot(bytes));
  TRY(verify_by_root(stored, "snapshot"));
  snapshot_ = Held<Snapshot>{std::move(stored), copy(bytes)};
  return ok();
}

// 5.5.5, for every entry: to look at targets.json alone was CVE-2025-2887.
Result<void> TrustedSet::check_snapshot_rollback(const Snapshot& next) const {
  if (!snapshot_) return ok();
  for (const auto& [name, trusted] : snapshot_->file.meta) {
    auto found = next.meta.find(name);
    if (found == next.meta.end()) {
      return Error{Code::kRollback, fmt::format("snapshot: {} is no longer listed", name)};
    }
    if (found->second.version < trusted.version) {
      return rollback("snapshot: " + name, found->second.version, trusted.version);
    }
  }
  return ok();
}

Result<void> TrustedSet::update_snapshot(BytesView bytes) {
  if (!timestamp_) return Error{Code::kConflict, "no trusted timestamp"};
  const MetaFile& meta = timestamp_->file.snapshot;
  TRY(verify_meta(meta, bytes, "snapshot"));
  TRY_ASSIGN(Snapshot next, parse_snapshot(bytes));
  TRY(verify_by_root(next, "snapshot"));
  TRY(check_version(next, meta.version, "snapshot"));
  TRY(check_snapshot_rollback(next));
  TRY(check_expiry(next, "snapshot"));
  snapshot_ = Held<Snapshot>{std::move(next), copy(bytes)};
  return ok();
}

Result<void> TrustedSet::check_snapshot() const {
  if (!timestamp_ || !snapshot_) return Error{Code::kConflict, "no trusted snapshot"};
  TRY(check_expiry(timestamp_->file, "timestamp"));
  TRY(verify_meta(timestamp_->file.snapshot, snapshot_->bytes, "snapshot"));
  TRY(check_version(snapshot_->file, timestamp_->file.snapshot.version, "snapshot"));
  return check_expiry(snapshot_->file, "snapshot");
}

// --- targets

Result<Targets> TrustedSet::verified_targets(const RolePath& path, BytesView bytes) const {
  const std::string& role = path.back();
  TRY_ASSIGN(MetaFile meta, meta_of(role));
  TRY(verify_meta(meta, bytes, role));
  TRY_ASSIGN(Targets next, parse_targets(bytes, role));
  TRY(verify_by_delegator(next, path));
  TRY(check_version(next, meta.version, role));
  return next;
}

Result<void> TrustedSet::restore_targets(BytesView bytes) {
  TRY_ASSIGN(Targets stored, verified_targets({"targets"}, bytes));
  targets_.clear();
  targets_.emplace(RolePath{"targets"}, Held<Targets>{std::move(stored), copy(bytes)});
  return ok();
}

Result<void> TrustedSet::update_targets(const RolePath& path, BytesView bytes) {
  TRY(check_snapshot());
  TRY_ASSIGN(Targets next, verified_targets(path, bytes));
  TRY(check_expiry(next, path.back()));
  if (path.size() == 1) targets_.clear();  // and what the old one delegated to
  targets_.insert_or_assign(path, Held<Targets>{std::move(next), copy(bytes)});
  return ok();
}

Result<void> TrustedSet::check_targets() const {
  TRY(check_snapshot());
  const Held<Targets>* held = targets({"targets"});
  if (held == nullptr) return Error{Code::kConflict, "no trusted targets"};
  TRY_ASSIGN(MetaFile meta, meta_of("targets"));
  TRY(verify_meta(meta, held->bytes, "targets"));
  TRY(check_version(held->file, meta.version, "targets"));
  return check_expiry(held->file, "targets");
}

}  // namespace lineside::trust::tuf

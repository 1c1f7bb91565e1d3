// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/tuf/updater.h"

#include <algorithm>
#include <utility>

#include "proto/trust/tuf/delegation.h"
#include "proto/trust/tuf/metadata.h"
#include "proto/trust/tuf/names.h"
#include "proto/trust/tuf/root_chain.h"
#include "proto/trust/tuf/target_hash.h"
#include "proto/trust/tuf/trusted_set.h"
#include "proto/trust/tuf/verify.h"

namespace lineside::trust {

using tuf::Held;
using tuf::MetaFile;
using tuf::Targets;
using tuf::TrustedSet;

namespace {

constexpr int kMaxRootRotations = 256;  // 5.3.3 to 5.3.9: in one refresh

constexpr const char* kAnchorFile = "anchor.root";  // no role's file: those end in .json

// The same file, or the one is signed by the keys of the other, which is older.
bool related(BytesView one, BytesView other) {
  if (std::equal(one.begin(), one.end(), other.begin(), other.end())) return true;
  auto first = tuf::parse_root(one);
  auto second = tuf::parse_root(other);
  if (!first.ok() || !second.ok() || first->version == second->version) return false;
  const bool in_order = first->version < second->version;
  const tuf::Root& older = in_order ? *first : *second;
  const tuf::Root& newer = in_order ? *second : *first;
  return tuf::verify_signatures(older.keys, older.roles.at("root"), newer, "root").ok();
}

// A listed length is the bound of what is read (5.5.1, 5.6.1).
std::uint64_t read_bound(const MetaFile& meta, std::uint64_t otherwise) {
  return meta.length ? std::min(*meta.length, otherwise) : otherwise;
}

}  // namespace

std::optional<Digest> TargetInfo::sha256() const {
  auto found = hashes.find("sha256");
  if (found == hashes.end()) return std::nullopt;
  auto digest = Digest::parse(found->second);
  return digest.ok() ? std::optional(*digest) : std::nullopt;
}

struct Updater::State {
  Disk& disk;
  Path dir;
  Fetcher& fetcher;
  UtcTime now;
  std::optional<TrustedSet> set;

  [[nodiscard]] Path path_of(std::string_view role) const { return dir / tuf::role_file(role); }

  Result<Bytes> stored(std::string_view role, std::uint64_t max_bytes) const {
    return disk.read(path_of(role), max_bytes);
  }
  Result<void> store(std::string_view role, BytesView bytes) {
    return disk.replace(path_of(role), bytes);
  }

  // "VERSION.ROLE.json" with consistent snapshots, else "ROLE.json".
  Result<Bytes> fetch(std::string_view role, std::int64_t version, std::uint64_t max_bytes) {
    std::string name = tuf::role_file(role);
    if (set->root().file.consistent_snapshot) name = std::to_string(version) + "." + name;
    return fetch_file(name, max_bytes);
  }
  // Whatever a fetcher hands over is bounded here, too.
  Result<Bytes> fetch_file(const std::string& name, std::uint64_t max_bytes) {
    auto bytes = fetcher.fetch(name, max_bytes);
    if (!bytes.ok()) return bytes.error().with(name);
    if (bytes->size() > max_bytes) {
      return Error{Code::kTooLarge, name + ": more than " + std::to_string(max_bytes) + " bytes"};
    }
    return bytes;
  }

  void restore();
  Result<void> forget_rotated();
  Result<bool> next_root();
  Result<void> update_timestamp();
  Result<void> update_snapshot();
  Result<void> update_targets(const tuf::RolePath& path);
};

// What no longer verifies is passed over: it will be fetched again.
void Updater::State::restore() {
  set->forget_below_root();
  auto timestamp = stored("timestamp", tuf::kMaxTimestampBytes);
  if (timestamp.ok()) (void)set->restore_timestamp(*timestamp).ok();
  auto snapshot = stored("snapshot", tuf::kMaxSnapshotBytes);
  if (snapshot.ok()) (void)set->restore_snapshot(*snapshot).ok();
  auto targets = stored("targets", tuf::kMaxTargetsBytes);
  if (targets.ok()) (void)set->restore_targets(*targets).ok();
}

// 5.3.11: recovery from a fast-forward attack. What the old keys signed no longer counts, be it
// ever so new.
Result<void> Updater::State::forget_rotated() {
  set->forget_below_root();
  TRY(disk.remove(path_of("timestamp")));
  return disk.remove(path_of("snapshot"));
}

// One turn of the loop 5.3.2 to 5.3.9. False: there is no newer root.
Result<bool> Updater::State::next_root() {
  tuf::Root before = set->root().file;
  std::string name = std::to_string(before.version + 1) + ".root.json";
  auto bytes = fetch_file(name, tuf::kMaxRootBytes);
  if (!bytes.ok() && bytes.error().code == Code::kNotFound) return false;
  if (!bytes.ok()) return bytes.error();
  TRY(set->update_root(*bytes));
  TRY(store("root", *bytes));  // 5.3.8: each one, so that the next run begins here
  if (TrustedSet::rotates(before, set->root().file)) TRY(forget_rotated());
  return true;
}

Result<void> Updater::State::update_timestamp() {
  TRY_ASSIGN(Bytes bytes, fetch_file("timestamp.json", tuf::kMaxTimestampBytes));
  TRY_ASSIGN(bool is_new, set->update_timestamp(bytes));
  return is_new ? store("timestamp", bytes) : ok();
}

Result<void> Updater::State::update_snapshot() {
  if (set->check_snapshot().ok()) return ok();
  MetaFile meta = set->timestamp()->file.snapshot;
  TRY_ASSIGN(Bytes bytes,
             fetch("snapshot", meta.version, read_bound(meta, tuf::kMaxSnapshotBytes)));
  TRY(set->update_snapshot(bytes));
  return store("snapshot", bytes);
}

Result<void> Updater::State::update_targets(const tuf::RolePath& path) {
  const std::string& role = path.back();
  auto kept = stored(role, tuf::kMaxTargetsBytes);
  if (kept.ok() && set->update_targets(path, *kept).ok()) return ok();
  TRY_ASSIGN(MetaFile meta, set->meta_of(role));
  TRY_ASSIGN(Bytes bytes, fetch(role, meta.version, read_bound(meta, tuf::kMaxTargetsBytes)));
  TRY(set->update_targets(path, bytes));
  return store(role, bytes);
}

Updater::Updater(Disk& disk, Path metadata_dir, Fetcher& metadata, UtcTime now)
    : state_(std::make_unique<State>(
          State{disk, std::move(metadata_dir), metadata, now, std::nullopt})) {}
Updater::~Updater() = default;

Result<void> Updater::init(Disk& disk, const Path& metadata_dir, BytesView root) {
  // The time does not matter: commissioning with an expired root is in order (5.3 finds the newer).
  auto set = TrustedSet::start(root, UtcTime{});
  if (!set.ok()) return set.error();
  TRY(disk.make_dirs(metadata_dir));
  Path file = metadata_dir / tuf::role_file("root");
  auto present = disk.read(file, tuf::kMaxRootBytes);
  if (present.ok() && std::equal(present->begin(), present->end(), root.begin(), root.end())) {
    return ok();
  }
  if (present.ok() || present.error().code != Code::kNotFound) {
    return Error{Code::kExists, file.string() + ": another root is trusted already"};
  }
  return disk.replace(file, root);
}

Result<void> Updater::anchor(Disk& disk, const Path& metadata_dir, BytesView root) {
  auto given = TrustedSet::start(root, UtcTime{});
  if (!given.ok()) return given.error();
  const Path first = metadata_dir / kAnchorFile;
  auto present = disk.read(metadata_dir / tuf::role_file("root"), tuf::kMaxRootBytes);
  if (!present.ok() && present.error().code == Code::kNotFound) {
    TRY(disk.make_dirs(metadata_dir));
    TRY(disk.replace(first, root));
    return init(disk, metadata_dir, root);
  }
  if (!present.ok()) return present.error();
  auto begun = disk.read(first, tuf::kMaxRootBytes);
  for (const auto& known : {present, begun}) {
    if (known.ok() && related(root, *known)) return ok();
  }
  return Error{Code::kMismatch, "version " + std::to_string(given->root().file.version) +
                                    " is not of the chain of the root that was begun with"};
}

Result<void> Updater::load() {
  TRY_ASSIGN(Bytes root, state_->stored("root", tuf::kMaxRootBytes));
  TRY_ASSIGN(state_->set, TrustedSet::start(root, state_->now));
  state_->restore();
  return ok();
}

Result<void> Updater::refresh_root() {
  if (!state_->set) return Error{Code::kConflict, "no root is loaded"};
  bool changed = false;
  for (int i = 0; i < kMaxRootRotations; ++i) {
    TRY_ASSIGN(bool more, state_->next_root());
    if (!more) break;
    changed = true;
  }
  if (changed) state_->restore();  // by the keys of the new root
  return state_->set->check_root_expiry();
}

Result<void> Updater::refresh() {
  TRY(refresh_root());
  TRY(state_->update_timestamp());
  TRY(state_->update_snapshot());
  return state_->update_targets({"targets"});
}

Result<std::optional<TargetInfo>> Updater::find(std::string_view target) {
  if (!state_->set) return Error{Code::kConflict, "no root is loaded"};
  TRY(state_->set->check_targets());
  tuf::DelegationWalk walk;
  tuf::RolePath path{"targets"};
  while (true) {
    const Held<Targets>* held = state_->set->targets(path);
    if (held == nullptr) {
      TRY(state_->update_targets(path));
      held = state_->set->targets(path);
    }
    auto found = held->file.targets.find(target);
    if (found != held->file.targets.end()) return std::optional(found->second);
    walk.descend(path, held->file, target);
    auto next = walk.next();
    if (!next) return std::optional<TargetInfo>();
    path = std::move(*next);
  }
}

std::vector<TargetInfo> Updater::targets() const {
  std::vector<TargetInfo> out;
  const Held<Targets>* held = state_->set ? state_->set->targets({"targets"}) : nullptr;
  if (held == nullptr) return out;
  for (const auto& [name, info] : held->file.targets) out.push_back(info);
  return out;
}

Result<void> verify_target(const TargetInfo& target, BytesView content) {
  if (content.size() != target.length) {
    return Error{Code::kMismatch, target.name + ": " + std::to_string(content.size()) +
                                      " bytes, the signed length is " +
                                      std::to_string(target.length)};
  }
  auto matches = tuf::verify_hashes(target.hashes, content);
  return matches.ok() ? ok() : matches.error().with(target.name);
}

Result<Bytes> Updater::download(const TargetInfo& target, Fetcher& base) const {
  bool prefixed = state_->set && state_->set->root().file.consistent_snapshot;
  auto path = tuf::served_path(target, prefixed);
  if (!path.ok()) return path.error().with(target.name);
  auto bytes = base.fetch(*path, target.length);
  if (!bytes.ok()) return bytes.error().with(target.name);
  TRY(verify_target(target, *bytes));
  return bytes;
}

std::string Updater::repository_name(const TargetInfo& target) const {
  bool prefixed = state_->set && state_->set->root().file.consistent_snapshot;
  auto name = tuf::served_name(target, prefixed);
  return name.ok() ? *name : target.name;
}

Result<Authority> Updater::authority(std::string_view role) const {
  if (!state_->set) return Error{Code::kConflict, "no root is loaded"};
  return tuf::authority_of(state_->set->root().file, role);
}

namespace {

// Calls `use` with the held file of a top-level role; false if it is not held.
template <class Use>
bool with_role(const std::optional<TrustedSet>& set, std::string_view role, Use use) {
  if (!set) return false;
  if (role == "root") return use(set->root().file, set->root().bytes), true;
  if (role == "timestamp" && set->timestamp()) {
    return use(set->timestamp()->file, set->timestamp()->bytes), true;
  }
  if (role == "snapshot" && set->snapshot()) {
    return use(set->snapshot()->file, set->snapshot()->bytes), true;
  }
  const Held<Targets>* held = role == "targets" ? set->targets({"targets"}) : nullptr;
  return held != nullptr ? (use(held->file, held->bytes), true) : false;
}

}  // namespace

std::int64_t Updater::version(std::string_view role) const {
  std::int64_t out = 0;
  with_role(state_->set, role,
            [&](const tuf::Envelope& file, const Bytes&) { out = file.version; });
  return out;
}

std::optional<UtcTime> Updater::expires(std::string_view role) const {
  std::optional<UtcTime> out;
  with_role(state_->set, role,
            [&](const tuf::Envelope& file, const Bytes&) { out = file.expires; });
  return out;
}

Result<Bytes> Updater::bytes(std::string_view role) const {
  Bytes out;
  if (with_role(state_->set, role, [&](const tuf::Envelope&, const Bytes& held) { out = held; })) {
    return out;
  }
  return Error{Code::kNotFound, std::string(role) + ": not loaded"};
}

}  // namespace lineside::trust

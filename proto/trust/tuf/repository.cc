// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/tuf/repository.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "proto/trust/json.h"
#include "proto/trust/tuf/metadata.h"
#include "proto/trust/tuf/names.h"
#include "proto/trust/tuf/repository_format.h"
#include "proto/trust/tuf/trusted_set.h"
#include "proto/trust/tuf/verify.h"

namespace lineside::trust {
namespace {

using nlohmann::json;
using Keys = std::vector<const PrivateKey*>;

template <class T>
struct Published {
  T file;
  Bytes bytes;
};

// The newest state that clients can see.
struct Newest {
  Published<tuf::Root> root;
  Published<tuf::Timestamp> timestamp;
  Published<tuf::Snapshot> snapshot;
  Published<tuf::Targets> targets;
};

// New files; what has none stays as it is.
struct Update {
  std::optional<Bytes> targets;
  std::int64_t targets_version = 0;
  std::optional<Bytes> snapshot;
  std::int64_t snapshot_version = 0;
  Bytes timestamp;
};

class Files {
 public:
  Files(Disk& disk, const Path& dir) : disk_(disk), dir_(dir) {}

  [[nodiscard]] Path metadata(std::string_view role, std::int64_t version = 0) const {
    std::string prefix = version > 0 ? std::to_string(version) + "." : "";
    return dir_ / "metadata" / (prefix + std::string(role) + ".json");
  }
  [[nodiscard]] Path staged() const { return dir_ / "metadata" / "staged" / "targets.json"; }

  // Highest N of N.root.json; 0 if there is none.
  [[nodiscard]] Result<std::int64_t> newest_root() const;
  [[nodiscard]] Result<Published<tuf::Root>> root() const;
  [[nodiscard]] Result<Newest> newest() const;
  Result<void> write_target(const NewTarget& target);
  // In the order in which a reader may meet them (6): what names a file comes after it.
  Result<void> write(const Update& update);

 private:
  Disk& disk_;
  Path dir_;
};

Result<std::int64_t> Files::newest_root() const {
  std::int64_t newest = 0;
  while (true) {
    TRY_ASSIGN(auto info, disk_.stat(metadata("root", newest + 1)));
    if (!info) return newest;
    ++newest;
  }
}

Result<Published<tuf::Root>> Files::root() const {
  TRY_ASSIGN(std::int64_t version, newest_root());
  if (version == 0) return Error{Code::kNotFound, dir_.string() + ": no repository here"};
  Published<tuf::Root> out;
  TRY_ASSIGN(out.bytes, disk_.read(metadata("root", version), tuf::kMaxRootBytes));
  TRY_ASSIGN(out.file, tuf::parse_root(out.bytes));
  return out;
}

Result<Newest> Files::newest() const {
  Newest out;
  TRY_ASSIGN(out.root, root());
  TRY_ASSIGN(out.timestamp.bytes, disk_.read(metadata("timestamp"), tuf::kMaxTimestampBytes));
  TRY_ASSIGN(out.timestamp.file, tuf::parse_timestamp(out.timestamp.bytes));
  std::int64_t version = out.timestamp.file.snapshot.version;
  TRY_ASSIGN(out.snapshot.bytes, disk_.read(metadata("snapshot", version), tuf::kMaxSnapshotBytes));
  TRY_ASSIGN(out.snapshot.file, tuf::parse_snapshot(out.snapshot.bytes));
  auto meta = out.snapshot.file.meta.find("targets.json");
  if (meta == out.snapshot.file.meta.end()) {
    return Error{Code::kMalformed, "snapshot: targets.json is not listed"};
  }
  version = meta->second.version;
  TRY_ASSIGN(out.targets.bytes, disk_.read(metadata("targets", version), tuf::kMaxTargetsBytes));
  TRY_ASSIGN(out.targets.file, tuf::parse_targets(out.targets.bytes));
  return out;
}

Result<void> Files::write_target(const NewTarget& target) {
  TargetInfo info{target.name, target.content.size(), {{"sha256", sha256(target.content).hex()}}};
  TRY_ASSIGN(std::string name, tuf::served_name(info, true));
  Path file = dir_ / "targets" / Path(name);
  TRY(disk_.make_dirs(file.parent_path()));
  return disk_.replace(file, target.content);
}

Result<void> Files::write(const Update& update) {
  if (update.targets) {
    TRY(disk_.replace(metadata("targets", update.targets_version), *update.targets));
  }
  if (update.snapshot) {
    TRY(disk_.replace(metadata("snapshot", update.snapshot_version), *update.snapshot));
  }
  return disk_.replace(metadata("timestamp"), update.timestamp);
}

// Printable ASCII only: other names have more than one canonical form among the tools in use.
Result<void> check_name(const std::string& name) {
  bool plain = std::all_of(name.begin(), name.end(),
                           [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\'; });
  if (plain && tuf::check_parts(name).ok()) return ok();
  return Error{Code::kMalformed, fmt::format("target name \"{}\": expected printable ASCII in "
                                             "parts between single slashes",
                                             name)};
}

Result<json> signed_part(BytesView bytes) {
  JsonLimits limits;
  limits.max_bytes = tuf::kMaxTargetsBytes;
  TRY_ASSIGN(json tree, parse_json(bytes, "targets", limits));
  return tree.at("signed");
}

// The next "signed" of targets with the new names in it; nullopt if all are there already.
Result<std::optional<json>> extend_targets(const Published<tuf::Targets>& present,
                                           const std::vector<NewTarget>& added, UtcTime expires) {
  TRY_ASSIGN(json content, signed_part(present.bytes));
  json& list = content.at("targets");
  bool changed = false;
  for (const NewTarget& target : added) {
    TRY(check_name(target.name));
    json facts = tuf::facts_of(target.content);
    auto old = list.find(target.name);
    if (old != list.end() && (*old)["hashes"] == facts["hashes"]) continue;
    if (old != list.end()) {
      return Error{Code::kExists, target.name + ": published already with other content"};
    }
    list[target.name] = std::move(facts);
    changed = true;
  }
  if (!changed) return std::optional<json>();
  content["version"] = present.file.version + 1;
  content["expires"] = format_utc(expires);
  return std::optional(std::move(content));
}

json snapshot_content(const tuf::Snapshot* present, BytesView targets, std::int64_t targets_version,
                      std::int64_t version, UtcTime expires) {
  json content = tuf::new_signed("snapshot", version, expires);
  content["meta"] = json::object();
  if (present != nullptr) {
    for (const auto& [name, meta] : present->meta) {
      content["meta"][name] = {{"version", meta.version}};
      if (meta.length) content["meta"][name]["length"] = *meta.length;
      if (!meta.hashes.empty()) content["meta"][name]["hashes"] = meta.hashes;
    }
  }
  content["meta"]["targets.json"] = tuf::meta_of(targets, targets_version);
  return content;
}

Result<Bytes> new_timestamp(const tuf::Root& root, std::int64_t version, BytesView snapshot,
                            std::int64_t snapshot_version, UtcTime expires, const Keys& keys) {
  json content = tuf::new_signed("timestamp", version, expires);
  content["meta"]["snapshot.json"] = tuf::meta_of(snapshot, snapshot_version);
  return tuf::sign_role(content, root, "timestamp", keys);
}

// Everything after a new targets file.
Result<Update> follow_targets(const Newest& newest, Bytes targets, std::int64_t version,
                              const Keys& keys, const Lifetimes& lifetimes, UtcTime now) {
  Update update;
  update.targets_version = version;
  update.snapshot_version = newest.snapshot.file.version + 1;
  const tuf::Root& root = newest.root.file;
  json snapshot = snapshot_content(&newest.snapshot.file, targets, version, update.snapshot_version,
                                   now + lifetimes.snapshot);
  TRY_ASSIGN(update.snapshot, tuf::sign_role(snapshot, root, "snapshot", keys));
  TRY_ASSIGN(update.timestamp,
             new_timestamp(root, newest.timestamp.file.version + 1, *update.snapshot,
                           update.snapshot_version, now + lifetimes.timestamp, keys));
  update.targets = std::move(targets);
  return update;
}

// Must this file be signed anew?
bool is_due(const tuf::Root& root, std::string_view role, const tuf::Envelope& file, UtcTime by) {
  return file.expires <= by ||
         !tuf::verify_signatures(root.keys, root.roles.find(role)->second, file, role).ok();
}

}  // namespace

Repository::Repository(Disk& disk, Path dir) : disk_(disk), dir_(std::move(dir)) {}

Result<void> Repository::create(BytesView root_bytes, const Keys& keys, const Lifetimes& lifetimes,
                                UtcTime now) {
  auto set = tuf::TrustedSet::start(root_bytes, now);
  if (!set.ok()) return set.error();
  const tuf::Root& root = set->root().file;
  if (root.version != 1 || !root.consistent_snapshot) {
    return Error{Code::kUsage, "a repository begins with root version 1 and consistent snapshots"};
  }
  Files files(disk_, dir_);
  TRY_ASSIGN(auto present, disk_.stat(files.metadata("timestamp")));
  if (present) return Error{Code::kExists, dir_.string() + ": there is a repository already"};

  Update update;
  update.targets_version = update.snapshot_version = 1;
  json targets = tuf::new_signed("targets", 1, now + lifetimes.targets);
  targets["targets"] = json::object();
  TRY_ASSIGN(update.targets, tuf::sign_role(targets, root, "targets", keys));
  json snapshot = snapshot_content(nullptr, *update.targets, 1, 1, now + lifetimes.snapshot);
  TRY_ASSIGN(update.snapshot, tuf::sign_role(snapshot, root, "snapshot", keys));
  TRY_ASSIGN(update.timestamp,
             new_timestamp(root, 1, *update.snapshot, 1, now + lifetimes.timestamp, keys));
  TRY(disk_.make_dirs(dir_ / "metadata"));
  TRY(disk_.make_dirs(dir_ / "targets"));
  TRY(disk_.replace(files.metadata("root", 1), root_bytes));
  return files.write(update);
}

Result<void> Repository::publish(const std::vector<NewTarget>& targets, const Keys& keys,
                                 const Lifetimes& lifetimes, UtcTime now) {
  Files files(disk_, dir_);
  TRY_ASSIGN(Newest newest, files.newest());
  TRY_ASSIGN(auto content, extend_targets(newest.targets, targets, now + lifetimes.targets));
  if (!content) {  // nothing to do, but not for everybody
    TRY_ASSIGN(json present, signed_part(newest.targets.bytes));
    auto allowed = tuf::sign_role(present, newest.root.file, "targets", keys);
    return allowed.ok() ? ok() : Result<void>(allowed.error());
  }
  TRY_ASSIGN(Bytes bytes, tuf::sign_role(*content, newest.root.file, "targets", keys));
  std::int64_t version = newest.targets.file.version + 1;
  TRY_ASSIGN(Update update,
             follow_targets(newest, std::move(bytes), version, keys, lifetimes, now));
  for (const NewTarget& target : targets) TRY(files.write_target(target));
  return files.write(update);
}

Result<void> Repository::stage(const std::vector<NewTarget>& targets, const Keys& keys,
                               const Lifetimes& lifetimes, UtcTime now) {
  Files files(disk_, dir_);
  TRY_ASSIGN(Newest newest, files.newest());
  TRY_ASSIGN(auto content, extend_targets(newest.targets, targets, now + lifetimes.targets));
  if (!content) return ok();
  TRY_ASSIGN(Bytes bytes, tuf::sign_role(*content, newest.root.file, "targets", keys, false));
  for (const NewTarget& target : targets) TRY(files.write_target(target));
  TRY(disk_.make_dirs(files.staged().parent_path()));
  return disk_.replace(files.staged(), bytes);
}

Result<Bytes> Repository::staged() const {
  return disk_.read(Files(disk_, dir_).staged(), tuf::kMaxTargetsBytes);
}

Result<void> Repository::sign_staged(const Keys& keys) {
  Files files(disk_, dir_);
  TRY_ASSIGN(Published<tuf::Root> root, files.root());
  TRY_ASSIGN(Bytes bytes, staged());
  TRY_ASSIGN(SignatureState state, signature_state(bytes, root.bytes, "targets"));
  for (const PrivateKey* key : keys) {
    const std::string& keyid = key->public_key().keyid();
    if (std::find(state.missing.begin(), state.missing.end(), keyid) == state.missing.end()) {
      continue;
    }
    TRY_ASSIGN(bytes, sign_metadata(bytes, *key));
  }
  return disk_.replace(files.staged(), bytes);
}

Result<void> Repository::publish_staged(const Keys& keys, const Lifetimes& lifetimes, UtcTime now) {
  Files files(disk_, dir_);
  TRY_ASSIGN(Newest newest, files.newest());
  TRY_ASSIGN(Bytes bytes, staged());
  TRY_ASSIGN(tuf::Targets targets, tuf::parse_targets(bytes, "staged targets"));
  const tuf::Root& root = newest.root.file;
  TRY(tuf::verify_signatures(root.keys, root.roles.at("targets"), targets, "staged targets"));
  if (targets.version != newest.targets.file.version + 1) {
    return Error{Code::kConflict, fmt::format("staged targets: version {}, but {} is published",
                                              targets.version, newest.targets.file.version)};
  }
  TRY_ASSIGN(Update update,
             follow_targets(newest, std::move(bytes), targets.version, keys, lifetimes, now));
  TRY(files.write(update));
  return disk_.remove(files.staged());
}

Result<void> Repository::refresh(const Keys& keys, const Lifetimes& lifetimes,
                                 std::chrono::seconds ahead, UtcTime now) {
  Files files(disk_, dir_);
  TRY_ASSIGN(Newest newest, files.newest());
  const tuf::Root& root = newest.root.file;
  UtcTime by = now + ahead;
  Update update;
  if (is_due(root, "targets", newest.targets.file, by)) {
    TRY_ASSIGN(json content, signed_part(newest.targets.bytes));
    std::int64_t version = newest.targets.file.version + 1;
    content["version"] = version;
    content["expires"] = format_utc(now + lifetimes.targets);
    TRY_ASSIGN(Bytes bytes, tuf::sign_role(content, root, "targets", keys));
    TRY_ASSIGN(update, follow_targets(newest, std::move(bytes), version, keys, lifetimes, now));
  } else if (is_due(root, "snapshot", newest.snapshot.file, by)) {
    TRY_ASSIGN(update, follow_targets(newest, newest.targets.bytes, newest.targets.file.version,
                                      keys, lifetimes, now));
    update.targets.reset();  // is there already
  } else {
    TRY_ASSIGN(update.timestamp,
               new_timestamp(root, newest.timestamp.file.version + 1, newest.snapshot.bytes,
                             newest.snapshot.file.version, now + lifetimes.timestamp, keys));
  }
  return files.write(update);
}

Result<void> Repository::rotate_root(BytesView bytes) {
  Files files(disk_, dir_);
  TRY_ASSIGN(Published<tuf::Root> present, files.root());
  TRY_ASSIGN(tuf::TrustedSet set, tuf::TrustedSet::start(present.bytes, UtcTime{}));
  TRY(set.update_root(bytes));
  return disk_.replace(files.metadata("root", set.root().file.version), bytes);
}

Result<std::vector<Repository::RoleStatus>> Repository::status() const {
  TRY_ASSIGN(Newest newest, Files(disk_, dir_).newest());
  std::vector<RoleStatus> out;
  auto add = [&](std::string role, const tuf::Envelope& file, BytesView bytes) -> Result<void> {
    TRY_ASSIGN(SignatureState state, signature_state(bytes, newest.root.bytes, role));
    out.push_back({std::move(role), file.version, file.expires, std::move(state)});
    return ok();
  };
  TRY(add("root", newest.root.file, newest.root.bytes));
  TRY(add("timestamp", newest.timestamp.file, newest.timestamp.bytes));
  TRY(add("snapshot", newest.snapshot.file, newest.snapshot.bytes));
  TRY(add("targets", newest.targets.file, newest.targets.bytes));
  return out;
}

Result<std::vector<TargetInfo>> Repository::targets() const {
  TRY_ASSIGN(Newest newest, Files(disk_, dir_).newest());
  std::vector<TargetInfo> out;
  for (const auto& [name, info] : newest.targets.file.targets) out.push_back(info);
  return out;
}

Result<Bytes> Repository::read_target(const TargetInfo& target) const {
  TRY_ASSIGN(std::string name, tuf::served_name(target, true));
  TRY_ASSIGN(Bytes content, disk_.read(dir_ / "targets" / Path(name), target.length));
  TRY(verify_target(target, content));
  return content;
}

}  // namespace lineside::trust

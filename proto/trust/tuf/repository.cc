// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/tuf/repository.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "proto/trust/json.h"
#include "proto/trust/tuf/metadata.h"
#include "proto/trust/tuf/names.h"
#include "proto/trust/tuf/repository_files.h"
#include "proto/trust/tuf/repository_format.h"
#include "proto/trust/tuf/repository_update.h"
#include "proto/trust/tuf/trusted_set.h"
#include "proto/trust/tuf/verify.h"

namespace lineside::trust {
namespace {

using nlohmann::json;
using tuf::Files;
using tuf::Newest;
using tuf::Published;
using tuf::Signing;
using tuf::Update;
using Keys = std::vector<const PrivateKey*>;

// Printable ASCII only: other names have more than one canonical form among the tools in use.
Result<void> check_name(const std::string& name) {
  bool plain = std::all_of(name.begin(), name.end(),
                           [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\'; });
  if (plain && tuf::check_parts(name).ok()) return ok();
  return Error{Code::kMalformed, fmt::format("target name \"{}\": expected printable ASCII in "
                                             "parts between single slashes",
                                             name)};
}

// The next "signed" of targets with the new names in it; nullopt if all are there already.
Result<std::optional<json>> extend_targets(const Published<tuf::Targets>& present,
                                           const std::vector<NewTarget>& added, UtcTime expires) {
  TRY_ASSIGN(json content, tuf::signed_part(present.bytes));
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

  Signing by{{&root}, keys, lifetimes, now};
  TRY_ASSIGN(Bytes targets, first_targets(root, by));
  TRY_ASSIGN(Update update, tuf::first_update(std::move(targets), by));
  TRY(disk_.make_dirs(dir_ / "metadata"));
  TRY(disk_.make_dirs(dir_ / "targets"));
  TRY(disk_.replace(files.metadata("root", 1), root_bytes));
  TRY(files.write(update));
  return drop_staged();
}

// Signed by people one after another, or else by the keys at hand.
Result<Bytes> Repository::first_targets(const tuf::Root& root, const Signing& by) const {
  Result<Bytes> waiting = staged("targets");
  if (!waiting.ok() && waiting.error().code != Code::kNotFound) return waiting.error();
  if (!waiting.ok()) return tuf::sign_role(tuf::first_targets(by), by.roots, "targets", by.keys);
  TRY_ASSIGN(tuf::Targets targets, tuf::parse_targets(*waiting, "staged targets"));
  if (targets.version != 1) {
    return Error{Code::kConflict, "staged targets: expected version 1 for a new repository"};
  }
  TRY(tuf::verify_signatures(root.keys, root.roles.at("targets"), targets, "staged targets"));
  return waiting;
}

Result<void> Repository::stage_first(BytesView root_bytes, const Keys& keys,
                                     const Lifetimes& lifetimes, UtcTime now) {
  TRY_ASSIGN(tuf::Root root, tuf::parse_root(root_bytes));
  Files files(disk_, dir_);
  for (const Path& file : {files.metadata("timestamp"), files.staged("root")}) {
    TRY_ASSIGN(auto present, disk_.stat(file));
    if (present) return Error{Code::kExists, file.string() + ": a repository has begun here"};
  }
  Signing by{{&root}, keys, lifetimes, now};
  TRY_ASSIGN(Bytes targets,
             tuf::sign_role(tuf::first_targets(by), by.roots, "targets", keys, false));
  TRY(disk_.make_dirs(files.staged("root").parent_path()));
  TRY(disk_.replace(files.staged("targets"), targets));
  return disk_.replace(files.staged("root"), root_bytes);
}

Result<void> Repository::publish(const std::vector<NewTarget>& targets, const Keys& keys,
                                 const Lifetimes& lifetimes, UtcTime now) {
  Files files(disk_, dir_);
  TRY_ASSIGN(Newest newest, files.newest());
  Signing by{{&newest.root.file}, keys, lifetimes, now};
  TRY_ASSIGN(auto content, extend_targets(newest.targets, targets, now + lifetimes.targets));
  if (!content) {  // nothing to do, but not for everybody
    TRY_ASSIGN(json present, tuf::signed_part(newest.targets.bytes));
    auto allowed = tuf::sign_role(present, by.roots, "targets", keys);
    return allowed.ok() ? ok() : Result<void>(allowed.error());
  }
  TRY_ASSIGN(Bytes bytes, tuf::sign_role(*content, by.roots, "targets", keys));
  TRY_ASSIGN(Update update,
             tuf::follow_targets(newest, std::move(bytes), newest.targets.file.version + 1, by));
  for (const NewTarget& target : targets) TRY(files.write_target(target));
  return files.write(update);
}

Result<void> Repository::stage(const std::vector<NewTarget>& targets, const Keys& keys,
                               const Lifetimes& lifetimes, UtcTime now) {
  Files files(disk_, dir_);
  TRY_ASSIGN(Newest newest, files.newest());
  TRY_ASSIGN(auto content, extend_targets(newest.targets, targets, now + lifetimes.targets));
  if (!content) return ok();
  TRY_ASSIGN(Bytes bytes, tuf::sign_role(*content, {&newest.root.file}, "targets", keys, false));
  for (const NewTarget& target : targets) TRY(files.write_target(target));
  TRY(disk_.make_dirs(files.staged("targets").parent_path()));
  return disk_.replace(files.staged("targets"), bytes);
}

Result<Bytes> Repository::staged(std::string_view role) const {
  return disk_.read(Files(disk_, dir_).staged(role), tuf::kMaxTargetsBytes);
}

Result<void> Repository::stage_root(BytesView root) {
  Files files(disk_, dir_);
  TRY(tuf::parse_root(root));
  TRY(disk_.make_dirs(files.staged("root").parent_path()));
  return disk_.replace(files.staged("root"), root);
}

Result<void> Repository::drop_staged() {
  Files files(disk_, dir_);
  TRY(disk_.remove(files.staged("root")));
  return disk_.remove(files.staged("targets"));
}

Result<void> Repository::sign_staged(const Keys& keys) {
  Files files(disk_, dir_);
  TRY_ASSIGN(Published<tuf::Root> root, files.root());
  TRY_ASSIGN(Bytes bytes, staged("targets"));
  TRY_ASSIGN(SignatureState state, signature_state(bytes, root.bytes, "targets"));
  for (const PrivateKey* key : keys) {
    const std::string& keyid = key->public_key().keyid();
    if (std::find(state.missing.begin(), state.missing.end(), keyid) == state.missing.end()) {
      continue;
    }
    TRY_ASSIGN(bytes, sign_metadata(bytes, *key));
  }
  return disk_.replace(files.staged("targets"), bytes);
}

Result<void> Repository::publish_staged(const Keys& keys, const Lifetimes& lifetimes, UtcTime now) {
  Files files(disk_, dir_);
  TRY_ASSIGN(Newest newest, files.newest());
  TRY_ASSIGN(Bytes bytes, staged("targets"));
  TRY_ASSIGN(tuf::Targets targets, tuf::parse_targets(bytes, "staged targets"));
  const tuf::Root& root = newest.root.file;
  TRY(tuf::verify_signatures(root.keys, root.roles.at("targets"), targets, "staged targets"));
  if (targets.version != newest.targets.file.version + 1) {
    return Error{Code::kConflict, fmt::format("staged targets: version {}, but {} is published",
                                              targets.version, newest.targets.file.version)};
  }
  Signing by{{&root}, keys, lifetimes, now};
  TRY_ASSIGN(Update update, tuf::follow_targets(newest, std::move(bytes), targets.version, by));
  TRY(files.write(update));
  return disk_.remove(files.staged("targets"));
}

Result<void> Repository::refresh(const Keys& keys, const Lifetimes& lifetimes,
                                 std::chrono::seconds ahead, UtcTime now) {
  Files files(disk_, dir_);
  TRY_ASSIGN(Newest newest, files.newest());
  const tuf::Root& root = newest.root.file;
  Signing by{{&root}, keys, lifetimes, now};
  Update update;
  if (is_due(root, "targets", newest.targets.file, now + ahead)) {
    TRY_ASSIGN(json content, tuf::signed_part(newest.targets.bytes));
    std::int64_t version = newest.targets.file.version + 1;
    content["version"] = version;
    content["expires"] = format_utc(now + lifetimes.targets);
    TRY_ASSIGN(Bytes bytes, tuf::sign_role(content, by.roots, "targets", keys));
    TRY_ASSIGN(update, tuf::follow_targets(newest, std::move(bytes), version, by));
  } else if (is_due(root, "snapshot", newest.snapshot.file, now + ahead)) {
    TRY_ASSIGN(update, tuf::renew_snapshot(newest, by));
  } else {
    TRY_ASSIGN(update, tuf::renew_timestamp(newest, by));
  }
  return files.write(update);
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

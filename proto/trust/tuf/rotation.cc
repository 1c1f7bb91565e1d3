// SPDX-License-Identifier: Apache-2.0
// Another root over a repository that is being read. What the old root's keys signed may not hold
// under the new one; so it is signed for both first, and the root comes last:
//
//     N.targets  N.snapshot  timestamp   hold under the old root and under the new one
//     N.root.json                        now the new root decides
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "proto/trust/tuf/repository.h"
#include "proto/trust/tuf/repository_files.h"
#include "proto/trust/tuf/repository_format.h"
#include "proto/trust/tuf/repository_update.h"
#include "proto/trust/tuf/trusted_set.h"
#include "proto/trust/tuf/verify.h"

namespace lineside::trust {
namespace {

using nlohmann::json;
using tuf::Newest;
using tuf::Root;
using tuf::Signing;
using tuf::Update;

bool holds(const Root& root, std::string_view role, const tuf::Envelope& file) {
  return tuf::verify_signatures(root.keys, root.roles.find(role)->second, file, role).ok();
}

// What people signed for this, one after another: it must hold under every root of `by`.
bool is_meant_for_it(const Newest& newest, const Result<Bytes>& staged, const Signing& by) {
  if (!staged.ok()) return false;
  Result<tuf::Targets> targets = tuf::parse_targets(*staged, "staged targets");
  if (!targets.ok() || targets->version != newest.targets.file.version + 1) return false;
  for (const Root* root : by.roots) {
    if (!holds(*root, "targets", *targets)) return false;
  }
  return true;
}

Result<json> next_targets(const Newest& newest, const Signing& by) {
  TRY_ASSIGN(json content, tuf::signed_part(newest.targets.bytes));
  content["version"] = newest.targets.file.version + 1;
  content["expires"] = format_utc(by.now + by.lifetimes.targets);
  return content;
}

// Nothing if all that clients see holds under the next root as it is.
Result<std::optional<Update>> bridge(const Newest& newest, const Root& next,
                                     const Result<Bytes>& staged, const Signing& by) {
  std::optional<Update> update;
  if (!holds(next, "targets", newest.targets.file)) {
    Bytes bytes;
    if (is_meant_for_it(newest, staged, by)) {
      bytes = *staged;
    } else {
      TRY_ASSIGN(json content, next_targets(newest, by));
      TRY_ASSIGN(bytes, tuf::sign_role(content, by.roots, "targets", by.keys));
    }
    TRY_ASSIGN(update,
               tuf::follow_targets(newest, std::move(bytes), newest.targets.file.version + 1, by));
  } else if (!holds(next, "snapshot", newest.snapshot.file)) {
    TRY_ASSIGN(update, tuf::renew_snapshot(newest, by));
  } else if (!holds(next, "timestamp", newest.timestamp.file)) {
    TRY_ASSIGN(update, tuf::renew_timestamp(newest, by));
  }
  return update;
}

}  // namespace

Result<void> Repository::rotate_root(BytesView bytes, const std::vector<const PrivateKey*>& keys,
                                     const Lifetimes& lifetimes, UtcTime now, OldKeys old) {
  tuf::Files files(disk_, dir_);
  TRY_ASSIGN(Newest newest, files.newest());
  TRY_ASSIGN(tuf::TrustedSet set, tuf::TrustedSet::start(newest.root.bytes, UtcTime{}));
  TRY(set.update_root(bytes));
  const Root& next = set.root().file;
  Signing by{{&next}, keys, lifetimes, now};
  if (old == OldKeys::kSignToo) by.roots.push_back(&newest.root.file);
  Result<Bytes> waiting = staged("targets");
  Result<std::optional<Update>> update = bridge(newest, next, waiting, by);
  if (!update.ok()) {
    return update.error().with(
        fmt::format("under root {} other keys count, and what clients see must hold under both "
                    "roots until they have it",
                    next.version));
  }
  const Path root_file = files.metadata("root", next.version);
  // Without the old keys nothing can hold under both, and the sooner the new root is there the
  // sooner clients are well again.
  if (old == OldKeys::kLost) TRY(disk_.replace(root_file, bytes));
  if (*update) TRY(files.write(**update));
  TRY(disk_.replace(root_file, bytes));
  if (*update && is_meant_for_it(newest, waiting, by)) TRY(disk_.remove(files.staged("targets")));
  return disk_.remove(files.staged("root"));
}

Result<bool> Repository::stage_for(BytesView next_root, const std::vector<const PrivateKey*>& keys,
                                   const Lifetimes& lifetimes, UtcTime now) {
  tuf::Files files(disk_, dir_);
  TRY_ASSIGN(Newest newest, files.newest());
  TRY_ASSIGN(Root next, tuf::parse_root(next_root));
  if (holds(next, "targets", newest.targets.file)) return false;
  Signing by{{&next, &newest.root.file}, keys, lifetimes, now};
  TRY_ASSIGN(json content, next_targets(newest, by));
  if (tuf::sign_role(content, by.roots, "targets", keys).ok()) return false;
  TRY_ASSIGN(auto waits, disk_.stat(files.staged("targets")));
  if (waits)
    return Error{Code::kConflict, "targets wait for signatures; publish-staged them first"};
  TRY_ASSIGN(Bytes part, tuf::sign_role(content, by.roots, "targets", keys, false));
  TRY(disk_.make_dirs(files.staged("targets").parent_path()));
  TRY(disk_.replace(files.staged("targets"), part));
  return true;
}

}  // namespace lineside::trust

// SPDX-License-Identifier: Apache-2.0
// The writing side: a TUF 1.0 repository of static files with consistent snapshots.
//
//     REPO/metadata/1.root.json 1.targets.json 1.snapshot.json timestamp.json
//     REPO/targets/NAME/HASH.VERSION.json …
//     REPO/deliveries/ROOT                       (not a target: signed through the manifest)
//
// Files are written in the order targets, N.targets, N.snapshot, timestamp, N.root, so that a
// reader never sees a broken repository (specification section 6). A role that lacks signatures is
// staged beside the repository (metadata/staged/) until enough have signed.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/trust/keys.h"
#include "proto/trust/tuf/updater.h"

namespace lineside::trust {

namespace tuf {
struct Root;
struct Signing;
}  // namespace tuf

struct RoleKeys {
  std::vector<PublicKey> keys;
  unsigned threshold = 1;
};

// For a vendor the four roles; for a site root the same, "targets" being the operators.
struct RootSpec {
  std::map<std::string, RoleKeys> roles;     // exactly root, timestamp, snapshot, targets
  std::map<std::string, std::string> names;  // key id -> who holds it, for people; may be empty
  std::chrono::days lifetime{365};
};

// An unsigned version of root; `version` 1 for the first. JSON of
// {"signed":…,"signatures":[]}. kUsage for a threshold that cannot be reached, or a name that is
// none.
Result<Bytes> draft_root(const RootSpec& spec, std::int64_t version, UtcTime now);
// Adds one signature; idempotent. kMalformed if it is no metadata file.
Result<Bytes> sign_metadata(BytesView metadata, const PrivateKey& key);

struct SignatureState {
  unsigned have = 0;
  unsigned need = 0;
  std::vector<std::string> missing;        // key ids that may still sign
  std::vector<std::string> missing_names;  // the same by name
  [[nodiscard]] bool complete() const { return need > 0 && have >= need; }
};
// "1 of 2 signatures, missing bob".
std::string describe(const SignatureState& state);
// How far `metadata` (any role) is signed by what `root` (bytes of a root file) says of `role`.
Result<SignatureState> signature_state(BytesView metadata, BytesView root, std::string_view role);

struct NewTarget {
  std::string name;  // "vision/2.0.0.json"
  Bytes content;
};

struct Lifetimes {
  std::chrono::seconds targets = std::chrono::days(365);
  std::chrono::seconds snapshot = std::chrono::days(30);
  std::chrono::seconds timestamp = std::chrono::days(30);
};

class Repository {
 public:
  // `disk` outlives it. `dir` is the repository's folder.
  Repository(Disk& disk, Path dir);

  // Lays out a new repository from a fully signed root: empty targets, snapshot and timestamp
  // signed by `keys`. kExists if there is one; kBadSignature if `root` or the keys do not reach
  // thresholds. Targets that stage_first() left are taken if enough have signed them.
  Result<void> create(BytesView root, const std::vector<const PrivateKey*>& keys,
                      const Lifetimes& lifetimes, UtcTime now);
  // The same where not all signers are in one place: the root, and version 1 of targets as far as
  // `keys` sign it, wait in metadata/staged/ until create(). kExists if one waits or is there.
  Result<void> stage_first(BytesView root, const std::vector<const PrivateKey*>& keys,
                           const Lifetimes& lifetimes, UtcTime now);
  // Adds targets and publishes new versions of targets, snapshot and timestamp; nothing if all are
  // there. kBadSignature if `keys` do not reach a threshold, also then; nothing is changed. kExists
  // if a name is already published with other content (a version once published never changes).
  Result<void> publish(const std::vector<NewTarget>& targets,
                       const std::vector<const PrivateKey*>& keys, const Lifetimes& lifetimes,
                       UtcTime now);
  // The same where the keys of "targets" sign one after another: the files, and the next targets
  // metadata with the signatures that `keys` make, in metadata/staged/targets.json. Clients see
  // none of it. Replaces what was staged.
  Result<void> stage(const std::vector<NewTarget>& targets,
                     const std::vector<const PrivateKey*>& keys, const Lifetimes& lifetimes,
                     UtcTime now);
  // Adds the signatures of those of `keys` that may sign. kNotFound if nothing is staged.
  Result<void> sign_staged(const std::vector<const PrivateKey*>& keys);
  // Publishes what is staged; `keys` sign snapshot and timestamp. kBadSignature while signatures
  // are missing; kConflict if something else was published since.
  Result<void> publish_staged(const std::vector<const PrivateKey*>& keys,
                              const Lifetimes& lifetimes, UtcTime now);
  // What waits of "root" or "targets", for people to look at. kNotFound.
  [[nodiscard]] Result<Bytes> staged(std::string_view role) const;
  // The next root, to be signed by people one after another; rotate_root() publishes it.
  Result<void> stage_root(BytesView root);
  // New timestamp, and new snapshot or targets where they end within `ahead` or are no longer
  // signed as the newest root demands.
  Result<void> refresh(const std::vector<const PrivateKey*>& keys, const Lifetimes& lifetimes,
                       std::chrono::seconds ahead, UtcTime now);
  enum class OldKeys { kSignToo, kLost };
  // Publishes the next root version (fully signed by the old and the new keys). What would not hold
  // under it is signed anew before by `keys`, for both roots, so that clients of either are served;
  // a staged targets file that is signed for both is taken. kBadSignature if that cannot be, naming
  // the role; with kLost only the new root counts, and clients are refused until all is written.
  Result<void> rotate_root(BytesView root, const std::vector<const PrivateKey*>& keys,
                           const Lifetimes& lifetimes, UtcTime now,
                           OldKeys old = OldKeys::kSignToo);
  // If targets must be signed anew for `next_root` and `keys` are not enough for that: stages it
  // with the signatures that they make. True if it waits now; kConflict if another change waits.
  Result<bool> stage_for(BytesView next_root, const std::vector<const PrivateKey*>& keys,
                         const Lifetimes& lifetimes, UtcTime now);

  struct RoleStatus {
    std::string role;
    std::int64_t version = 0;
    UtcTime expires{};
    SignatureState signatures;
  };
  [[nodiscard]] Result<std::vector<RoleStatus>> status() const;
  struct Waiting {
    std::string role;  // "root" or "targets"
    std::int64_t version = 0;
    SignatureState signatures;
    bool of_next =
        false;  // by the keys of the root that waits; else of the newest that clients see
  };
  // What is staged; works where there is no repository yet, too.
  [[nodiscard]] Result<std::vector<Waiting>> waiting() const;

  // The newest file of a top-level role as clients see it. kNotFound.
  [[nodiscard]] Result<Bytes> published(std::string_view role) const;
  // What clients are told to be there, by name. The repository is its owner's: signatures and ends
  // are not checked, so that one that has run out can be brought up to date.
  [[nodiscard]] Result<std::vector<TargetInfo>> targets() const;
  // The bytes of one of them. kMismatch if they are not what the metadata says.
  [[nodiscard]] Result<Bytes> read_target(const TargetInfo& target) const;

 private:
  Result<Bytes> first_targets(const tuf::Root& root, const tuf::Signing& by) const;
  Result<void> drop_staged();

  Disk& disk_;
  Path dir_;
};

}  // namespace lineside::trust

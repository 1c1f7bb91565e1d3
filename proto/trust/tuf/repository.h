// SPDX-License-Identifier: Apache-2.0
// The writing side: a TUF 1.0 repository of static files with consistent snapshots.
//
//     REPO/metadata/1.root.json 1.targets.json 1.snapshot.json timestamp.json
//     REPO/targets/NAME/HASH.VERSION.json …
//     REPO/deliveries/ROOT                       (not a target: signed through the manifest)
//
// Files are written in the order targets, N.targets, N.snapshot, timestamp, so that a reader never
// sees a broken repository (specification section 6). A role that lacks signatures is staged beside
// the repository (metadata/staged/) until enough have signed.
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

struct RoleKeys {
  std::vector<PublicKey> keys;
  unsigned threshold = 1;
};

// For a vendor the four roles; for a site root the same, "targets" being the operators.
struct RootSpec {
  std::map<std::string, RoleKeys> roles;  // exactly root, timestamp, snapshot, targets
  std::chrono::days lifetime{365};
};

// An unsigned version of root; `version` 1 for the first. Canonical JSON of
// {"signed":…,"signatures":[]}.
Result<Bytes> draft_root(const RootSpec& spec, std::int64_t version, UtcTime now);
// Adds one signature; idempotent. kMalformed if it is no metadata file.
Result<Bytes> sign_metadata(BytesView metadata, const PrivateKey& key);

struct SignatureState {
  unsigned have = 0;
  unsigned need = 0;
  std::vector<std::string> missing;  // key ids that may still sign
};
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
  // thresholds.
  Result<void> create(BytesView root, const std::vector<const PrivateKey*>& keys,
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
  // Bytes of the staged targets metadata, for people to look at. kNotFound.
  [[nodiscard]] Result<Bytes> staged() const;
  // New timestamp, and new snapshot or targets where they end within `ahead` or are no longer
  // signed as the newest root demands.
  Result<void> refresh(const std::vector<const PrivateKey*>& keys, const Lifetimes& lifetimes,
                       std::chrono::seconds ahead, UtcTime now);
  // Publishes the next root version (fully signed by the old and the new keys).
  Result<void> rotate_root(BytesView root);

  struct RoleStatus {
    std::string role;
    std::int64_t version = 0;
    UtcTime expires{};
    SignatureState signatures;
  };
  [[nodiscard]] Result<std::vector<RoleStatus>> status() const;

  // What clients are told to be there, by name. The repository is its owner's: signatures and ends
  // are not checked, so that one that has run out can be brought up to date.
  [[nodiscard]] Result<std::vector<TargetInfo>> targets() const;
  // The bytes of one of them. kMismatch if they are not what the metadata says.
  [[nodiscard]] Result<Bytes> read_target(const TargetInfo& target) const;

 private:
  Disk& disk_;
  Path dir_;
};

}  // namespace lineside::trust

// SPDX-License-Identifier: Apache-2.0
// The TUF client workflow (specification 1.0.34, section 5): which bytes are authentic and newest.
//
//     Updater updater(disk, "state/vendor", fetcher, clock.now());
//     TRY(updater.load());     // root.json from commissioning must be there: never the network
//     TRY(updater.refresh());
//     TRY_ASSIGN(auto target, updater.find("vision/2.0.0.json"));
//
// The metadata folder holds root.json, timestamp.json, snapshot.json, targets.json and <role>.json:
// the received bytes, each replaced durably only after every check passed; and anchor.root, what
// was begun with. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/base/sha256.h"
#include "proto/trust/keys.h"
#include "proto/trust/tuf/fetcher.h"

namespace lineside::trust {

struct TargetInfo {
  std::string name;
  std::uint64_t length = 0;
  std::map<std::string, std::string> hashes;  // algorithm -> hex; sha256 and sha512 are known
  [[nodiscard]] std::optional<Digest> sha256() const;
};

// 5.7: length, and every hash that we know, one at least. kMismatch, kUnsupported.
Result<void> verify_target(const TargetInfo& target, BytesView content);

class Updater {
 public:
  // `now` is fixed for the life of the object (5.1). `disk` and `fetcher` outlive it.
  Updater(Disk& disk, Path metadata_dir, Fetcher& metadata, UtcTime now);
  ~Updater();

  // Stores `root` as the trusted root of a new metadata folder after verifying it against itself.
  // For commissioning only. kExists if another root is trusted already.
  static Result<void> init(Disk& disk, const Path& metadata_dir, BytesView root);

  // init() in an empty folder, and for every start after it: kMismatch if `root` is neither what
  // was begun with, nor what is trusted now, nor next to one of the two in their chain (signed by
  // its keys, or its signer, 5.3.4). Whoever configures another root is to hear of it.
  static Result<void> anchor(Disk& disk, const Path& metadata_dir, BytesView root);

  // Loads and verifies the trusted root.json (5.2) and, as far as they still verify, the other
  // files.
  Result<void> load();
  // 5.3 to 5.6. Codes: kBadSignature, kRollback, kExpired, kMismatch, kMalformed, kTooLarge,
  // kNotFound and the fetcher's. On error everything trusted before is still trusted, and root
  // versions that were accepted on the way stay accepted (5.3.8).
  Result<void> refresh();
  // 5.3 alone: the root chain. All that a site root needs.
  Result<void> refresh_root();

  // 5.6.7: searches targets and its delegations. nullopt: no role that we trust names it.
  Result<std::optional<TargetInfo>> find(std::string_view target);
  // Every target that top-level targets lists (no delegations). After load() or refresh().
  [[nodiscard]] std::vector<TargetInfo> targets() const;
  // 5.7: fetches and checks length and every known hash. `base` fetches "targets/…"-relative names;
  // with consistent snapshots the last component is prefixed with the hash.
  Result<Bytes> download(const TargetInfo& target, Fetcher& base) const;
  // The file name under which a repository serves the target: "vision/HASH.2.0.0.json".
  [[nodiscard]] std::string repository_name(const TargetInfo& target) const;

  // The keys and threshold of a top-level role ("targets" of a site root: the operators).
  [[nodiscard]] Result<Authority> authority(std::string_view role) const;
  [[nodiscard]] std::int64_t version(std::string_view role) const;  // 0 if not loaded
  [[nodiscard]] std::optional<UtcTime> expires(std::string_view role) const;
  // The bytes of `role` as received, e.g. to serve them to others. kNotFound if not loaded.
  [[nodiscard]] Result<Bytes> bytes(std::string_view role) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lineside::trust

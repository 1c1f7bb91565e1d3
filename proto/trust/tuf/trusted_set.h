// SPDX-License-Identifier: Apache-2.0
// The rules of the TUF client workflow over bytes: specification 1.0.34, section 5, without I/O.
//
// Invariant: whatever is held was verified by what is held above it. An update that fails changes
// nothing. The caller stores the bytes of an update after it succeeded, never before
// (CVE-2025-2888).
//
//     root ──keys──▶ timestamp ──version, hash──▶ snapshot ──versions, hashes──▶ targets, delegated
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "proto/trust/tuf/metadata.h"

namespace lineside::trust::tuf {

template <class T>
struct Held {
  T file;
  Bytes bytes;  // as received
};

class TrustedSet {
 public:
  // 5.2: the trusted root, verified against itself. Its expiry does not matter yet. `now` is the
  // time of every expiry check (5.1).
  static Result<TrustedSet> start(BytesView root, UtcTime now);

  // 5.3.4 to 5.3.7: exactly the next version, signed by the old keys and by its own.
  Result<void> update_root(BytesView bytes);
  // 5.3.10.
  [[nodiscard]] Result<void> check_root_expiry() const;
  // 5.3.11: do the two roots trust other keys for timestamp or snapshot?
  static bool rotates(const Root& before, const Root& after);
  // Drops all but the root. What is restored afterwards is verified by the present root.
  void forget_below_root();

  // What was stored earlier: type and signatures are checked, and versions where something above
  // names them; expiry is not, since old files still serve the rollback checks.
  Result<void> restore_timestamp(BytesView bytes);
  Result<void> restore_snapshot(BytesView bytes);
  Result<void> restore_targets(BytesView bytes);

  // 5.4.2 to 5.4.4. False: the version is the trusted one; the new bytes are dropped, and the
  // trusted timestamp, if it has not expired, is the word to go on with.
  Result<bool> update_timestamp(BytesView bytes);
  // 5.5.2 to 5.5.6. kConflict without a timestamp.
  Result<void> update_snapshot(BytesView bytes);
  // 5.6.2 to 5.6.5, for {"targets"} and for delegated roles, which the keys of the role before them
  // in the path verify. kNotFound if the snapshot does not list the role.
  Result<void> update_targets(const RolePath& path, BytesView bytes);

  // Is the held snapshot the one that the timestamp names, whole and not expired?
  [[nodiscard]] Result<void> check_snapshot() const;
  // Is the chain from timestamp to targets whole and not expired?
  [[nodiscard]] Result<void> check_targets() const;
  // What the snapshot says of `role`; kNotFound.
  [[nodiscard]] Result<MetaFile> meta_of(std::string_view role) const;

  [[nodiscard]] const Held<Root>& root() const { return root_; }
  [[nodiscard]] const std::optional<Held<Timestamp>>& timestamp() const { return timestamp_; }
  [[nodiscard]] const std::optional<Held<Snapshot>>& snapshot() const { return snapshot_; }
  // nullptr if it is not held.
  [[nodiscard]] const Held<Targets>* targets(const RolePath& path) const;

 private:
  TrustedSet(Held<Root> root, UtcTime now) : root_(std::move(root)), now_(now) {}

  [[nodiscard]] Result<void> verify_by_root(const Envelope& file, std::string_view role) const;
  [[nodiscard]] Result<void> verify_by_delegator(const Envelope& file, const RolePath& path) const;
  [[nodiscard]] Result<void> check_expiry(const Envelope& file, std::string_view role) const;
  [[nodiscard]] Result<void> check_snapshot_rollback(const Snapshot& next) const;
  [[nodiscard]] Result<Targets> verified_targets(const RolePath& path, BytesView bytes) const;

  Held<Root> root_;
  UtcTime now_;
  std::optional<Held<Timestamp>> timestamp_;
  std::optional<Held<Snapshot>> snapshot_;
  std::map<RolePath, Held<Targets>> targets_;
};

}  // namespace lineside::trust::tuf

// SPDX-License-Identifier: Apache-2.0
// TUF metadata files as values: form only, no trust. Specification 1.0.34, sections 4.2 to 4.6.
//
// The bytes are hostile: nothing was verified when they come here. Members that the specification
// does not name are ignored, but they are part of what is signed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/clock.h"
#include "proto/base/result.h"
#include "proto/trust/keys.h"
#include "proto/trust/tuf/updater.h"

namespace lineside::trust::tuf {

// What is read of a file whose length nobody signed (5.3.3, 5.4.1, 5.5.1, 5.6.1).
inline constexpr std::uint64_t kMaxRootBytes = 512ULL << 10;
inline constexpr std::uint64_t kMaxTimestampBytes = 64ULL << 10;
inline constexpr std::uint64_t kMaxSnapshotBytes = 4ULL << 20;
inline constexpr std::uint64_t kMaxTargetsBytes = 16ULL << 20;

struct Signature {
  std::string keyid;
  Bytes bytes;  // empty if the text was no hexadecimal: it verifies under no key
};

// One file. `version` >= 1.
struct Envelope {
  std::vector<Signature> signatures;  // no keyid twice (4.2)
  Bytes signed_bytes;                 // canonical form of "signed": what the signatures cover
  std::int64_t version = 0;
  UtcTime expires{};
};

struct RoleKeyIds {
  std::vector<std::string> keyids;  // distinct
  unsigned threshold = 0;           // >= 1
  bool operator==(const RoleKeyIds&) const = default;
};

// The member of a root's "signed" that names the holders of keys: {KEYID: NAME}. An extension of
// ours; where it is missing or no such object, keys have no names.
inline constexpr const char* kNamesMember = "x-lineside-names";
// 1 to 64 of [A-Za-z0-9@._+-].
bool is_key_name(std::string_view text);

// By key id; every id was computed from its key here (4.2.1).
using KeyRing = std::map<std::string, PublicKey>;

struct Root : Envelope {
  bool consistent_snapshot = false;
  KeyRing keys;
  std::map<std::string, RoleKeyIds, std::less<>> roles;  // root, timestamp, snapshot, targets
  std::map<std::string, std::string> names;  // key id -> who holds it; for people, not for trust
};

struct MetaFile {
  std::int64_t version = 0;
  std::optional<std::uint64_t> length;
  std::map<std::string, std::string> hashes;  // may be empty
};

struct Timestamp : Envelope {
  MetaFile snapshot;
};

struct Snapshot : Envelope {
  std::map<std::string, MetaFile, std::less<>> meta;  // "targets.json", "ROLE.json"
};

struct DelegatedRole {
  std::string name;
  RoleKeyIds keyids;
  bool terminating = false;
  std::vector<std::string> paths;  // one of these two is empty
  std::vector<std::string> path_hash_prefixes;
};

// How a role is reached: {"targets", "A", "B"}. One name may be reached on several paths, and what
// one delegator vouches for another may not, so that a name alone says nothing.
using RolePath = std::vector<std::string>;

struct Targets : Envelope {
  std::map<std::string, TargetInfo, std::less<>> targets;
  KeyRing keys;                      // of the delegated roles
  std::vector<DelegatedRole> roles;  // in order of priority
};

// Who holds that key: the name that the root gives it, else the first digits of its id.
std::string name_of(const Root& root, const std::string& keyid);

// kMalformed naming the member; kTooLarge past the bound above; kUnsupported for another major
// version of the specification. `name` begins error messages.
Result<Root> parse_root(BytesView bytes);
Result<Timestamp> parse_timestamp(BytesView bytes);
Result<Snapshot> parse_snapshot(BytesView bytes);
Result<Targets> parse_targets(BytesView bytes, std::string_view name = "targets");

// Any of them, as far as all roles are alike; `type` is what it says it is.
struct AnyRole : Envelope {
  std::string type;
};
Result<AnyRole> parse_any(BytesView bytes);

}  // namespace lineside::trust::tuf

// SPDX-License-Identifier: Apache-2.0
// The next versions of a repository's files, signed. Private to this folder's .cc files.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "proto/trust/tuf/repository_files.h"
#include "proto/trust/tuf/repository_format.h"

namespace lineside::trust::tuf {

// With what the files of one change are signed. Two roots while keys are rotated: readers of either
// must take every file.
struct Signing {
  Roots roots;
  const std::vector<const PrivateKey*>& keys;
  const Lifetimes& lifetimes;
  UtcTime now;
};

// The "signed" of a file that was parsed before.
Result<nlohmann::json> signed_part(BytesView bytes);

// Version 1 of targets: it lists nothing.
nlohmann::json first_targets(const Signing& by);
// Snapshot and timestamp 1 over a targets file of version 1.
Result<Update> first_update(Bytes targets, const Signing& by);
// Snapshot and timestamp that follow a new targets file of this version.
Result<Update> follow_targets(const Newest& newest, Bytes targets, std::int64_t version,
                              const Signing& by);
// The same where targets stays as it is.
Result<Update> renew_snapshot(const Newest& newest, const Signing& by);
// The timestamp alone.
Result<Update> renew_timestamp(const Newest& newest, const Signing& by);

}  // namespace lineside::trust::tuf

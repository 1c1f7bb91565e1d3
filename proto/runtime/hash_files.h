// SPDX-License-Identifier: Apache-2.0
// SHA-256 of many files at once, each read in pieces.
#pragma once

#include <optional>
#include <vector>

#include "proto/base/disk.h"
#include "proto/base/sha256.h"

namespace lineside::runtime {

struct HashJob {
  Path path;
  std::optional<Result<Digest>> digest;  // set by hash_files
};

// Fills every job's digest on `threads` threads (0: one a processor) and returns when all are done.
void hash_files(const Disk& disk, std::vector<HashJob>& jobs, unsigned threads);

}  // namespace lineside::runtime

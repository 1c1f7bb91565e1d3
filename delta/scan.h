// SPDX-License-Identifier: Apache-2.0
// From a folder on disk to a listing, and from a signed listing back to the disk.
//
// Both stream: memory is 1 MiB a thread and the listing. Symbolic links are read, never followed.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/trust/listing.h"

namespace lineside::delta {

inline constexpr std::uint32_t kWriteBits = 0222;

// The listing of what stands below `dir`: valid, sorted, every file hashed. kUnsupported for a
// device, socket or pipe, for a file with set-user-id, set-group-id or sticky bit, and for a name
// or link that a listing cannot hold (check_path, check_link); kCancelled; the codes of Disk.
Result<trust::Listing> scan_tree(const Disk& disk, const Path& dir, unsigned threads,
                                 std::stop_token stop = {});

enum class DifferenceKind {
  kMissing,     // listed, not on disk
  kExtra,       // on disk, not listed
  kType,        // file, folder or link, but another than listed
  kMode,        // permission bits; a file that lacks all write bits and differs in nothing else is
                // one of a tree that is kept read-only (ApplyOptions), and no difference
  kLength,      // of a file
  kContent,     // a file of the right length with another root
  kTarget,      // of a link
  kUnreadable,  // the disk does not give it
};
// "missing", "extra", …: part of what `verify` prints.
std::string_view difference_name(DifferenceKind kind);

struct Difference {
  std::string path;
  DifferenceKind kind = DifferenceKind::kMissing;
  std::string detail;  // "length 10, listed 12"; may be empty
  bool operator==(const Difference&) const = default;
};

// How the disk differs from the listing, sorted by path; empty if it does not. Below an extra
// folder nothing more is named. kCancelled; kNotFound if `dir` itself is not there.
Result<std::vector<Difference>> verify_tree(const Disk& disk, const Path& dir,
                                            const trust::Listing& listing, unsigned threads,
                                            std::stop_token stop = {});

}  // namespace lineside::delta

// SPDX-License-Identifier: Apache-2.0
// Makes the new tree from the old one and a delivery. The delivery may come from an enemy: the two
// listings say what must come out, and nothing else ever does.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "delta/make_delivery.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/trust/listing.h"

namespace lineside::delta {

struct ApplyOptions {
  unsigned threads = 1;  // for hashing; decoding is one thread, to keep its memory small
  // A delivery that needs more is refused before any of it is allocated.
  std::uint64_t max_memory_bytes = 16ULL << 20;
  // Files get no write bits, whatever the listing says (verify_tree knows): trees that share files
  // must not be able to change each other's.
  bool read_only = false;
  // `base_dir` is a single file, that of the only entry of the base listing.
  bool base_is_file = false;
};

struct ApplySummary {
  std::uint64_t files = 0;         // in the target
  std::uint64_t kept_files = 0;    // whole already from an earlier, cut-off apply
  std::uint64_t shared_files = 0;  // unchanged, shared with the base or with each other
  std::uint64_t coded_bytes = 0;   // bytes of files that were decoded
};

// `out_dir` must not exist (kExists). The tree grows in `partial_path(out_dir)` and becomes
// `out_dir` by one rename after everything in it is verified and synced, so `out_dir` is never seen
// half made. After a cut the same call goes on there and keeps the files that are whole; to give
// up, remove that folder. Unchanged files are shared with `base_dir` (Disk::share), so neither tree
// may be written to afterwards; a file whose mode changes is copied.
//
// `base_dir` is trusted no more than the delivery: each file that comes out has the listed length
// and root. Nothing outside the partial folder is written.
//
// kMismatch: not made for this base or target, or bytes that come out are not those of the listing;
// kMalformed, kTooLarge, kUnsupported: see read_format; kCancelled; the codes of Disk.
// `progress` counts bytes of the target tree.
Result<ApplySummary> apply_delivery(Disk& disk, const Path& delivery,
                                    const trust::Listing& base_listing, const Path& base_dir,
                                    const trust::Listing& target_listing, const Path& out_dir,
                                    const ApplyOptions& options, const Progress& progress = {},
                                    std::stop_token stop = {});

// "DIR/.NAME.partial" for "DIR/NAME".
Path partial_path(const Path& out_dir);

}  // namespace lineside::delta

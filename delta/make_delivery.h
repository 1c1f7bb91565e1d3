// SPDX-License-Identifier: Apache-2.0
// Makes the file that takes one tree to another: DESIGN idea 2, format in README.md.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/trust/listing.h"

namespace lineside::delta {

// A folder and the listing that says what is in it. A single file can stand for the tree that has
// it as its only entry, whatever the entry's path is.
struct TreeOnDisk {
  Path dir;
  trust::Listing listing;
  bool single_file = false;  // `dir` is the file itself

  [[nodiscard]] Path path_of(const trust::Entry& entry) const {
    return single_file ? dir : dir / entry.path;
  }
};

struct MakeOptions {
  unsigned threads = 2;
  // 1: one candidate a file, quick; 2: the likely ones; 3: all, several times slower.
  int effort = 2;
  // false: zstd streams alone, for devices to which LZMA costs too much.
  bool lzma = true;
  // What applying may take in memory above page cache and listings; at least 4 MiB.
  std::uint64_t apply_memory_bytes = 16ULL << 20;
  // The target listing goes into the delivery, for use without signed listings (lineside-delta).
  bool embed_listing = false;
};

// (done, total): bytes of the changed and new files that are coded so far. Called from any thread,
// one call at a time.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// How one target file travels.
struct FileCost {
  std::string path;
  std::string method;        // "same", "twin", "empty", "plain", "prefix", "covers", …
  std::string base;          // path in the base, empty if none
  std::uint64_t length = 0;  // of the file
  std::uint64_t bytes = 0;   // its share of the delivery; of a pack, in proportion to the lengths
};

struct DeliverySummary {
  std::uint64_t length = 0;  // of the delivery file
  Digest root;               // of it, see merkle.h
  std::uint64_t apply_memory_bytes = 0;
  std::vector<FileCost> files;  // in the order of the target listing
};

// Writes the delivery to `out`, which must not exist; it appears there whole or not at all, synced.
// `base` is nullopt for a full delivery. The listings must match the disk: a file that does not
// have its listed length and root is kMismatch. Every coded file was decoded again and compared.
// The same input gives the same bytes, whatever `threads` is. kExists, kCancelled, kTooLarge, the
// codes of Disk. A stop request takes effect within a second, except while a large file's suffixes
// are sorted; then it leaves nothing behind. Memory: for a changed file about 6 times base plus
// target.
Result<DeliverySummary> make_delivery(const MakeOptions& options, Disk& disk,
                                      const std::optional<TreeOnDisk>& base,
                                      const TreeOnDisk& target, const Path& out,
                                      const Progress& progress = {}, std::stop_token stop = {});

}  // namespace lineside::delta

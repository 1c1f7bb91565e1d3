// SPDX-License-Identifier: Apache-2.0
// A tree that grows in a folder of its own: what apply_delivery does to the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "delta/plan.h"
#include "delta/scan.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/trust/listing.h"
#include "proto/trust/merkle.h"

namespace lineside::delta {

// Every path that is written is `dir` joined with a checked path of the listing, below folders that
// this class itself made: links come last, and links left from an earlier run go first.
class TreeWriter {
 public:
  TreeWriter(Disk& disk, Path dir, const trust::Listing& listing, unsigned threads, bool read_only)
      : disk_(disk),
        dir_(std::move(dir)),
        listing_(listing),
        threads_(threads),
        read_only_(read_only) {}

  // Makes `dir` and the folders in it; removes whatever else is there but files in their places.
  Result<void> prepare();
  // Whether the file is there, whole and right. What is there and is not so is removed.
  Result<bool> has(const trust::Entry& file);
  // The file `from`, which must turn out to have the entry's bytes, kMismatch.
  Result<void> take(const Path& from, const trust::Entry& file);
  Result<void> make_empty(const trust::Entry& file);
  // Links, modes of folders, everything synced. Nothing is writable through this class afterwards.
  Result<void> finish();

  [[nodiscard]] Path path_of(const trust::Entry& entry) const { return dir_ / entry.path; }
  // Of a file, as it is to stand on the disk.
  [[nodiscard]] std::uint32_t mode_of(const trust::Entry& file) const {
    return read_only_ ? file.mode & ~kWriteBits : file.mode;
  }
  [[nodiscard]] Disk& disk() { return disk_; }

 private:
  Result<void> prune(const Path& dir, const std::string& prefix);
  Result<void> copy(const Path& from, const trust::Entry& file);

  Disk& disk_;
  Path dir_;
  const trust::Listing& listing_;
  unsigned threads_;
  bool read_only_;
};

// The bytes of several files, end to end: cuts them into the files and checks each one's root.
class FileSeries {
 public:
  struct Item {
    const trust::Entry* entry;
    bool kept;  // stands already: its bytes are passed over
  };
  FileSeries(TreeWriter& tree, std::vector<Item> items) : tree_(tree), items_(std::move(items)) {}

  // kMismatch if a file that is complete now has another root, or if there are bytes too many.
  Result<void> take(BytesView data);
  // kMismatch if bytes are missing.
  Result<void> finish() const;

 private:
  Result<void> end_file();

  TreeWriter& tree_;
  std::vector<Item> items_;
  std::size_t current_ = 0;
  std::uint64_t done_ = 0;  // of the current file
  std::unique_ptr<OutputFile> file_;
  trust::MerkleHasher hasher_;
};

}  // namespace lineside::delta

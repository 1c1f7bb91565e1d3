// SPDX-License-Identifier: Apache-2.0
// The names in a bundle's tree, read once, so that every rule asks an index instead of the disk.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "proto/base/disk.h"

namespace lineside::runtime {

struct TreeEntry {
  FileType type = FileType::kOther;
  std::uint64_t size = 0;  // bytes; files only
  std::string target;      // links only
};

class Tree {
 public:
  // All entries below `root`; an absent root is an empty tree. kTooLarge for more than 64 levels or
  // 2,000,000 entries, or the disk's errors.
  static Result<Tree> read(const Disk& disk, const Path& root);

  // By path relative to the root, "runtime/lib/python3.11/os.py", in bytewise order.
  [[nodiscard]] const std::map<std::string, TreeEntry, std::less<>>& entries() const {
    return entries_;
  }
  [[nodiscard]] bool has(std::string_view path) const { return entries_.contains(path); }
  // The file at `path`, links inside the tree followed (an absolute target starts at the link's
  // first folder, as in a root file system); empty if there is none.
  [[nodiscard]] std::string resolve(std::string_view path) const;

 private:
  std::map<std::string, TreeEntry, std::less<>> entries_;
};

// "a/b/c.so" -> "c.so"
std::string_view base_name(std::string_view path);
// "a/b/c.so" -> "a/b"; "" for a name without a folder
std::string_view folder_of(std::string_view path);
// `path` relative to `folder`, "." and ".." resolved; empty if it leaves the tree.
std::string join_within(std::string_view folder, std::string_view path);

}  // namespace lineside::runtime

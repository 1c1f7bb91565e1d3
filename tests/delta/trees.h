// SPDX-License-Identifier: Apache-2.0
// Trees for tests: what is in them, written to disk and read back.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>

#include "delta/apply_delivery.h"
#include "delta/make_delivery.h"
#include "delta/scan.h"
#include "proto/base/disk.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::delta::testing {

struct Node {
  FileType type = FileType::kFile;
  std::uint32_t mode = 0644;
  std::string text;  // of a file; target of a link
  bool operator==(const Node&) const = default;
};
inline Node file(std::string text, std::uint32_t mode = 0644) {
  return {FileType::kFile, mode, std::move(text)};
}
inline Node folder(std::uint32_t mode = 0755) {
  return {FileType::kDirectory, mode, ""};
}
inline Node link(std::string target) {
  return {FileType::kLink, 0777, std::move(target)};
}

using Tree = std::map<std::string, Node>;  // parents listed before their children

inline void write_tree(const Path& dir, const Tree& tree) {
  std::filesystem::create_directories(dir);
  for (const auto& [path, node] : tree) {
    if (node.type == FileType::kDirectory) std::filesystem::create_directories(dir / path);
    if (node.type == FileType::kLink) std::filesystem::create_symlink(node.text, dir / path);
    if (node.type == FileType::kFile) std::ofstream(dir / path, std::ios::binary) << node.text;
  }
  for (auto it = tree.rbegin(); it != tree.rend(); ++it) {
    if (it->second.type == FileType::kLink) continue;
    std::filesystem::permissions(dir / it->first,
                                 static_cast<std::filesystem::perms>(it->second.mode));
  }
}

inline Tree read_tree(const Path& dir) {
  Tree tree;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    std::string path = entry.path().lexically_relative(dir).string();
    auto mode = static_cast<std::uint32_t>(entry.symlink_status().permissions());
    if (entry.is_symlink()) {
      tree[path] = link(std::filesystem::read_symlink(entry.path()).string());
    } else if (entry.is_directory()) {
      tree[path] = folder(mode);
    } else {
      std::ifstream in(entry.path(), std::ios::binary);
      tree[path] = file({std::istreambuf_iterator<char>(in), {}}, mode);
    }
  }
  return tree;
}

// Compressible, without long repetitions.
inline std::string words(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < size) {
    text += "word" + std::to_string(random() % 5000) + (random() % 9 == 0 ? "\n" : " ");
  }
  text.resize(size);
  return text;
}
inline std::string noise(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}
// Replaces, inserts and cuts pieces.
inline std::string edited(std::string text, unsigned edits, unsigned seed) {
  std::mt19937 random(seed);
  for (unsigned i = 0; i < edits && !text.empty(); ++i) {
    std::size_t at = random() % text.size();
    std::string piece = noise(random() % 20, static_cast<unsigned>(random()));
    switch (random() % 3) {
      case 0:
        text.replace(at, piece.size(), piece);
        break;
      case 1:
        text.insert(at, piece);
        break;
      default:
        text.erase(at, piece.size());
        break;
    }
  }
  return text;
}

// An old and a new tree on disk, their listings, and the ways between them.
class Pair {
 public:
  Pair(const Tree& old_tree, const Tree& new_tree) {
    write_tree(old_dir(), old_tree);
    write_tree(new_dir(), new_tree);
    old_listing = scan(old_dir());
    new_listing = scan(new_dir());
  }

  [[nodiscard]] Path old_dir() const { return dir.path() / "old"; }
  [[nodiscard]] Path new_dir() const { return dir.path() / "new"; }
  [[nodiscard]] Path delivery() const { return dir.path() / "delivery"; }
  [[nodiscard]] Path out() const { return dir.path() / "out"; }

  trust::Listing scan(const Path& path) {
    auto listing = scan_tree(*disk, path, 1);
    EXPECT_TRUE(listing.ok()) << (listing.ok() ? "" : listing.error().describe());
    return listing.ok() ? *listing : trust::Listing();
  }
  Result<DeliverySummary> make(const MakeOptions& options = quick()) {
    return make_delivery(options, *disk, TreeOnDisk{old_dir(), old_listing},
                         {new_dir(), new_listing}, delivery());
  }
  Result<ApplySummary> apply(const ApplyOptions& options = {}) {
    return apply_delivery(*disk, delivery(), old_listing, old_dir(), new_listing, out(), options);
  }
  static MakeOptions quick() {
    MakeOptions options;
    options.effort = 1;
    return options;
  }

  fakes::TempDir dir;
  std::unique_ptr<Disk> disk = make_posix_disk();
  trust::Listing old_listing;
  trust::Listing new_listing;
};

// Makes, applies and compares; the summary of the delivery for more questions.
inline DeliverySummary expect_round_trip(Pair& pair, const MakeOptions& options = Pair::quick()) {
  Tree wanted = read_tree(pair.new_dir());
  Tree before = read_tree(pair.old_dir());
  auto made = pair.make(options);
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().describe());
  if (!made.ok()) return {};
  ApplyOptions apply;
  apply.max_memory_bytes = options.apply_memory_bytes;
  auto applied = pair.apply(apply);
  EXPECT_TRUE(applied.ok()) << (applied.ok() ? "" : applied.error().describe());
  if (!applied.ok()) return *made;
  EXPECT_TRUE(read_tree(pair.out()) == wanted);
  EXPECT_TRUE(read_tree(pair.old_dir()) == before) << "the base changed";
  EXPECT_EQ(made->length, std::filesystem::file_size(pair.delivery()));
  EXPECT_FALSE(std::filesystem::exists(partial_path(pair.out())));
  return *made;
}

}  // namespace lineside::delta::testing

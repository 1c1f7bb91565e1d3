// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/tree.h"

#include <fmt/format.h>

#include <vector>

namespace lineside::runtime {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxEntries = 2'000'000;
constexpr int kMaxLinks = 16;

using Entries = std::map<std::string, TreeEntry, std::less<>>;

Result<TreeEntry> look(const Disk& disk, const Path& path, FileType type) {
  TreeEntry out{type, 0, {}};
  if (type == FileType::kFile) {
    TRY_ASSIGN(auto info, disk.stat(path));
    if (info) out.size = info->size;
  } else if (type == FileType::kLink) {
    TRY_ASSIGN(out.target, disk.read_link(path));
  }
  return out;
}

Result<void> walk(const Disk& disk, const Path& folder, const std::string& prefix, int depth,
                  Entries& out) {
  if (depth > kMaxDepth) {
    return Error{Code::kTooLarge,
                 fmt::format("{}: more than {} levels", folder.string(), kMaxDepth)};
  }
  TRY_ASSIGN(std::vector<DirEntry> names, disk.list(folder));
  if (out.size() + names.size() > kMaxEntries) {
    return Error{Code::kTooLarge, fmt::format("more than {} entries in the tree", kMaxEntries)};
  }
  for (const DirEntry& entry : names) {
    TRY_ASSIGN(TreeEntry facts, look(disk, folder / entry.name, entry.type));
    std::string path = prefix.empty() ? entry.name : prefix + "/" + entry.name;
    if (entry.type == FileType::kDirectory) {
      TRY(walk(disk, folder / entry.name, path, depth + 1, out));
    }
    out.emplace(std::move(path), std::move(facts));
  }
  return ok();
}

}  // namespace

Result<Tree> Tree::read(const Disk& disk, const Path& root) {
  Tree out;
  TRY_ASSIGN(auto there, disk.stat(root));
  if (there) TRY(walk(disk, root, "", 0, out.entries_));
  return out;
}

std::string Tree::resolve(std::string_view path) const {
  std::string at(path);
  for (int i = 0; i < kMaxLinks; ++i) {
    auto found = entries_.find(at);
    if (found == entries_.end()) return {};
    if (found->second.type != FileType::kLink) return at;
    const std::string& target = found->second.target;
    std::string top = at.substr(0, at.find('/'));
    at = target.starts_with('/') ? join_within(top, target.substr(1))
                                 : join_within(folder_of(at), target);
  }
  return {};
}

std::string_view base_name(std::string_view path) {
  std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view folder_of(std::string_view path) {
  std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string join_within(std::string_view folder, std::string_view path) {
  std::string out(folder);
  while (!path.empty()) {
    std::size_t slash = std::min(path.find('/'), path.size());
    std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (out.empty()) return {};
      out = folder_of(out);
    } else {
      out.append(out.empty() ? "" : "/").append(part);
    }
  }
  return out;
}

}  // namespace lineside::runtime

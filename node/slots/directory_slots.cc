// SPDX-License-Identifier: Apache-2.0
#include "node/slots/directory_slots.h"

#include <utility>

#include "delta/apply_delivery.h"

namespace lineside::node {

using trust::TreeId;

DirectorySlots::DirectorySlots(Disk& disk, Path state) : disk_(disk), state_(std::move(state)) {}

Path DirectorySlots::dir(const TreeId& tree) const {
  return state_ / "slots" / tree.hex();
}

Result<bool> DirectorySlots::has(const TreeId& tree) const {
  TRY_ASSIGN(auto info, disk_.stat(dir(tree)));
  return info && info->type == FileType::kDirectory;
}

Result<std::vector<TreeId>> DirectorySlots::trees() const {
  std::vector<TreeId> found;
  TRY_ASSIGN(auto info, disk_.stat(state_ / "slots"));
  if (!info) return found;
  TRY_ASSIGN(auto entries, disk_.list(state_ / "slots"));
  for (const DirEntry& entry : entries) {
    auto tree = Digest::parse(entry.name);
    if (entry.type == FileType::kDirectory && tree.ok()) found.push_back(*tree);
  }
  return found;
}

Path DirectorySlots::rebuild_dir(const TreeId& tree) const {
  return state_ / "slots" / (tree.hex() + ".rebuilt");
}

Result<void> DirectorySlots::adopt_rebuilt(const TreeId& tree) {
  TRY(disk_.exchange(rebuild_dir(tree), dir(tree)));
  return disk_.remove_tree(rebuild_dir(tree));
}

Result<std::optional<TreeId>> DirectorySlots::current() const {
  TRY_ASSIGN(auto info, disk_.stat(state_ / "current"));
  if (!info) return std::optional<TreeId>();
  TRY_ASSIGN(std::string target, disk_.read_link(state_ / "current"));
  auto tree = Digest::parse(Path(target).filename().string());
  if (!tree.ok() || target != "slots/" + tree->hex()) {
    return Error{Code::kConflict, "current points to " + target + ", which is no slot"};
  }
  return std::optional<TreeId>(*tree);
}

Result<void> DirectorySlots::activate(const std::optional<TreeId>& tree) {
  TRY_ASSIGN(auto now, current());
  if (now == tree) return ok();
  if (!tree) return disk_.remove(state_ / "current");
  TRY_ASSIGN(bool there, has(*tree));
  if (!there) return Error{Code::kNotFound, "no slot holds tree " + tree->hex()};
  return disk_.replace_link("slots/" + tree->hex(), state_ / "current");
}

Result<void> DirectorySlots::mark_good(const TreeId& tree) {
  TRY_ASSIGN(auto now, current());
  if (now == tree) return ok();
  return Error{Code::kConflict, "tree " + tree.hex() + " is not current"};
}

Result<void> DirectorySlots::collect(const std::set<TreeId>& keep) {
  TRY_ASSIGN(auto info, disk_.stat(state_ / "slots"));
  if (!info) return ok();
  TRY_ASSIGN(auto now, current());
  std::set<std::string> names;
  for (const TreeId& tree : keep) {
    names.insert(dir(tree).filename());
    names.insert(delta::partial_path(dir(tree)).filename());
  }
  if (now) names.insert(now->hex());
  TRY_ASSIGN(auto entries, disk_.list(state_ / "slots"));
  for (const DirEntry& entry : entries) {
    if (names.count(entry.name) == 0) TRY(disk_.remove_tree(state_ / "slots" / entry.name));
  }
  return ok();
}

}  // namespace lineside::node

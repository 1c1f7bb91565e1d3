// SPDX-License-Identifier: Apache-2.0
#include "delta/plan.h"

#include <unordered_map>

namespace lineside::delta {
namespace {

using trust::Entry;
using trust::EntryType;
// Roots are SHA-256: an equal root with another length is told apart by comparing both.
using ByRoot = std::unordered_multimap<Digest, std::uint32_t, DigestHash>;

const Entry* same_bytes(const Entry& a, const Entry& b) {
  return a.length == b.length && a.root == b.root ? &a : nullptr;
}

void find_source(PlannedFile& file, const TreePlan& plan, const ByRoot& base, const ByRoot& coded) {
  bool found = false;
  auto [begin, end] = base.equal_range(file.entry->root);
  for (auto it = begin; it != end; ++it) {
    const Entry& candidate = *plan.base_files[it->second];
    if (same_bytes(candidate, *file.entry) == nullptr) continue;
    bool same_path = candidate.path == file.entry->path;
    if (!found || same_path || it->second < file.source) file.source = it->second;
    found = true;
    if (same_path) break;
  }
  if (found) {
    file.origin = Origin::kSame;
    return;
  }
  auto [first, last] = coded.equal_range(file.entry->root);
  for (auto it = first; it != last; ++it) {
    if (same_bytes(*plan.files[it->second].entry, *file.entry) == nullptr) continue;
    file.origin = Origin::kTwin;
    file.source = it->second;
    return;
  }
}

}  // namespace

TreePlan plan_tree(const trust::Listing& base, const trust::Listing& target) {
  TreePlan plan;
  ByRoot base_by_root;
  ByRoot coded_by_root;
  for (const Entry& entry : base.entries) {
    if (entry.type != EntryType::kFile) continue;
    base_by_root.emplace(entry.root, static_cast<std::uint32_t>(plan.base_files.size()));
    plan.base_files.push_back(&entry);
  }
  for (const Entry& entry : target.entries) {
    if (entry.type != EntryType::kFile) continue;
    auto number = static_cast<std::uint32_t>(plan.files.size());
    PlannedFile file{&entry, Origin::kCoded, 0};
    if (entry.length == 0) {
      file.origin = Origin::kEmpty;
    } else {
      find_source(file, plan, base_by_root, coded_by_root);
    }
    if (file.origin == Origin::kCoded) {
      coded_by_root.emplace(entry.root, number);
      plan.coded.push_back(number);
    }
    plan.files.push_back(file);
  }
  return plan;
}

}  // namespace lineside::delta

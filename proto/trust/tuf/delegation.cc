// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/tuf/delegation.h"

#include <algorithm>

#include "proto/base/sha256.h"

namespace lineside::trust::tuf {
namespace {

// Linear in memory and at worst |pattern| * |text| steps: on a mismatch only the last star is tried
// again, which is enough.
bool matches_part(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// Cuts the part before the first "/" off; false if there was none.
bool cut_part(std::string_view& rest, std::string_view& part) {
  std::size_t slash = rest.find('/');
  part = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  return slash != std::string_view::npos;
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view path) {
  while (true) {
    std::string_view pattern_part;
    std::string_view path_part;
    bool more_pattern = cut_part(pattern, pattern_part);
    bool more_path = cut_part(path, path_part);
    if (more_pattern != more_path || !matches_part(pattern_part, path_part)) return false;
    if (!more_path) return true;
  }
}

bool matches(const DelegatedRole& role, std::string_view target) {
  if (std::any_of(role.paths.begin(), role.paths.end(),
                  [&](const std::string& path) { return matches_pattern(path, target); })) {
    return true;
  }
  std::string hash = sha256(as_bytes(target)).hex();
  return std::any_of(role.path_hash_prefixes.begin(), role.path_hash_prefixes.end(),
                     [&](const std::string& prefix) { return hash.starts_with(prefix); });
}

void DelegationWalk::descend(const RolePath& delegator, const Targets& delegations,
                             std::string_view target) {
  std::vector<RolePath> children;
  for (const DelegatedRole& role : delegations.roles) {
    if (!matches(role, target)) continue;
    children.push_back(delegator);
    children.back().push_back(role.name);
    if (role.terminating) {
      pending_.clear();
      break;
    }
  }
  pending_.insert(pending_.end(), children.rbegin(), children.rend());
}

std::optional<RolePath> DelegationWalk::next() {
  while (!pending_.empty() && visited_.size() < kMaxVisited) {
    RolePath path = std::move(pending_.back());
    pending_.pop_back();
    if (visited_.insert(path.back()).second) return path;
  }
  return std::nullopt;
}

}  // namespace lineside::trust::tuf

// SPDX-License-Identifier: Apache-2.0
// Which delegated roles may speak of a target, and in what order they are asked (4.5, 5.6.7).
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proto/trust/tuf/metadata.h"

namespace lineside::trust::tuf {

// A pattern and a path with the same number of "/"-separated parts; in each part "*" stands for any
// bytes and "?" for one. Case counts; brackets and backslashes mean themselves.
bool matches_pattern(std::string_view pattern, std::string_view path);
bool matches(const DelegatedRole& role, std::string_view target);

// The walk of 5.6.7: pre-order, depth first, each role once, at most kMaxVisited of them.
//
//     DelegationWalk walk;
//     walk.descend({"targets"}, targets, name);
//     while (auto path = walk.next()) { load path->back(), …; walk.descend(*path, it, name); }
class DelegationWalk {
 public:
  static constexpr std::size_t kMaxVisited = 32;

  // Puts the roles to which `delegator` delegates `target` before everything that is still to
  // visit; a terminating one drops all that would come after it (CVE-2025-2886).
  void descend(const RolePath& delegator, const Targets& delegations, std::string_view target);
  // nullopt at the end, or when kMaxVisited roles were visited.
  std::optional<RolePath> next();

 private:
  std::vector<RolePath> pending_;  // the next one last
  std::set<std::string, std::less<>> visited_;
};

}  // namespace lineside::trust::tuf

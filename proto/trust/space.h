// SPDX-License-Identifier: Apache-2.0
// How much free disk a device needs before it begins to fetch: one rule for the device, which
// enforces it, and for the plan, which foretells it.
#pragma once

#include <cstdint>

namespace lineside::trust {

inline constexpr std::uint64_t kSpareBytes = 16ULL << 20;  // left free for logs and state

// In bytes, for a tree of `tree_length` made from a delivery of `delivery_length`. Nothing is
// counted as shared with a tree that stands there already: whether it can be is known only
// afterwards.
constexpr std::uint64_t space_needed(std::uint64_t tree_length, std::uint64_t delivery_length) {
  return tree_length + delivery_length + kSpareBytes;
}

}  // namespace lineside::trust

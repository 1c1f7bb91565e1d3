// SPDX-License-Identifier: Apache-2.0
// The cheapest way from trees that are held to one that is wanted, along signed deliveries.
//
//     held ──▶ … ──▶ base ──▶ wanted      cost: bytes of every delivery that is still to come, and
//                                         of manifest and listing of every tree in between
//
// The graph is searched backwards from what is wanted, the cheapest first, so that the manifest of
// a tree is looked at only while a way through it can still be the cheapest. Looking costs bytes,
// too: never more than a hundredth of the best way that is known by then. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "proto/trust/manifest.h"

namespace lineside::seeder {

struct SignedRoute {
  std::vector<trust::Delivery> steps;  // in the order in which they are applied
  std::uint64_t bytes = 0;             // still to come, manifests and listings in between included

  [[nodiscard]] const trust::TreeId& base() const { return steps.front().base; }
};

// What the search asks. All are called with trees that a signed delivery names.
struct RouteQuestions {
  std::function<bool(const trust::TreeId&)> holds;
  std::function<std::uint64_t(const trust::Delivery&)> remaining;  // bytes still to come
  // Bytes of a tree's manifest and listing that are still to come; nullopt: nothing names it.
  struct Facts {
    std::uint64_t manifest = 0;
    std::uint64_t listing = 0;
  };
  std::function<std::optional<Facts>(const trust::TreeId&)> facts;
  // The deliveries to a tree; nullopt if its manifest cannot be had now. Fetches it if need be.
  std::function<std::optional<std::vector<trust::Delivery>>(const trust::TreeId&)> deliveries;
};

// `wanted` is not held. nullopt if no way leads there.
std::optional<SignedRoute> cheapest_route(const trust::Manifest& wanted, const RouteQuestions& ask);

}  // namespace lineside::seeder

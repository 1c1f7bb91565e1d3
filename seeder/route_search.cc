// SPDX-License-Identifier: Apache-2.0
#include "seeder/route_search.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

namespace lineside::seeder {
namespace {

// The share of the best way's bytes that looking for a better one may cost.
constexpr std::uint64_t kLookingShare = 100;

class Search {
 public:
  Search(const trust::Manifest& wanted, const RouteQuestions& ask) : ask_(ask) {
    done_.insert(wanted.tree);
    widen(wanted.deliveries, 0);
  }

  std::optional<SignedRoute> run() {
    while (!queue_.empty()) {
      auto [cost, tree] = *queue_.begin();
      queue_.erase(queue_.begin());
      done_.insert(tree);
      if (ask_.holds(tree)) return route(tree, cost);
      look_behind(tree, cost);
    }
    return std::nullopt;
  }

 private:
  // The best way that is known, whether it is taken or not.
  [[nodiscard]] std::uint64_t best() const {
    for (const auto& [cost, tree] : queue_) {
      if (ask_.holds(tree)) return cost;
    }
    return std::numeric_limits<std::uint64_t>::max();
  }

  void look_behind(const trust::TreeId& tree, std::uint64_t cost) {
    auto facts = ask_.facts(tree);
    if (!facts || looked_ + facts->manifest > best() / kLookingShare) return;
    looked_ += facts->manifest;
    if (auto deliveries = ask_.deliveries(tree)) widen(*deliveries, cost);
  }

  void widen(const std::vector<trust::Delivery>& deliveries, std::uint64_t cost) {
    for (const trust::Delivery& delivery : deliveries) {
      if (done_.contains(delivery.base)) continue;
      std::uint64_t through = cost + ask_.remaining(delivery);
      if (!ask_.holds(delivery.base)) {
        auto facts = ask_.facts(delivery.base);
        if (!facts) continue;
        through += facts->manifest + facts->listing;
      }
      auto known = ways_.find(delivery.base);
      if (known != ways_.end() && known->second.cost <= through) continue;
      if (known != ways_.end()) queue_.erase({known->second.cost, delivery.base});
      ways_[delivery.base] = {through, delivery};
      queue_.insert({through, delivery.base});
    }
  }

  [[nodiscard]] SignedRoute route(trust::TreeId tree, std::uint64_t cost) const {
    SignedRoute found;
    found.bytes = cost;
    for (auto way = ways_.find(tree); way != ways_.end(); way = ways_.find(tree)) {
      found.steps.push_back(way->second.onwards);
      tree = way->second.onwards.target;
    }
    return found;
  }

  struct Way {
    std::uint64_t cost = 0;
    trust::Delivery onwards;  // the step from this tree towards the wanted one
  };
  const RouteQuestions& ask_;
  std::map<trust::TreeId, Way> ways_;
  std::set<std::pair<std::uint64_t, trust::TreeId>> queue_;  // by cost
  std::set<trust::TreeId> done_;
  std::uint64_t looked_ = 0;  // bytes of manifests that were looked at
};

}  // namespace

std::optional<SignedRoute> cheapest_route(const trust::Manifest& wanted,
                                          const RouteQuestions& ask) {
  return Search(wanted, ask).run();
}

}  // namespace lineside::seeder

// SPDX-License-Identifier: Apache-2.0
#include "seeder/route_search.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace lineside::seeder {
namespace {

Digest tree(const std::string& name) {
  return sha256(as_bytes(name));
}

// A vendor's deliveries by name: {"2", {{"1", 100}}} is one of 100 bytes from tree 1 to tree 2.
struct World {
  std::map<std::string, std::map<std::string, std::uint64_t>> deliveries;
  std::set<std::string> held;
  std::uint64_t manifest = 10;
  std::uint64_t listing = 5;
  std::set<std::string> asked = {};  // whose manifest was looked at

  [[nodiscard]] std::vector<trust::Delivery> to(const std::string& name) const {
    std::vector<trust::Delivery> made;
    for (const auto& [base, length] : deliveries.at(name)) {
      made.push_back({tree(base), tree(name), length, tree(base + ">" + name)});
    }
    return made;
  }
  [[nodiscard]] std::string name_of(const Digest& wanted) const {
    for (const auto& [name, from] : deliveries) {
      if (tree(name) == wanted) return name;
    }
    return "";
  }

  // "0>1>2 = 150", or "none".
  std::string search(const std::string& wanted) {
    trust::Manifest manifest_of_it;
    manifest_of_it.tree = tree(wanted);
    manifest_of_it.deliveries = to(wanted);
    RouteQuestions ask{[&](const Digest& one) {
                         return std::any_of(held.begin(), held.end(),
                                            [&](const auto& name) { return tree(name) == one; });
                       },
                       [](const trust::Delivery& delivery) { return delivery.length; },
                       [&](const Digest& one) -> std::optional<RouteQuestions::Facts> {
                         if (name_of(one).empty()) return std::nullopt;
                         return RouteQuestions::Facts{manifest, listing};
                       },
                       [&](const Digest& one) -> std::optional<std::vector<trust::Delivery>> {
                         asked.insert(name_of(one));
                         return to(name_of(one));
                       }};
    auto route = cheapest_route(manifest_of_it, ask);
    if (!route) return "none";
    std::string text;
    for (const trust::Delivery& step : route->steps) {
      for (const auto& [target, bases] : deliveries) {
        for (const auto& [base, length] : bases) {
          if (step.root == tree(base + ">" + target)) text += base + ">";
        }
      }
    }
    return text + wanted + " = " + std::to_string(route->bytes);
  }
};

TEST(RouteSearchTest, TakesTheCheapestDirectDelivery) {
  World world{{{"3", {{"0", 900'000}, {"1", 500}, {"2", 400}}}}, {"0", "1"}};
  EXPECT_EQ(world.search("3"), "1>3 = 500");
}

TEST(RouteSearchTest, TakesAChainIfItIsCheaperThanTheFullDelivery) {
  World world{{{"3", {{"0", 900'000}, {"2", 400}}}, {"2", {{"0", 800'000}, {"1", 300}}}},
              {"0", "1"}};
  EXPECT_EQ(world.search("3"), "1>2>3 = 715");
}

TEST(RouteSearchTest, WhatAManifestInBetweenCostsIsPartOfTheWay) {
  World world{{{"3", {{"0", 2000}, {"2", 400}}}, {"2", {{"1", 300}}}}, {"0", "1"}};
  world.listing = 1400;
  EXPECT_EQ(world.search("3"), "0>3 = 2000");
}

TEST(RouteSearchTest, LooksBehindNothingThatCannotBeCheaper) {
  World world{{{"3", {{"0", 500}, {"2", 600}}}, {"2", {{"1", 1}}}}, {"0", "1"}};
  EXPECT_EQ(world.search("3"), "0>3 = 500");
  EXPECT_TRUE(world.asked.empty());
}

TEST(RouteSearchTest, LookingCostsAHundredthOfTheBestWayAtMost) {
  World world{{{"9", {{"0", 2000}, {"6", 10}, {"7", 20}, {"8", 30}}},
               {"6", {{"0", 9000}}},
               {"7", {{"0", 9000}}},
               {"8", {{"0", 9000}}}},
              {"0"}};
  EXPECT_EQ(world.search("9"), "0>9 = 2000");
  EXPECT_EQ(world.asked.size(), 2U) << "two manifests of 10 bytes each";
}

TEST(RouteSearchTest, GoesThroughTreesInACircleOnce) {
  World world{
      {{"3", {{"2", 1}, {"1", 9}}}, {"2", {{"3", 1}, {"1", 1}}}, {"1", {{"2", 1}, {"0", 7}}}},
      {"0"}};
  EXPECT_EQ(world.search("3"), "0>1>3 = 31");
}

TEST(RouteSearchTest, WithoutAWayThereIsNone) {
  World world{{{"3", {{"2", 1}}}, {"2", {{"1", 1}}}}, {"0"}};
  EXPECT_EQ(world.search("3"), "none");
}

}  // namespace
}  // namespace lineside::seeder

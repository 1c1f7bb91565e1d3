// SPDX-License-Identifier: Apache-2.0
#include "seeder/ctl/plan.h"

#include <gtest/gtest.h>

#include "proto/trust/space.h"
#include "tests/fakes/signed_site.h"

namespace lineside::ctl {
namespace {

struct PlanTest : ::testing::Test {
  fakes::SignedSite site;
  std::vector<seeder::NodeRow> nodes;
  seeder::PlanView view;
  RolloutWish wish;

  void SetUp() override {
    view.wan_bytes = 70'000;
    view.routes = {{sha256({}), 900'000'000, true}, {sha256(as_bytes("1.9")), 70'000, true}};
    for (const trust::Device& device : site.roster.devices) {
      seeder::NodeRow node;
      node.device = device.id;
      node.hardware = device.hardware;
      node.groups = device.groups;
      node.canary = device.canary;
      node.report.emplace();
      node.report->trees = {sha256(as_bytes("1.9"))};
      node.report->free_bytes = trust::space_needed(site.manifest.tree_length, 70'000);
      nodes.push_back(std::move(node));
    }
  }
  RolloutPlan plan() {
    return plan_rollout({site.roster, nodes, site.manifest, site.manifest_digest(), view, 18,
                         fakes::at("2026-11-22T12:00:00Z")},
                        wish);
  }
  static const PlannedDevice& device(const RolloutPlan& plan, const std::string& id) {
    for (const PlannedDevice& item : plan.devices) {
      if (item.device == id) return item;
    }
    throw std::runtime_error("no " + id);
  }
  seeder::NodeRow& node(const std::string& id) {
    for (seeder::NodeRow& item : nodes) {
      if (item.device == id) return item;
    }
    throw std::runtime_error("no " + id);
  }
};

TEST_F(PlanTest, EachDeviceTakesTheSmallestDeliveryFromWhatItHolds) {
  node("cam03").report->trees.clear();
  node("cam03").report->free_bytes = 1ULL << 40;
  RolloutPlan made = plan();
  EXPECT_EQ(device(made, "cam02").verdict, Verdict::kTakes);
  EXPECT_EQ(device(made, "cam02").bytes, 70'000U);
  EXPECT_EQ(device(made, "cam03").bytes, 900'000'000U);
  EXPECT_EQ(made.forecast.lan_bytes, 900'280'000U);
  EXPECT_EQ(made.forecast.wan_bytes, 70'000U);
  EXPECT_TRUE(signable(made, wish).ok());
}

TEST_F(PlanTest, ADeviceThatRunsItAlreadyHasNothingToDoHoweverFullItIs) {
  node("cam02").report->tree = site.manifest.tree;
  node("cam02").report->free_bytes = 0;
  RolloutPlan made = plan();
  EXPECT_EQ(device(made, "cam02").verdict, Verdict::kHolds);
  EXPECT_EQ(made.forecast.devices, 4U);
  EXPECT_TRUE(signable(made, wish).ok());
}

TEST_F(PlanTest, ADeviceThatRunsItAndDoesNotInferIsNamed) {
  node("cam02").report->tree = site.manifest.tree;
  node("cam02").report->inferring_cause = "deps.import: numpy";
  node("cam03").report->tree = site.manifest.tree;
  node("cam03").report->inferring = true;
  RolloutPlan made = plan();
  EXPECT_EQ(made.dead(), std::vector<std::string>{"cam02"});
  EXPECT_NE(device(made, "cam02").why.find("does NOT INFER: deps.import: numpy"),
            std::string::npos);
  EXPECT_NE(device(made, "cam03").why.find("nothing to do"), std::string::npos);
}

TEST_F(PlanTest, TheTimeHoldsWhatDevicesDoBesideReceiving) {
  site.manifest.tree_length = 150'000'000;
  RolloutPlan quick = plan();
  node("cam02").report->check.emplace();
  node("cam02").report->check->measured["wall_ms"] = "60000";
  RolloutPlan slow = plan();
  auto steps = static_cast<std::int64_t>(slow.directive->batch_count());
  EXPECT_GE(slow.forecast.work_seconds, 60 * (1 + steps)) << "one check staged, one in each trial";
  EXPECT_LT(quick.forecast.work_seconds, 60);
  EXPECT_GT(quick.forecast.work_seconds, 0);
  view.held = true;
  EXPECT_LT(plan().forecast.work_seconds, slow.forecast.work_seconds) << "the gateway has it";
  wish.batch_size = 1;
  EXPECT_GT(plan().forecast.work_seconds, slow.forecast.work_seconds) << "more steps";
}

TEST_F(PlanTest, ABundleThatFailedBeforeIsRemembered) {
  std::vector<seeder::RolloutSummary> rollouts = {{1, "vision/2.0.0.json", "done", 5, ""},
                                                  {2, "vision/2.0.0.json", "failed", 0, "canary"},
                                                  {3, "vision/1.0.0.json", "done", 5, ""}};
  ASSERT_TRUE(ended_badly(rollouts, "vision/2.0.0.json"));
  EXPECT_EQ(ended_badly(rollouts, "vision/2.0.0.json")->sequence, 2);
  EXPECT_FALSE(ended_badly(rollouts, "vision/1.0.0.json"));
  rollouts.push_back({4, "vision/2.0.0.json", "done", 5, ""});
  EXPECT_FALSE(ended_badly(rollouts, "vision/2.0.0.json")) << "it went well since";
  EXPECT_FALSE(ended_badly({}, "vision/1.0.0.json"));
}

TEST_F(PlanTest, TheSpaceRuleIsTheDevicesOwn) {
  node("cam02").report->free_bytes -= 1;
  RolloutPlan made = plan();
  EXPECT_EQ(device(made, "cam02").verdict, Verdict::kRefused);
  EXPECT_NE(device(made, "cam02").why.find("free"), std::string::npos);
}

TEST_F(PlanTest, WhatThePlanRefusesIsNotSignedUnlessItIsLeftOut) {
  node("cam02").report->free_bytes = 0;
  Result<trust::Directive> refused = signable(plan(), wish);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kIncompatible);
  EXPECT_NE(refused.error().what.find("cam02 ("), std::string::npos);
  EXPECT_NE(refused.error().what.find("--skip-refused"), std::string::npos);
  wish.skip_refused = true;
  auto directive = fakes::must(signable(plan(), wish));
  EXPECT_EQ(directive.devices, (std::vector<std::string>{"cam01", "cam03", "ipc01", "ipc02"}));
}

TEST_F(PlanTest, ARefusedCanaryThatWasNamedIsNotLeftOutSilently) {
  node("cam01").report->free_bytes = 0;
  wish.canaries = {"cam01", "ipc01"};
  wish.skip_refused = true;
  EXPECT_FALSE(signable(plan(), wish).ok());
}

TEST_F(PlanTest, SelectorsSayWhoIsMeant) {
  wish.devices = {"cam01", "cam02"};
  RolloutPlan made = plan();
  EXPECT_EQ(device(made, "cam02").batch, 1U);
  EXPECT_EQ(device(made, "cam03").verdict, Verdict::kNotMeant);
  EXPECT_EQ(device(made, "ipc01").verdict, Verdict::kNotMeant);
  EXPECT_EQ(made.forecast.devices, 2U);
  wish.devices.clear();
  wish.groups = {"line9"};
  EXPECT_EQ(plan().forecast.devices, 0U);
}

TEST_F(PlanTest, ADeviceThatWasNeverHeardOfIsNoRefusal) {
  node("cam02").report.reset();
  RolloutPlan made = plan();
  EXPECT_EQ(device(made, "cam02").verdict, Verdict::kUnheard);
  EXPECT_TRUE(signable(made, wish).ok());
}

TEST_F(PlanTest, ANamedDeviceThatTheBundleDoesNotFitIsRefusedByName) {
  node("cam02").hardware = {"tpu"};
  wish.devices = {"cam01", "cam02"};
  RolloutPlan made = plan();
  EXPECT_EQ(device(made, "cam02").verdict, Verdict::kRefused);
  EXPECT_NE(device(made, "cam02").why.find("tpu"), std::string::npos);
}

}  // namespace
}  // namespace lineside::ctl

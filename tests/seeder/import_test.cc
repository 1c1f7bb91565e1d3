// SPDX-License-Identifier: Apache-2.0
// What comes by another way than the WAN, and what keeps the WAN to its bounds.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/seeder/supply_fixture.h"

namespace lineside::seeder {
namespace {

struct ImportTest : SupplyFixture {
  // A copy of what the vendor offers now.
  Path stick(const std::string& name = "stick") {
    std::filesystem::copy(vendor.folder(), dir / name, std::filesystem::copy_options::recursive);
    return dir / name;
  }
  Result<void> import(const Path& folder, const std::string& bundle = "") {
    Result<void> done = supply->import(folder, bundle);
    while (!done.ok() && done.error().code == Code::kTimeout) {
      done = supply->import(folder, bundle);
    }
    return done;
  }
};

TEST_F(ImportTest, ASiteWithoutAWanIsSuppliedFromAStick) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(100'000, 1)}});
  server.misbehave(fakes::Misdeed::kNotFound);
  start();
  must(import(stick()));
  EXPECT_TRUE(bundles.has_tree(one.tree));
  EXPECT_EQ(must(store->wan(one.target_name())).payload, 0U);
  direct(1, one);
  EXPECT_TRUE(await([&] { return supply->offer(sha256({}), one.tree, {}).ok(); }));
  ASSERT_EQ(events("import").size(), 1U);
}

TEST_F(ImportTest, TakesTheNewestReleaseOfABundleUnlessOneIsNamed) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(9000, 1)}});
  trust::Manifest two = vendor.publish("2.0.0", 2, {{"models/a", noise(9000, 2)}});
  start();
  Path folder = stick();
  must(import(folder));
  EXPECT_TRUE(bundles.has_tree(two.tree));
  EXPECT_FALSE(bundles.has_tree(one.tree));
  must(import(folder, one.target_name()));
  EXPECT_TRUE(bundles.has_tree(one.tree));
}

TEST_F(ImportTest, AForgedStickIsRefused) {
  VendorOrigin stranger;
  trust::Manifest forged = stranger.publish("1.0.0", 1, {{"models/a", noise(9000, 1)}});
  start();
  Result<void> refused = import(stranger.folder());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kBadSignature) << refused.error().describe();
  EXPECT_FALSE(bundles.has_tree(forged.tree));
}

TEST_F(ImportTest, ADeliveryThatWasChangedOnTheStickIsRefused) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(9000, 1)}});
  start();
  Path folder = stick();
  Bytes other(one.deliveries[0].length, 0x55);
  must(disk->replace(folder / "deliveries" / one.deliveries[0].root.hex(), other));
  Result<void> refused = import(folder);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kMismatch) << refused.error().describe();
  EXPECT_FALSE(bundles.has_tree(one.tree));
}

TEST_F(ImportTest, AnOlderStickStillHelpsWithWhatTheVendorStillLists) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(9000, 1)}});
  Path old = stick("old");
  vendor.publish("2.0.0", 2, {{"models/a", noise(9000, 2)}});
  start();
  must(supply->refresh());
  must(import(old, one.target_name()));
  EXPECT_TRUE(bundles.has_tree(one.tree));
}

TEST_F(ImportTest, AStickWithoutADeliveryThatFitsIsAnErrorThatSaysSo) {
  vendor.publish("1.0.0", 1, {{"models/a", noise(9000, 1)}});
  start();
  Path folder = stick();
  std::filesystem::remove_all(folder / "deliveries");
  Result<void> refused = import(folder);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kConflict);
  EXPECT_NE(refused.error().what.find(folder.string()), std::string::npos);
}

TEST_F(ImportTest, WhatWasImportedIsKeptForItsRollout) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(9000, 1)}});
  start();
  must(import(stick()));
  report_trees({});
  clock.advance(std::chrono::hours(48));
  supply->wake();
  settle();
  EXPECT_TRUE(bundles.has_tree(one.tree));
}

TEST_F(ImportTest, AStickHelpsARolloutThatWaitsForItsBudget) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(100'000, 1)}});
  start({}, {50'000, 0});
  direct(1, one);
  ASSERT_TRUE(await([&] { return supply->row().state == "asking"; })) << supply->row().text;
  must(import(stick()));
  EXPECT_TRUE(await([&] { return supply->offer(sha256({}), one.tree, {}).ok(); }));
}

TEST_F(ImportTest, ABudgetAsksAnOperatorAndGoesOnWhenOneAllowsMore) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(100'000, 1)}});
  start({}, {50'000, 0});
  direct(1, one);
  ASSERT_TRUE(await([&] { return supply->row().state == "asking"; })) << supply->row().text;
  EXPECT_NE(supply->row().text.find("lineside allow vision/1.0.0 "), std::string::npos);
  ASSERT_EQ(events("budget").size(), 1U) << "said once";
  must(supply->allow(one.target_name(), 60'000, "operator anna"));
  EXPECT_TRUE(await([&] { return bundles.has_tree(one.tree); })) << supply->row().text;
  EXPECT_EQ(events("budget").size(), 2U);
  EXPECT_EQ(supply->allow("vision/9.9.9.json", 1, "operator anna").error().code, Code::kNotFound);
}

TEST_F(ImportTest, OutsideItsHoursTheWanCarriesMetadataOnly) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(100'000, 1)}});
  MinuteOfDay now = local_minute(clock.now());
  auto text = [](MinuteOfDay at) {
    at %= 24 * 60;
    char made[32];
    std::snprintf(made, sizeof made, "%02d:%02d", static_cast<int>(at.count()) / 60,
                  static_cast<int>(at.count()) % 60);
    return std::string(made);
  };
  SupplyOptions options;
  using std::chrono::minutes;
  options.window =
      must(WanWindow::parse({text(now + minutes(120)) + "-" + text(now + minutes(180))}));
  start(options);
  direct(1, one);
  ASSERT_TRUE(await([&] { return supply->row().state == "waiting"; })) << supply->row().text;
  EXPECT_NE(supply->row().text.find(options.window.text()), std::string::npos);
  EXPECT_GE(*supply->row().retry_at, clock.now() + minutes(119)) << "it says when it opens";
  EXPECT_GT(must(store->wan(one.target_name())).metadata, 0U);
  EXPECT_EQ(must(store->wan(one.target_name())).payload, 0U);
  clock.advance(minutes(121));
  supply->wake();
  EXPECT_TRUE(await([&] { return bundles.has_tree(one.tree); })) << supply->row().text;
}

}  // namespace
}  // namespace lineside::seeder

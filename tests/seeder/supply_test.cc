// SPDX-License-Identifier: Apache-2.0
#include "seeder/supply.h"

#include <gtest/gtest.h>

#include "tests/seeder/supply_fixture.h"

namespace lineside::seeder {
namespace {

struct SupplyTest : SupplyFixture {};

TEST_F(SupplyTest, ANewDirectiveEndsTheDownloadForTheOldOne) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(400'000, 1)}});
  trust::Manifest two = vendor.publish("2.0.0", 2, {{"models/b", noise(1000, 2)}});
  start();
  must(supply->refresh());
  must(supply->plan(one.target_name()));
  must(supply->plan(two.target_name()));
  // Metadata are smaller than this; the delivery is not, and stands still after it.
  server.misbehave(fakes::Misdeed::kDrip, 120'000);
  direct(1, one);
  ASSERT_TRUE(await([&] { return supply->row().state == "fetching" && supply->row().done > 0; }));
  server.behave();
  direct(2, two);
  EXPECT_TRUE(await([&] { return bundles.has_tree(two.tree); }));
  EXPECT_FALSE(bundles.has_tree(one.tree));
  // It was ended, it did not fail by itself: a stalled download is recorded.
  for (const Event& event : must(store->events(0, 100))) {
    if (event.kind != "supply") continue;
    EXPECT_EQ(event.text.rfind(two.target_name(), 0), 0U) << event.text;
  }
  server.release();
}

// Packets are dropped, not refused: whoever asks is told what the gateway holds.
TEST_F(SupplyTest, AHangingOriginHoldsUpNobodyWhoAsks) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(1000, 1)}});
  trust::Manifest two = vendor.publish("2.0.0", 2, {{"models/b", noise(1000, 2)}});
  SupplyOptions options;
  options.longest_answer = std::chrono::seconds(20);
  start(options);
  must(supply->plan(one.target_name()));
  supply.reset();
  server.misbehave(fakes::Misdeed::kDrip, 0);
  options.longest_answer = std::chrono::milliseconds(200);
  start(options);
  PlanView plan = must(supply->plan(one.target_name()));
  EXPECT_EQ(plan.wan_bytes, one.deliveries[0].length);
  EXPECT_EQ(supply->bundles().size(), 2U);
  EXPECT_TRUE(supply->bundles()[0].mirrored);
  for (Code code : {supply->plan(two.target_name()).error().code, supply->refresh().error().code}) {
    EXPECT_EQ(code, Code::kTimeout);
  }
  direct(1, one);
  must(site->command(1, Command::kPause, {}));
  must(site->command(1, Command::kAbort, {}));
  // The threads end although the origin still says nothing.
  supply.reset();
}

TEST_F(SupplyTest, ABundleThatIsHeldNeedsNoOrigin) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(1000, 1)}});
  trust::Manifest two = vendor.publish("2.0.0", 2, {{"models/b", noise(1000, 2)}});
  start();
  supply_all(1, one);
  supply_all(2, two);
  server.misbehave(fakes::Misdeed::kDrip, 0);
  (void)supply->refresh();  // it hangs from now on
  direct(3, one);
  auto back = [&] { return supply->offer(sha256({}), one.tree, {}).ok(); };
  EXPECT_TRUE(await(back)) << supply->row().text;
}

TEST_F(SupplyTest, AQuestionToTheOriginInterruptsADownloadThatThenGoesOn) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(400'000, 1)}});
  trust::Manifest two = vendor.publish("2.0.0", 2, {{"models/b", noise(1000, 2)}});
  SupplyOptions options;
  options.longest_answer = std::chrono::seconds(20);
  start(options);
  must(supply->plan(one.target_name()));
  server.misbehave(fakes::Misdeed::kDrip, 120'000);
  direct(1, one);
  ASSERT_TRUE(await([&] { return supply->row().state == "fetching" && supply->row().done > 0; }));
  server.behave();
  EXPECT_EQ(must(supply->plan(two.target_name())).target, two.tree);
  EXPECT_TRUE(await([&] { return bundles.has_tree(one.tree); }));
  EXPECT_LT(must(store->wan(one.target_name())).payload, one.deliveries[0].length + 40'000);
}

TEST_F(SupplyTest, AnAbortedRolloutEndsItsDownload) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(400'000, 1)}});
  start();
  must(supply->plan(one.target_name()));
  server.misbehave(fakes::Misdeed::kDrip, 120'000);
  direct(1, one);
  ASSERT_TRUE(await([&] { return supply->row().state == "fetching" && supply->row().done > 0; }));
  must(site->command(1, Command::kAbort, {}));
  EXPECT_TRUE(await([&] { return supply->row().state == "idle"; })) << supply->row().state;
  server.behave();
  clock.advance(std::chrono::hours(1));
  settle();
  EXPECT_FALSE(bundles.has_tree(one.tree));
  EXPECT_TRUE(events("supply").empty()) << "it was ended, it did not fail";
}

TEST_F(SupplyTest, RetriesWithPausesThatGrowWhateverWakesIt) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(1000, 1)}});
  SupplyOptions options;
  options.longest_answer = std::chrono::seconds(20);
  options.first_retry = std::chrono::seconds(2);
  options.longest_retry = std::chrono::seconds(5);
  start(options);
  server.misbehave(fakes::Misdeed::kServerError);
  UtcTime begin = clock.now();
  direct(1, one);
  auto next_at = [&] {
    auto at = supply->row().retry_at;
    return at ? (*at - begin).count() : -1;
  };
  for (int next : {2, 2 + 4, 6 + 5, 11 + 5}) {
    EXPECT_TRUE(await([&] { return next_at() == next; })) << next << " " << next_at();
    supply->wake();
    settle();
    clock.advance(std::chrono::seconds(1));
    supply->wake();
    settle();
    EXPECT_EQ(next_at(), next);
    clock.advance(begin + std::chrono::seconds(next) - clock.now());
    supply->wake();
  }
  EXPECT_EQ(events("supply").size(), 1U) << "the same failure is told once";
  server.behave();
  clock.advance(std::chrono::seconds(5));
  supply->wake();
  EXPECT_TRUE(await([&] { return bundles.has_tree(one.tree); }));
}

TEST_F(SupplyTest, TellsHowTheOriginFailsAndThatItAnswersAgain) {
  vendor.publish("1.0.0", 1, {{"models/a", "x"}});
  server.misbehave(fakes::Misdeed::kNotFound);
  start();
  settle();
  OriginRow row = supply->origin();
  EXPECT_FALSE(row.succeeded);
  EXPECT_EQ(row.failed, clock.now());
  EXPECT_EQ(row.concerns, "metadata");
  EXPECT_NE(row.error.find("404"), std::string::npos) << row.error;
  settle();
  EXPECT_EQ(events("origin").size(), 1U);
  server.behave();
  must(supply->refresh());
  row = supply->origin();
  EXPECT_EQ(row.succeeded, clock.now());
  EXPECT_EQ(row.error + row.concerns, "");
  EXPECT_EQ(events("origin").size(), 2U);
}

TEST_F(SupplyTest, AFullDiskIsToldAndTriedAgain) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(50'000, 1)}});
  start();
  settle();
  full.fail_from(0);
  direct(1, one);
  ASSERT_TRUE(await([&] { return events("supply").size() == 1; }));
  EXPECT_EQ(supply->row().state, "waiting");
  EXPECT_NE(supply->row().text.find("no space left"), std::string::npos) << supply->row().text;
  EXPECT_EQ(supply->origin().error, "") << "the origin is not to blame";
  full.mend();
  clock.advance(std::chrono::seconds(2));
  supply->wake();
  EXPECT_TRUE(await([&] { return bundles.has_tree(one.tree); }));
}

TEST_F(SupplyTest, ADeliveryThatTheFullDiskForbadeIsMadeLater) {
  std::map<std::string, std::string> files{{"models/a", noise(50'000, 1)}};
  trust::Manifest one = vendor.publish("1.0.0", 1, files);
  files["models/b"] = "new";
  trust::Manifest two = vendor.publish("2.0.0", 2, files);
  start();
  supply_all(1, one);
  supply_all(2, two);
  ASSERT_TRUE(await([&] { return supply->row().state == "ready"; }));
  full.fail_from(0);
  report_trees({one.tree});
  supply->wake();
  ASSERT_TRUE(await([&] { return !events("synthesis").empty(); }));
  EXPECT_NE(events("synthesis")[0].find("no space left"), std::string::npos);
  full.mend();
  clock.advance(std::chrono::minutes(2));
  supply->wake();
  EXPECT_TRUE(await([&] { return bundles.route(one.tree, two.tree).has_value(); }));
}

TEST_F(SupplyTest, CollectsWhatNobodyNeeds) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(9000, 1)}});
  trust::Manifest two = vendor.publish("2.0.0", 2, {{"models/a", noise(9000, 2)}});
  trust::Manifest three = vendor.publish("3.0.0", 3, {{"models/a", noise(9000, 3)}});
  SupplyOptions options;
  options.keep_bundles = 1;
  start(options);
  supply_all(1, one);
  report_trees({one.tree});
  supply_all(2, two);
  supply_all(3, three);
  ASSERT_TRUE(bundles.has_tree(two.tree)) << "the gateway has only begun to listen";
  clock.advance(std::chrono::hours(25));
  supply->wake();
  ASSERT_TRUE(await([&] { return !bundles.has_tree(two.tree); }));
  ASSERT_TRUE(await([&] { return !events("collect").empty(); }));
  EXPECT_NE(events("collect")[0].find("1 trees"), std::string::npos) << events("collect")[0];
  EXPECT_TRUE(bundles.has_tree(one.tree)) << "a node reports it";
  EXPECT_TRUE(bundles.has_tree(three.tree));
  EXPECT_TRUE(bundles.route(sha256({}), three.tree)) << "it is served";
}

TEST_F(SupplyTest, CollectsAtTheEndOfARollout) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(9000, 1)}});
  trust::Manifest two = vendor.publish("2.0.0", 2, {{"models/a", noise(9000, 2)}});
  trust::Manifest three = vendor.publish("3.0.0", 3, {{"models/a", noise(9000, 3)}});
  SupplyOptions options;
  options.keep_bundles = 1;
  start(options);
  report_trees({});
  supply_all(1, one);
  supply_all(2, two);
  clock.advance(std::chrono::minutes(3));
  supply->wake();
  ASSERT_TRUE(await([&] { return !bundles.has_tree(one.tree); }));
  supply_all(3, three);
  EXPECT_TRUE(bundles.has_tree(two.tree));
  must(site->command(3, Command::kAbort, {}));
  EXPECT_TRUE(await([&] { return !bundles.has_tree(two.tree); }));
}

// What a device holds that was not heard of, as after the loss of site.db, may be its only base.
TEST_F(SupplyTest, NothingIsCollectedBeforeTheFloorHasReported) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(9000, 1)}});
  trust::Manifest two = vendor.publish("2.0.0", 2, {{"models/a", noise(9000, 2)}});
  SupplyOptions options;
  options.keep_bundles = 1;
  start(options);
  supply_all(1, one);
  supply_all(2, two);
  clock.advance(std::chrono::minutes(3));
  supply->wake();
  ASSERT_TRUE(await([&] { return !events("collect").empty(); }));
  EXPECT_NE(events("collect")[0].find("cam1 has never reported"), std::string::npos);
  EXPECT_TRUE(bundles.has_tree(one.tree));
  report_trees({one.tree});
  supply->wake();
  must(site->command(2, Command::kAbort, {}));
  settle();
  EXPECT_TRUE(bundles.has_tree(one.tree));
}

// Otherwise nodes would take the full delivery while the small one is still being made.
TEST_F(SupplyTest, ANodeIsAskedToWaitForTheSmallerDelivery) {
  std::map<std::string, std::string> files{{"models/a", noise(300'000, 1)}};
  trust::Manifest one = vendor.publish("1.0.0", 1, files);
  files["models/b"] = noise(100'000, 2);
  trust::Manifest two = vendor.publish("2.0.0", 2, files);
  start();
  supply_all(1, one);
  report_trees({one.tree});
  direct(2, two);
  bool small = false;
  ASSERT_TRUE(await([&] {
    auto offered = supply->offer(sha256({}), two.tree, {one.tree});
    small = bundles.route(one.tree, two.tree).has_value();
    return offered.ok();
  }));
  EXPECT_TRUE(small) << "the full delivery was offered first";
  EXPECT_LT(must(supply->offer(one.tree, two.tree, {one.tree})).length,
            two.deliveries[0].length / 2);
}

TEST_F(SupplyTest, WithoutASmallerDeliveryTheFullOneIsOffered) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(30'000, 1)}});
  trust::Manifest two = vendor.publish("2.0.0", 2, {{"models/a", noise(30'000, 2)}});
  start();
  supply_all(1, one);
  report_trees({one.tree});
  ASSERT_TRUE(await([&] { return supply->row().state == "ready"; }));
  must(disk->replace(bundles.tree_dir(one.tree) / "models/a", as_bytes("damaged")));
  direct(2, two);
  EXPECT_TRUE(await([&] { return supply->offer(sha256({}), two.tree, {one.tree}).ok(); }));
  EXPECT_FALSE(bundles.route(one.tree, two.tree));
}

TEST_F(SupplyTest, ATargetThatRottedInTheStoreIsBuiltAnewAndServed) {
  std::map<std::string, std::string> files{{"models/a", noise(30'000, 1)}};
  trust::Manifest one = vendor.publish("1.0.0", 1, files);
  files["models/b"] = noise(20'000, 2);
  trust::Manifest two = vendor.publish("2.0.0", 2, files);
  start();
  supply_all(1, one);
  supply_all(2, two);
  ASSERT_TRUE(await([&] { return supply->row().state == "ready"; }));
  must(disk->replace(bundles.tree_dir(two.tree) / "models/b", as_bytes("rot")));
  report_trees({one.tree});
  supply->wake();
  EXPECT_TRUE(await([&] { return bundles.route(one.tree, two.tree).has_value(); }));
  EXPECT_TRUE(must(delta::verify_tree(*disk, bundles.tree_dir(two.tree),
                                      must(bundles.listing(two.tree)), 1))
                  .empty());
}

}  // namespace
}  // namespace lineside::seeder

// SPDX-License-Identifier: Apache-2.0
#include "seeder/mirror.h"

#include <gtest/gtest.h>

#include "delta/scan.h"
#include "tests/fakes/failing_disk.h"
#include "tests/fakes/static_origin.h"
#include "tests/seeder/vendor_origin.h"

namespace lineside::seeder {
namespace {

using fakes::Misdeed;

struct MirrorTest : ::testing::Test {
  VendorOrigin vendor;
  fakes::TempDir dir;
  std::unique_ptr<Disk> disk = make_posix_disk();
  SystemClock clock;
  std::unique_ptr<RolloutStore> counters = must(RolloutStore::open(dir / "site.db"));
  BundleStore bundles{*disk, dir / "store"};
  fakes::StaticOrigin server{vendor.folder()};
  std::unique_ptr<Origin> origin = must(open_origin(*disk, server.url(), ""));
  std::optional<Mirror> mirror;

  void start(MirrorOptions options = {}) {
    must(bundles.prepare());
    mirror.emplace(*disk, dir / "vendor", bundles, *counters, *origin, clock, options);
    must(mirror->prepare(vendor.root));
  }
  MirroredBundle bundle(const std::string& name) {
    must(mirror->refresh("", {}));
    return must(mirror->bundle(name, {}));
  }
  Result<void> supply(const MirroredBundle& wanted) { return mirror->supply(wanted, {}, {}); }
};

TEST_F(MirrorTest, BringsATreeIntoTheStoreAndCountsEveryByte) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(100'000, 1)}});
  start();
  must(supply(bundle("vision/1.0.0.json")));
  EXPECT_TRUE(bundles.has_tree(one.tree));
  auto differences =
      delta::verify_tree(*disk, bundles.tree_dir(one.tree), must(bundles.listing(one.tree)), 1);
  EXPECT_TRUE(must(std::move(differences)).empty());
  WanBytes wan = must(counters->wan("vision/1.0.0.json"));
  EXPECT_GT(wan.payload, one.deliveries[0].length);
  EXPECT_LT(wan.payload, one.deliveries[0].length + 2000);
  EXPECT_GT(wan.metadata, 0U);
}

TEST_F(MirrorTest, TakesTheCheapestRouteFromATreeItHolds) {
  std::map<std::string, std::string> files{{"runtime/big", noise(300'000, 1)}, {"models/a", "one"}};
  vendor.publish("1.0.0", 1, files);
  start();
  must(supply(bundle("vision/1.0.0.json")));
  files["models/a"] = "two";
  trust::Manifest two = vendor.publish("2.0.0", 2, files, {"1.0.0"});
  must(supply(bundle("vision/2.0.0.json")));
  EXPECT_TRUE(bundles.has_tree(two.tree));
  EXPECT_LT(must(counters->wan("vision/2.0.0.json")).payload, 5000U);
}

TEST_F(MirrorTest, TakesAChainOfSignedDeliveriesIfThatIsCheapest) {
  std::map<std::string, std::string> files{{"runtime/big", noise(300'000, 1)}, {"models/a", "one"}};
  vendor.publish("1.0.0", 1, files);
  start();
  must(supply(bundle("vision/1.0.0.json")));
  files["models/a"] = noise(4000, 2);
  trust::Manifest two = vendor.publish("2.0.0", 2, files, {"1.0.0"});
  files["models/b"] = noise(4000, 3);
  trust::Manifest three = vendor.publish("3.0.0", 3, files, {"2.0.0"});
  MirroredBundle wanted = bundle("vision/3.0.0.json");
  EXPECT_EQ(must(mirror->find_route(wanted, {})).steps.size(), 2U);
  std::uint64_t most = 0, total = 0;
  must(mirror->supply(
      wanted, [&](std::uint64_t have, std::uint64_t all) { most = have, total = all; }, {}));
  EXPECT_EQ(most, total);
  EXPECT_EQ(total, two.deliveries[1].length + three.deliveries[1].length);
  EXPECT_TRUE(must(delta::verify_tree(*disk, bundles.tree_dir(three.tree),
                                      must(bundles.listing(three.tree)), 1))
                  .empty());
  WanBytes wan = must(counters->wan("vision/3.0.0.json"));
  EXPECT_LT(wan.payload, total + 1500);
  EXPECT_EQ(must(counters->wan("vision/2.0.0.json")).metadata, 0U)
      << "the tree in between is charged to what it is for";
}

TEST_F(MirrorTest, AChainThatWasCutGoesOnWhereItWas) {
  std::map<std::string, std::string> files{{"runtime/big", noise(900'000, 1)}, {"models/a", "one"}};
  vendor.publish("1.0.0", 1, files);
  start();
  must(supply(bundle("vision/1.0.0.json")));
  files["models/a"] = noise(200'000, 2);
  trust::Manifest two = vendor.publish("2.0.0", 2, files, {"1.0.0"});
  files["models/b"] = noise(200'000, 3);
  trust::Manifest three = vendor.publish("3.0.0", 3, files, {"2.0.0"});
  MirroredBundle wanted = bundle("vision/3.0.0.json");
  std::uint64_t both = two.deliveries[1].length + three.deliveries[1].length;
  must(mirror->find_route(wanted, {}));  // the manifest in between comes
  server.misbehave(Misdeed::kCut, 100'000, 1);
  EXPECT_FALSE(supply(wanted).ok());
  start();  // as after a restart
  server.misbehave(Misdeed::kCut, 50'000, 1);
  EXPECT_FALSE(supply(wanted).ok());
  start();
  must(supply(wanted));
  EXPECT_TRUE(bundles.has_tree(three.tree));
  EXPECT_LT(must(counters->wan("vision/3.0.0.json")).payload, both + 140'000)
      << "what was in a buffer at a cut comes again";
}

TEST_F(MirrorTest, ServesWhatItReceivedByteForByte) {
  vendor.publish("1.0.0", 1, {{"models/a", "x"}});
  start();
  bundle("vision/1.0.0.json");
  for (const char* name : {"1.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"}) {
    EXPECT_EQ(must(disk->read(mirror->metadata_dir() / name, 1 << 20)),
              must(disk->read(vendor.folder() / "metadata" / name, 1 << 20)))
        << name;
  }
}

TEST_F(MirrorTest, AMissingDeliveryIsAClearErrorAndLaterSucceeds) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(50'000, 3)}});
  start();
  MirroredBundle wanted = bundle("vision/1.0.0.json");
  server.misbehave(Misdeed::kNotFound);
  Result<void> failed = supply(wanted);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, Code::kNotFound);
  server.misbehave(Misdeed::kServerError);
  EXPECT_EQ(supply(wanted).error().code, Code::kHttp);
  server.misbehave(Misdeed::kHtml);
  EXPECT_EQ(supply(wanted).error().code, Code::kHttp);
  server.behave();
  must(supply(wanted));
  EXPECT_TRUE(bundles.has_tree(one.tree));
}

TEST_F(MirrorTest, FailuresSayWhatWasAskedForAndWhatCame) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(50'000, 3)}});
  start();
  auto text = [](const Result<void>& result) { return result.error().what; };
  auto has = [](const std::string& all, const std::string& part) {
    return all.find(part) != std::string::npos;
  };
  server.misbehave(Misdeed::kNotFound);
  std::string refreshed = text(mirror->refresh("", {}));
  EXPECT_TRUE(has(refreshed, "the vendor's timestamp metadata")) << refreshed;
  EXPECT_TRUE(has(refreshed, "metadata/timestamp.json")) << refreshed;
  EXPECT_TRUE(has(refreshed, "404 Not Found")) << refreshed;
  server.misbehave(Misdeed::kHtml);
  refreshed = text(mirror->refresh("", {}));
  EXPECT_TRUE(has(refreshed, "an HTML page instead of the file")) << refreshed;
  server.behave();
  MirroredBundle wanted = bundle("vision/1.0.0.json");
  server.misbehave(Misdeed::kCut, 20'000);
  std::string supplied = text(supply(wanted));
  EXPECT_TRUE(has(supplied, "the delivery for vision/1.0.0.json")) << supplied;
  EXPECT_TRUE(has(supplied, "deliveries/" + one.deliveries[0].root.hex())) << supplied;
}

TEST_F(MirrorTest, AStopEndsARequestToTheOrigin) {
  start();
  std::stop_source stop;
  stop.request_stop();
  Result<void> refreshed = mirror->refresh("", stop.get_token());
  ASSERT_FALSE(refreshed.ok());
  EXPECT_EQ(refreshed.error().code, Code::kCancelled);
}

TEST_F(MirrorTest, AFullDiskAtAnyWriteIsACleanErrorAndTheNextTrySucceeds) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(50'000, 3)}, {"b", "x"}});
  fakes::FailingDisk full(*disk, {Code::kNoSpace, "no space left on the device"});
  std::uint64_t write = 0;
  for (bool through = false; !through; write += 3) {
    std::string place = "run" + std::to_string(write);
    BundleStore store(full, dir / (place + "/store"));
    must(store.prepare());
    Mirror one_try(full, dir / (place + "/vendor"), store, *counters, *origin, clock, {});
    must(one_try.prepare(vendor.root));
    auto all = [&]() -> Result<void> {
      TRY(one_try.refresh("", {}));
      TRY_ASSIGN(MirroredBundle wanted, one_try.bundle("vision/1.0.0.json", {}));
      return one_try.supply(wanted, {}, {});
    };
    full.fail_from(full.writes() + write);
    Result<void> first = all();
    through = first.ok();
    if (!through) {
      EXPECT_EQ(first.error().code, Code::kNoSpace) << write << first.error().what;
    }
    full.mend();
    must(all());
    EXPECT_TRUE(
        must(delta::verify_tree(*disk, store.tree_dir(one.tree), must(store.listing(one.tree)), 1))
            .empty())
        << write;
  }
  EXPECT_GT(write, 15U);
}

TEST_F(MirrorTest, ACutFetchIsResumedAndNothingCrossesTwice) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(400'000, 4)}});
  start();
  MirroredBundle wanted = bundle("vision/1.0.0.json");
  server.misbehave(Misdeed::kCut, 200'000, 1);
  EXPECT_FALSE(supply(wanted).ok());
  start();  // as after a restart
  ASSERT_TRUE(mirror->cheapest(wanted.manifest).has_value());
  EXPECT_LT(mirror->cheapest(wanted.manifest)->bytes, one.deliveries[0].length);
  must(supply(wanted));
  EXPECT_TRUE(bundles.has_tree(one.tree));
  WanBytes wan = must(counters->wan("vision/1.0.0.json"));
  EXPECT_LT(wan.payload, one.deliveries[0].length + 70'000);
}

TEST_F(MirrorTest, OtherBytesOfTheSameLengthAreRefusedAndRemoved) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(50'000, 5)}});
  start();
  MirroredBundle wanted = bundle("vision/1.0.0.json");
  server.misbehave(Misdeed::kOther);
  EXPECT_EQ(supply(wanted).error().code, Code::kMismatch);
  EXPECT_FALSE(bundles.has_tree(one.tree));
  server.behave();
  must(supply(wanted));
}

TEST_F(MirrorTest, ABudgetIsRefusedBeforeItIsExceeded) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(100'000, 6)}});
  start({50'000, 0});
  MirroredBundle wanted = bundle("vision/1.0.0.json");
  Result<void> failed = supply(wanted);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, Code::kBudget);
  EXPECT_EQ(must(counters->wan("vision/1.0.0.json")).payload, 0U);
}

TEST_F(MirrorTest, ABudgetSaysWhatIsMissingAndThatMuchMoreIsEnough) {
  vendor.publish("1.0.0", 1, {{"models/a", noise(100'000, 6)}});
  start({50'000, 0});
  MirroredBundle wanted = bundle("vision/1.0.0.json");
  std::string text = supply(wanted).error().what;
  std::string command = "`lineside allow vision/1.0.0 ";
  auto at = text.find(command);
  ASSERT_NE(at, std::string::npos) << text;
  std::uint64_t missing = std::stoull(text.substr(at + command.size()));
  must(counters->allow_wan(wanted.name, missing - 1, {}));
  EXPECT_EQ(supply(wanted).error().code, Code::kBudget);
  must(counters->allow_wan(wanted.name, 1, {}));
  must(supply(wanted));
  EXPECT_LE(must(counters->wan(wanted.name)).payload, 50'000 + missing);
}

TEST_F(MirrorTest, AServerThatSendsAgainWhatIsHereIsCutAtTheBudget) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(400'000, 6)}});
  start({one.deliveries[0].length + 20'000, 0});
  MirroredBundle wanted = bundle("vision/1.0.0.json");
  server.misbehave(Misdeed::kCut, 200'000, 1);
  EXPECT_FALSE(supply(wanted).ok());
  server.misbehave(Misdeed::kNoRange);
  Result<void> again = supply(wanted);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Code::kBudget) << again.error().describe();
  WanBytes wan = must(counters->wan(wanted.name));
  EXPECT_LT(wan.payload + wan.metadata, one.deliveries[0].length + 20'000 + 70'000)
      << "what was on its way at the cut is all that is above";
}

TEST_F(MirrorTest, WhatCrossedBeforeASuddenEndIsCounted) {
  vendor.publish("1.0.0", 1, {{"models/a", noise(5'000'000, 6)}});
  start();
  MirroredBundle wanted = bundle("vision/1.0.0.json");
  std::uint64_t counted = 0;
  auto look = [&](std::uint64_t have, std::uint64_t /*total*/) {
    if (have > 4'000'000) counted = must(counters->wan(wanted.name)).payload;
  };
  must(mirror->supply(wanted, look, {}));
  EXPECT_GT(counted, 3'000'000U) << "a process that dies here forgets a megabyte at most";
}

TEST_F(MirrorTest, RegularRefreshesAreCountedButNeverExhaustABudget) {
  vendor.publish("1.0.0", 1, {{"models/a", "x"}});
  start({10'000, 0});
  for (int i = 0; i < 50; ++i) must(mirror->refresh("", {}));
  EXPECT_GT(must(counters->wan("")).metadata, 10'000U);
  must(supply(must(mirror->bundle("vision/1.0.0.json", {}))));
}

TEST_F(MirrorTest, AMetadataFileIsNotFetchedBeyondWhatIsLeftOfTheBudget) {
  vendor.publish("1.0.0", 1, {{"models/a", "x"}});
  start({1000, 0});
  must(mirror->refresh("", {}));
  must(counters->add_wan("vision/1.0.0.json", {0, 900}));
  Result<MirroredBundle> refused = mirror->bundle("vision/1.0.0.json", {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kBudget) << refused.error().describe();
}

TEST_F(MirrorTest, APortalsPageInsteadOfMetadataLeavesWhatIsMirrored) {
  vendor.publish("1.0.0", 1, {{"models/a", "x"}});
  start();
  bundle("vision/1.0.0.json");
  Bytes timestamp = must(disk->read(mirror->metadata_dir() / "timestamp.json", 1 << 20));
  server.misbehave(Misdeed::kHtml);
  Result<void> refused = mirror->refresh("", {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kHttp);
  EXPECT_NE(refused.error().what.find("an HTML page instead of the file"), std::string::npos);
  EXPECT_NE(refused.error().what.find(server.url()), std::string::npos);
  EXPECT_EQ(must(disk->read(mirror->metadata_dir() / "timestamp.json", 1 << 20)), timestamp);
  server.behave();
  must(mirror->refresh("", {}));
}

TEST_F(MirrorTest, ADamagedObjectIsReplacedInsteadOfPassedOn) {
  std::map<std::string, std::string> files{{"runtime/same", noise(9000, 1)}, {"models/a", "one"}};
  vendor.publish("1.0.0", 1, files);
  start();
  must(supply(bundle("vision/1.0.0.json")));
  for (const DirEntry& folder : must(disk->list(dir / "store/objects"))) {
    for (const DirEntry& object : must(disk->list(dir / "store/objects" / folder.name))) {
      Path path = dir / "store/objects" / folder.name / object.name;
      must(disk->remove(path));
      must(disk->create(path, 0644));  // empty, as a cut leaves it
    }
  }
  files["models/a"] = "two";
  trust::Manifest two = vendor.publish("2.0.0", 2, files, {"1.0.0"});
  must(supply(bundle("vision/2.0.0.json")));
  EXPECT_TRUE(must(delta::verify_tree(*disk, bundles.tree_dir(two.tree),
                                      must(bundles.listing(two.tree)), 1))
                  .empty());
}

TEST_F(MirrorTest, ADamagedBaseIsMadeAnewFromADeliveryThatIsHeld) {
  std::map<std::string, std::string> files{{"runtime/big", noise(300'000, 1)}, {"models/a", "one"}};
  trust::Manifest one = vendor.publish("1.0.0", 1, files);
  start();
  must(supply(bundle("vision/1.0.0.json")));
  files["models/a"] = "two";
  trust::Manifest two = vendor.publish("2.0.0", 2, files, {"1.0.0"});
  must(disk->replace(bundles.tree_dir(one.tree) / "runtime/big", as_bytes("rot")));
  std::vector<std::string> told;
  mirror->on_damage([&](const std::string& text) { told.push_back(text); });
  must(supply(bundle("vision/2.0.0.json")));
  for (const trust::Manifest* manifest : {&one, &two}) {
    EXPECT_TRUE(must(delta::verify_tree(*disk, bundles.tree_dir(manifest->tree),
                                        must(bundles.listing(manifest->tree)), 1))
                    .empty());
  }
  EXPECT_LT(must(counters->wan("vision/2.0.0.json")).payload, 5000U);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_NE(told[0].find("runtime/big"), std::string::npos) << told[0];
}

TEST_F(MirrorTest, WithADamagedDeliveryTooTheFullOneComesOverTheWan) {
  std::map<std::string, std::string> files{{"runtime/big", noise(300'000, 1)}, {"models/a", "one"}};
  trust::Manifest one = vendor.publish("1.0.0", 1, files);
  start();
  must(supply(bundle("vision/1.0.0.json")));
  files["models/a"] = "two";
  trust::Manifest two = vendor.publish("2.0.0", 2, files, {"1.0.0"});
  must(disk->replace(bundles.tree_dir(one.tree) / "runtime/big", as_bytes("rot")));
  must(disk->replace(bundles.delivery_path(one.deliveries[0].root), as_bytes("rot")));
  must(supply(bundle("vision/2.0.0.json")));
  EXPECT_TRUE(must(delta::verify_tree(*disk, bundles.tree_dir(two.tree),
                                      must(bundles.listing(two.tree)), 1))
                  .empty());
  EXPECT_GT(must(counters->wan("vision/2.0.0.json")).payload, 300'000U);
}

TEST_F(MirrorTest, AnOriginThatIsDownLeavesWhatIsMirrored) {
  vendor.publish("1.0.0", 1, {{"models/a", "x"}});
  start();
  bundle("vision/1.0.0.json");
  server.misbehave(Misdeed::kServerError);
  EXPECT_FALSE(mirror->refresh("", {}).ok());
  EXPECT_TRUE(mirror->bundle("vision/1.0.0.json", {}).ok());
}

TEST_F(MirrorTest, AFolderCostsNoWanBytes) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(100'000, 7)}});
  origin = must(open_origin(*disk, vendor.folder().string(), ""));
  start();
  must(supply(bundle("vision/1.0.0.json")));
  EXPECT_TRUE(bundles.has_tree(one.tree));
  EXPECT_EQ(must(counters->wan_total()).payload, 0U);
}

TEST_F(MirrorTest, CollectionKeepsWhatIsStillNeeded) {
  std::map<std::string, std::string> files{{"runtime/same", noise(9000, 1)}, {"models/a", "one"}};
  trust::Manifest one = vendor.publish("1.0.0", 1, files);
  start();
  must(supply(bundle("vision/1.0.0.json")));
  files["models/a"] = "two";
  trust::Manifest two = vendor.publish("2.0.0", 2, files, {"1.0.0"});
  must(supply(bundle("vision/2.0.0.json")));
  dir.write("store/staging/" + one.deliveries[0].root.hex() + ".part", "half");
  std::string resumed = "store/staging/" + two.deliveries[0].root.hex() + ".part";
  dir.write(resumed, "half");
  BundleStore::Collected gone =
      must(bundles.collect({{two.tree}, {one.deliveries[0].root, two.deliveries[0].root}}));
  EXPECT_EQ(gone.trees, 1U);
  EXPECT_EQ(gone.objects, 1U);
  EXPECT_EQ(gone.partial, 0U);
  EXPECT_TRUE(bundles.route(sha256({}), one.tree)) << "it is carried";
  gone = must(bundles.collect({{two.tree}, {two.deliveries[0].root}}));
  EXPECT_EQ(gone.partial, 1U);
  EXPECT_EQ(gone.deliveries, 1U);
  EXPECT_FALSE(bundles.route(sha256({}), one.tree));
  EXPECT_EQ(dir.read(resumed), "half");
  EXPECT_FALSE(bundles.has_tree(one.tree));
  EXPECT_TRUE(must(delta::verify_tree(*disk, bundles.tree_dir(two.tree),
                                      must(bundles.listing(two.tree)), 1))
                  .empty());
}

}  // namespace
}  // namespace lineside::seeder

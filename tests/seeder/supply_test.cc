// SPDX-License-Identifier: Apache-2.0
#include "seeder/supply.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/fakes/static_origin.h"
#include "tests/seeder/vendor_origin.h"

namespace lineside::seeder {
namespace {

struct SupplyTest : ::testing::Test {
  VendorOrigin vendor;
  fakes::TempDir dir;
  std::unique_ptr<Disk> disk = make_posix_disk();
  SystemClock clock;
  std::unique_ptr<RolloutStore> store = must(RolloutStore::open(dir / "site.db"));
  BundleStore bundles{*disk, dir / "store"};
  fakes::StaticOrigin server{vendor.folder()};
  std::unique_ptr<Origin> origin = must(open_origin(*disk, server.url(), ""));
  trust::PrivateKey anna = must(trust::PrivateKey::generate(trust::Scheme::kEd25519));
  trust::PrivateKey cam1 = must(trust::PrivateKey::generate(trust::Scheme::kEd25519));
  std::unique_ptr<Site> site = open_site();
  std::optional<Mirror> mirror;
  std::optional<Supply> supply;

  std::unique_ptr<Site> open_site() {
    SiteOptions options;
    options.name = "plant-7";
    options.operators = {{anna.public_key()}, 1};
    auto made = must(Site::open(options, *store, clock));
    trust::Roster roster;
    roster.site = "plant-7";
    roster.version = 1;
    roster.issued = clock.now();
    roster.gateways = {anna.public_key()};
    roster.devices = {{"cam1", cam1.public_key(), {"jetson"}, {}, true, false}};
    must(made->post_roster(must(trust::seal(trust::kRosterType, trust::serialise(roster), {&anna})),
                           {}));
    return made;
  }
  void start() {
    must(bundles.prepare());
    mirror.emplace(*disk, dir / "vendor", bundles, *store, *origin, clock, MirrorOptions{});
    must(mirror->prepare(vendor.root));
    supply.emplace(*disk, *mirror, bundles, *store, *site, nullptr, clock, SupplyOptions{});
    site->on_directive([this] { supply->wake(); });
    supply->start();
  }
  void direct(std::int64_t sequence, const trust::Manifest& bundle) {
    trust::Directive made;
    made.site = "plant-7";
    made.sequence = sequence;
    made.issued = made.not_before = clock.now();
    made.expires = clock.now() + std::chrono::hours(1);
    made.bundle = bundle.target_name();
    made.manifest = sha256(trust::serialise(bundle));
    made.devices = made.canaries = {"cam1"};
    must(site->post_directive(
        must(trust::seal(trust::kDirectiveType, trust::serialise(made), {&anna})), {},
        IfRunning::kReplace));
  }
  template <class Done>
  bool await(Done done) {
    for (int i = 0; i < 600; ++i) {
      if (done()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }
};

TEST_F(SupplyTest, ANewDirectiveEndsTheDownloadForTheOldOne) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(2'000'000, 1)}});
  trust::Manifest two = vendor.publish("2.0.0", 2, {{"models/b", noise(1000, 2)}});
  start();
  must(supply->refresh());
  must(supply->plan(one.target_name()));
  must(supply->plan(two.target_name()));
  // Metadata are smaller than this; the delivery is not, and stands still after it.
  server.misbehave(fakes::Misdeed::kDrip, 600'000);
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

}  // namespace
}  // namespace lineside::seeder

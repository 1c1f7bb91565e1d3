// SPDX-License-Identifier: Apache-2.0
// Mirror, store and supply of a site with one device, over a vendor's origin that can misbehave.
#pragma once

#include <gtest/gtest.h>

#include "seeder/supply.h"
#include "tests/fakes/failing_disk.h"
#include "tests/fakes/manual_clock.h"
#include "tests/fakes/static_origin.h"
#include "tests/seeder/changes.h"
#include "tests/seeder/vendor_origin.h"

namespace lineside::seeder {

struct SupplyFixture : ::testing::Test {
  Changes changes;  // outlives the supply
  VendorOrigin vendor;
  fakes::TempDir dir;
  std::unique_ptr<Disk> disk = make_posix_disk();
  fakes::ManualClock clock{SystemClock().now()};
  fakes::FailingDisk full{*disk, {Code::kNoSpace, "no space left on the device"}};
  std::unique_ptr<RolloutStore> store = must(RolloutStore::open(dir / "site.db"));
  BundleStore bundles{full, dir / "store"};
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
  void start(SupplyOptions options = {}, MirrorOptions limits = {}) {
    options.on_change = changes.listener();
    must(bundles.prepare());
    mirror.emplace(full, dir / "vendor", bundles, *store, *origin, clock, limits);
    must(mirror->prepare(vendor.root));
    supply.emplace(full, *mirror, bundles, *store, *site, nullptr, clock, options);
    site->on_directive([this] { supply->wake(); });
    supply->start();
  }
  void supply_all(std::int64_t sequence, const trust::Manifest& bundle) {
    direct(sequence, bundle);
    ASSERT_TRUE(await([&] { return bundles.has_tree(bundle.tree); }));
  }
  // Both threads have gone round since.
  void settle() {
    for (int i = 0; i < 2; ++i) (void)supply->refresh().ok();
  }
  void report_trees(const std::vector<Digest>& trees) {
    api::NodeReport report;
    report.device = "cam1";
    report.state = "idle";
    report.trees = trees;
    must(site->report({CallerClass::kDevice, "cam1", {}}, report, "127.0.0.1"));
  }
  std::vector<std::string> events(const std::string& kind) {
    std::vector<std::string> texts;
    for (const Event& event : must(store->events(0, 1000))) {
      if (event.kind == kind) texts.push_back(event.text);
    }
    return texts;
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
    return changes.await(done);
  }
};

}  // namespace lineside::seeder

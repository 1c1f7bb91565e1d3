// SPDX-License-Identifier: Apache-2.0
// A malicious gateway and what the vendor signs: metadata, manifests, listings, deliveries.
#include <nlohmann/json.hpp>

#include "delta/format.h"
#include "tests/attack/attack_site.h"
#include "tests/proto/swarm/hostile_peer.h"

namespace lineside::node {
namespace {

using fakes::must;

class PayloadAttacks : public AttackSite {
 protected:
  http::Response original(trust::Fetcher& from, const std::string& name) {
    return bytes_body(must(from.fetch(name, 1 << 20)));
  }
  // The vendor, or who holds his key, publishes a bundle with this listing.
  void publish_listing(const std::string& listing) {
    trust::Manifest manifest = manifests_.at("1.0.0");
    manifest.version = "9.0.0";
    manifest.release = 9;
    manifest.listing_length = listing.size();
    manifest.tree = sha256(as_bytes(listing));
    manifest.deliveries.clear();
    must_ok(repository_->publish({{manifest.target_name(), trust::serialise(manifest)},
                                  {manifest.listing_name(), to_bytes(listing)}},
                                 {&boss_}, {}, start_));
    manifests_["9.0.0"] = manifest;
    direct(1, "9.0.0");
  }
  // The file takes the place of what is offered for the tree, and is seeded.
  void offer_file(const std::string& version, const Path& file) {
    gateway_->offer(sha256({}), tree(version), file);
    seed(version);
  }
};

TEST_F(PayloadAttacks, OtherHardware) {
  publish("3.0.0", 3, {"jetson-orin-nano"});
  direct(1, "3.0.0");
  start_node();
  expect_told("wrong-hardware");
  expect_unharmed();
}

TEST_F(PayloadAttacks, OldBundleBelowTheSecurityFloor) {
  install("2.0.0");
  direct(2, "1.0.0");
  start_node();
  expect_told("rollback", "security floor");
  expect_unharmed();
}

TEST_F(PayloadAttacks, ForgedTimestamp) {
  direct(1, "1.0.0");
  auto timestamp = nlohmann::json::parse(
      as_text(must(gateway_->vendor_metadata().fetch("timestamp.json", 1 << 20))));
  timestamp["signed"]["version"] = 99;
  gateway().lie("/v1/vendor/metadata/timestamp.json",
                [text = timestamp.dump()](const auto&) { return bytes_body(to_bytes(text)); });
  start_node();
  expect_told("bad-signature");
  expect_unharmed();
}

TEST_F(PayloadAttacks, RolledBackTimestamp) {
  const Bytes old = must(gateway_->vendor_metadata().fetch("timestamp.json", 1 << 20));
  publish("3.0.0", 3);
  install("1.0.0");
  direct(2, "3.0.0");
  gateway().lie("/v1/vendor/metadata/timestamp.json",
                [old](const auto&) { return bytes_body(old); });
  start_node();
  expect_told("rollback");
  expect_unharmed();
}

TEST_F(PayloadAttacks, FrozenMetadataExpires) {
  must_ok(repository_->refresh(
      {&boss_}, {std::chrono::hours(1), std::chrono::hours(1), std::chrono::hours(1)},
      std::chrono::hours(24 * 400), start_ - std::chrono::hours(48)));
  direct(1, "1.0.0");
  start_node();
  expect_told("expired");
  expect_unharmed();
}

TEST_F(PayloadAttacks, MixedMetadata) {
  // The snapshot of another day under the timestamp of today.
  const Bytes old = must(gateway_->vendor_metadata().fetch("2.snapshot.json", 1 << 20));
  direct(1, "1.0.0");
  gateway().lie("/v1/vendor/metadata/3.snapshot.json",
                [old](const auto&) { return bytes_body(old); });
  start_node();
  expect_told("mismatch");
  expect_unharmed();
}

TEST_F(PayloadAttacks, EndlessMetadata) {
  direct(1, "1.0.0");
  gateway().lie("/v1/vendor/metadata/timestamp.json", [](const auto&) { return endless_body(); });
  start_node();
  expect_told("too-large");
  expect_unharmed();
}

TEST_F(PayloadAttacks, SwappedManifest) {
  direct(1, "1.0.0");
  const Bytes other = trust::serialise(manifests_.at("2.0.0"));
  gateway().lie("/v1/vendor/targets/", [other](const auto&) { return bytes_body(other); });
  start_node();
  expect_told("mismatch");
  expect_unharmed();
}

TEST_F(PayloadAttacks, EndlessManifest) {
  direct(1, "1.0.0");
  gateway().lie("/v1/vendor/targets/", [](const auto&) { return endless_body(); });
  start_node();
  expect_told("too-large");
  expect_unharmed();
}

TEST_F(PayloadAttacks, ListingsThatLeaveTheTree) {
  const std::string digest = sha256(as_bytes("x")).hex();
  const std::vector<std::string> listings = {
      R"({"length":1,"mode":420,"path":"../x","root":")" + digest + R"(","type":"file"})",
      R"({"length":1,"mode":420,"path":"/etc/x","root":")" + digest + R"(","type":"file"})",
      R"({"path":"models","target":"../../..","type":"link"})",
      R"({"path":"models","target":"/etc","type":"link"})",
      R"({"length":1,"mode":2541,"path":"x","root":")" + digest + R"(","type":"file"})"};
  publish_listing(listings.front() + "\n");
  start_node();
  expect_told("malformed");
  for (std::size_t i = 1; i < listings.size(); ++i) {
    {
      auto held = gateway().lock();
      trust::Manifest manifest = manifests_.at("9.0.0");
      manifest.version = "9.0." + std::to_string(i);
      manifest.listing_length = listings[i].size() + 1;
      manifest.tree = sha256(as_bytes(listings[i] + "\n"));
      must_ok(repository_->publish({{manifest.target_name(), trust::serialise(manifest)},
                                    {manifest.listing_name(), to_bytes(listings[i] + "\n")}},
                                   {&boss_}, {}, start_));
      manifests_[manifest.version] = manifest;
      direct(static_cast<std::int64_t>(i) + 1, manifest.version);
    }
    EXPECT_TRUE(gateway().await([&](const api::NodeReport& report) {
      return report.code == "malformed" &&
             report.directive_sequence == static_cast<std::int64_t>(i) + 1;
    })) << listings[i]
        << dir_.read("node.log");
  }
  EXPECT_FALSE(std::filesystem::exists(dir_ / "x"));
  expect_unharmed();
}

TEST_F(PayloadAttacks, SwappedDelivery) {
  // Genuine, and of another tree.
  direct(1, "1.0.0");
  offer_file("1.0.0", dir_ / "full-2.0.0");
  start_node();
  expect_told("mismatch");
  expect_unharmed();
}

TEST_F(PayloadAttacks, DeliveryOfRubbish) {
  direct(1, "1.0.0");
  offer_file("1.0.0", dir_.write("rubbish", std::string(100'000, 'r')));
  start_node();
  expect_told("mismatch");
  expect_unharmed();
}

TEST_F(PayloadAttacks, DeliveryThatExhaustsMemory) {
  direct(1, "1.0.0");
  delta::Delivery delivery;
  delivery.base = sha256({});
  delivery.target = tree("1.0.0");
  delta::Unit unit;
  unit.targets = {0};
  unit.length = unit.segment_length = 5000;
  unit.segments = {{{{delta::Codec::kLzma, 0, 27, 5000, 100}}, 0}};  // a window of 128 MiB
  delivery.units = {unit};
  auto frame = must(delta::make_frame(delivery, 100));
  std::string bytes(as_text(frame.header));
  bytes += std::string(100, 'x') + std::string(as_text(frame.tail));
  offer_file("1.0.0", dir_.write("hungry", bytes));
  start_node();
  EXPECT_TRUE(gateway().await([](const api::NodeReport& report) {
    return report.code == "too-large" || report.code == "mismatch";
  })) << dir_.read("node.log");
  expect_unharmed();
}

TEST_F(PayloadAttacks, DeliveryThatExhaustsTheDisk) {
  direct(1, "1.0.0");
  auto& offer = gateway_->offers.at({sha256({}), tree("1.0.0")});
  offer.length = 1ULL << 40;
  start_node();
  expect_told("no-space");
  expect_unharmed();
}

TEST_F(PayloadAttacks, ForgedLeaves) {
  direct(1, "1.0.0");
  seed("1.0.0");
  const auto offer = gateway_->offers.at({sha256({}), tree("1.0.0")});
  const std::size_t count = (offer.length + trust::kLeafBytes - 1) / trust::kLeafBytes;
  gateway().lie("/v1/leaves/", [count](const auto&) { return bytes_body(Bytes(count * 32, 7)); });
  start_node();
  expect_told("mismatch");
  expect_unharmed();
}

TEST_F(PayloadAttacks, SlowRetrieval) {
  // The delivery is offered, and nobody ever sends a byte of it.
  direct(1, "1.0.0");
  start_node();
  expect_told("timeout", "stands still");
  expect_unharmed();
}

TEST_F(PayloadAttacks, CorruptBlocksFromAPeerDoNotArrive) {
  publish_real("3.0.0", 3);
  direct(1, "3.0.0", {"cam02"});
  seed("3.0.0");
  const auto offer = gateway_->offers.at({sha256({}), tree("3.0.0")});
  swarm::HostilePeer enemy({offer.root, offer.length});
  gateway_->reply.peers = {"127.0.0.1:" + std::to_string(enemy.port())};
  gateway_->reply.gateway_endpoint.clear();
  start_node();
  ASSERT_TRUE(gateway().await([&](const api::NodeReport&) { return enemy.bad_blocks() > 0; }));
  expect_rounds(3, [](const api::NodeReport& report) { return report.state != "fetching"; });
  expect_unharmed();
}

}  // namespace
}  // namespace lineside::node

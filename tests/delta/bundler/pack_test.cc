// SPDX-License-Identifier: Apache-2.0
// What pack writes, and that it writes nothing when it should not.
#include <nlohmann/json.hpp>

#include "delta/apply_delivery.h"
#include "delta/bundler/packed.h"
#include "delta/scan.h"
#include "tests/delta/bundler/bundles.h"
#include "tests/fakes/failing_disk.h"

namespace lineside::bundler {
namespace {

using testing::failure;
using testing::Workplace;

class Packing : public ::testing::Test, protected Workplace {
 protected:
  trust::Manifest manifest_of(const std::string& packed) {
    auto manifest = trust::parse_manifest(as_bytes(dir.read(packed + "/manifest.json")));
    EXPECT_TRUE(manifest.ok()) << failure(manifest);
    return manifest.ok() ? *manifest : trust::Manifest();
  }
  void expect_nothing(const std::string& out) {
    EXPECT_FALSE(std::filesystem::exists(dir / out));
    EXPECT_FALSE(std::filesystem::exists(dir / (out + ".part")));
  }
};

TEST_F(Packing, MeasuresTheManifest) {
  auto packed = pack_bundle(bundle(tree("tree", "4.3.0"), "1.0.0", 1), "out");
  ASSERT_TRUE(packed.ok()) << failure(packed);
  trust::Manifest manifest = manifest_of("out");
  EXPECT_EQ(manifest, packed->manifest);
  EXPECT_EQ(manifest.target_name(), "line-audio/1.0.0.json");
  EXPECT_EQ(manifest.firmware_version, "4.3.0");
  EXPECT_EQ(manifest.python, "3.11");
  EXPECT_EQ(manifest.packages.at("tensorflow"), "2.16.1");
  ASSERT_EQ(manifest.models.size(), 2U);
  EXPECT_EQ(manifest.models[1].versions.at("ir"), 8);
  EXPECT_EQ(manifest.required_tests.front(), "infer.case.speech");
  auto listing = delta::scan_tree(*disk, dir / "tree", 1);
  EXPECT_EQ(manifest.tree, trust::tree_id(*listing));
  EXPECT_EQ(dir.read("out/listing"), as_text(trust::serialise(*listing)));
}

TEST_F(Packing, FullDeliveryGivesTheTree) {
  ASSERT_TRUE(pack_bundle(bundle(tree("tree", "1"), "1.0.0", 1), "out").ok());
  trust::Manifest manifest = manifest_of("out");
  ASSERT_EQ(manifest.deliveries.size(), 1U);
  EXPECT_EQ(manifest.deliveries[0].base, trust::tree_id({}));
  auto listing = delta::scan_tree(*disk, dir / "tree", 1);
  auto applied =
      delta::apply_delivery(*disk, dir / "out/deliveries" / manifest.deliveries[0].root.hex(), {},
                            dir / "none", *listing, dir / "made", {});
  ASSERT_TRUE(applied.ok()) << failure(applied);
  EXPECT_EQ(dir.read("made/firmware/app.bin"), dir.read("tree/firmware/app.bin"));
}

TEST_F(Packing, EachBaseGetsADelivery) {
  Path first = tree("one", "1");
  Path second = tree("two", "2");
  auto packed = pack_bundle(bundle(tree("three", "3"), "3.0.0", 3), "out", {first, second});
  ASSERT_TRUE(packed.ok()) << failure(packed);
  ASSERT_EQ(packed->deliveries.size(), 3U);
  EXPECT_EQ(packed->deliveries[1].base, first.string());
  for (const trust::Delivery& delivery : manifest_of("out").deliveries) {
    EXPECT_EQ(std::filesystem::file_size(dir / "out/deliveries" / delivery.root.hex()),
              delivery.length);
  }
  EXPECT_EQ(manifest_of("out").deliveries[2].base,
            trust::tree_id(*delta::scan_tree(*disk, second, 1)));
}

TEST_F(Packing, OneTreeTwiceAmongTheBasesIsRefused) {
  Path base = tree("one", "1");
  BundleFile wanted = bundle(tree("two", "2"), "2.0.0", 2);
  for (const std::vector<Path>& bases : {std::vector{base, base}, std::vector{wanted.tree}}) {
    auto packed = pack_bundle(wanted, "out", bases);
    ASSERT_FALSE(packed.ok());
    EXPECT_EQ(packed.error().code, Code::kUsage);
    expect_nothing("out");
  }
}

TEST_F(Packing, AuditErrorWritesNothing) {
  BundleFile wanted = bundle(broken_tree("tree"), "1.0.0", 1);
  auto audited = audit_tree(*disk, wanted, testing::noon());
  ASSERT_TRUE(audited.ok());
  EXPECT_EQ(audited->findings.at(0).message,
            "tensorflow 2.8.0 requires numpy>=1.20, the bundle holds numpy 1.19.5");
  auto packed = pack_bundle(wanted, "out");
  ASSERT_FALSE(packed.ok());
  EXPECT_EQ(packed.error().code, Code::kIncompatible);
  expect_nothing("out");
}

TEST_F(Packing, WaiverOfTheFindingIsSigned) {
  BundleFile wanted = bundle(broken_tree("tree"), "1.0.0", 1);
  wanted.waivers = {waiver("tensorflow->numpy"), waiver("tensorflow->protobuf")};
  auto packed = pack_bundle(wanted, "out");
  ASSERT_TRUE(packed.ok()) << failure(packed);
  trust::Manifest manifest = manifest_of("out");
  ASSERT_EQ(manifest.waivers.size(), 1U) << "the other one waives nothing that is there";
  EXPECT_EQ(manifest.waivers[0], wanted.waivers[0]);
}

TEST_F(Packing, WaiverThatRanOutDoesNotHelp) {
  BundleFile wanted = bundle(broken_tree("tree"), "1.0.0", 1);
  wanted.waivers = {waiver("tensorflow->numpy")};
  wanted.waivers[0].until = testing::noon();
  EXPECT_FALSE(pack_bundle(wanted, "out").ok());
  expect_nothing("out");
}

TEST_F(Packing, WhatExistsIsNotTouched) {
  dir.write("out/mine", "mine");
  auto packed = pack_bundle(bundle(tree("tree", "1"), "1.0.0", 1), "out");
  ASSERT_FALSE(packed.ok());
  EXPECT_EQ(packed.error().code, Code::kExists);
  EXPECT_EQ(contents("out"), "out/mine\nmine\n");
}

TEST_F(Packing, WrongLayoutWritesNothing) {
  BundleFile wanted = bundle(tree("tree", "1"), "1.0.0", 1);
  std::filesystem::remove(dir / "tree/validation/probe.json");
  auto packed = pack_bundle(wanted, "out");
  ASSERT_FALSE(packed.ok());
  EXPECT_EQ(packed.error().code, Code::kIncompatible);
  expect_nothing("out");
}

TEST_F(Packing, WaiversDoNotPassWhatEveryDeviceWouldRefuse) {
  BundleFile wanted = bundle(tree("tree", "1"), "1.0.0", 1);
  std::string other = testing::Workplace::kProbe;
  other.replace(other.find("vad.onnx\""), 9,
                "vad.onnx\",\"sha256\":\"" + std::string(64, 'a') + "\"");
  dir.write("tree/validation/probe.json", other);
  wanted.waivers = {waiver("models/vad.onnx")};
  wanted.waivers[0].rule = "probe";
  auto audited = audit_tree(*disk, wanted, testing::noon());
  ASSERT_TRUE(audited.ok()) << failure(audited);
  EXPECT_EQ(audited->findings.front().rule, "probe");
  EXPECT_FALSE(runtime::passes(audited->findings));
  EXPECT_FALSE(pack_bundle(wanted, "out").ok());
  expect_nothing("out");
}

// A disk that fills up at any call: no half bundle under the name, and the next try succeeds.
TEST_F(Packing, WhereverTheDiskFailsNothingIsHalfPacked) {
  BundleFile wanted = bundle(tree("tree", "1"), "1.0.0", 1);
  auto audited = audit_tree(*disk, wanted, testing::noon());
  ASSERT_TRUE(audited.ok()) << failure(audited);
  PackOptions options;
  options.delivery.effort = 1;
  for (std::uint64_t call = 0;; ++call) {
    fakes::FailingDisk failing(*disk);
    failing.fail_from(call);
    auto packed = pack(failing, wanted, *audited, dir / "out", options, {});
    if (packed.ok()) break;
    ASSERT_FALSE(std::filesystem::exists(dir / "out")) << "after " << call << " calls";
  }
  EXPECT_EQ(manifest_of("out").version, "1.0.0");
}

TEST_F(Packing, StoppedOneLeavesNothing) {
  BundleFile wanted = bundle(tree("tree", "1"), "1.0.0", 1);
  auto audited = audit_tree(*disk, wanted, testing::noon());
  std::stop_source stop;
  auto progress = [&](const std::string&, std::uint64_t, std::uint64_t) { stop.request_stop(); };
  PackOptions options;
  options.delivery.effort = 1;
  options.bases = {tree("base", "0")};
  auto packed = pack(*disk, wanted, *audited, dir / "out", options, progress, stop.get_token());
  ASSERT_FALSE(packed.ok());
  EXPECT_EQ(packed.error().code, Code::kCancelled);
  expect_nothing("out");
}

TEST_F(Packing, ReportsStandBesideTheManifest) {
  ASSERT_TRUE(pack_bundle(bundle(tree("tree", "1"), "1.0.0", 1), "out").ok());
  auto sbom = nlohmann::json::parse(dir.read("out/sbom.json"));
  EXPECT_EQ(sbom["bomFormat"], "CycloneDX");
  EXPECT_EQ(sbom["metadata"]["component"]["version"], "1.0.0");
  EXPECT_TRUE(nlohmann::json::parse(dir.read("out/audit.json")).is_array());
}

TEST_F(Packing, TheSameInputGivesTheSameBytes) {
  BundleFile wanted = bundle(tree("tree", "1"), "1.0.0", 1);
  ASSERT_TRUE(pack_bundle(wanted, "a").ok());
  ASSERT_TRUE(pack_bundle(wanted, "b").ok());
  EXPECT_EQ(contents("a").size(), contents("b").size());
  EXPECT_EQ(dir.read("a/manifest.json"), dir.read("b/manifest.json"));
  EXPECT_EQ(dir.read("a/sbom.json"), dir.read("b/sbom.json"));
}

}  // namespace
}  // namespace lineside::bundler

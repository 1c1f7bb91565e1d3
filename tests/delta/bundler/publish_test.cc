// SPDX-License-Identifier: Apache-2.0
// What reaches an origin and what does not; and that verify finds what changed there.
#include "delta/bundler/publish.h"

#include "delta/bundler/verify_origin.h"
#include "tests/delta/bundler/bundles.h"
#include "tests/fakes/failing_disk.h"

namespace lineside::bundler {
namespace {

using testing::failure;

class Publishing : public ::testing::Test, protected testing::Origin {
 protected:
  Result<OriginReport> verify() {
    return verify_origin(*disk, dir / "origin", dir / "origin/metadata/1.root.json",
                         testing::noon());
  }
  void pack_as(const std::string& version, std::int64_t number, const std::string& out) {
    auto packed = pack_bundle(bundle(tree("tree-" + out, out), version, number), out);
    ASSERT_TRUE(packed.ok()) << failure(packed);
  }
  void expect_refused(const std::string& packed, Code code, const std::string& part) {
    std::string before = contents("origin");
    auto published = publish_packed(packed);
    ASSERT_FALSE(published.ok());
    EXPECT_EQ(published.error().code, code) << failure(published);
    EXPECT_NE(published.error().what.find(part), std::string::npos) << published.error().what;
    EXPECT_TRUE(contents("origin") == before) << "the origin changed";
  }
  void expect_bad_origin(Code code, const std::string& part) {
    auto report = verify();
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().code, code) << failure(report);
    EXPECT_NE(report.error().what.find(part), std::string::npos) << report.error().what;
  }
};

TEST_F(Publishing, OriginVerifiesAfterwards) {
  release("1.0.0", 1);
  release("2.0.0", 2);
  auto report = verify();
  ASSERT_TRUE(report.ok()) << failure(report);
  EXPECT_EQ(report->bundles,
            (std::vector<std::string>{"line-audio/1.0.0.json", "line-audio/2.0.0.json"}));
  EXPECT_EQ(report->deliveries, 2U);
}

TEST_F(Publishing, CountsWhatItAdds) {
  pack_as("1.0.0", 1, "packed");
  auto published = publish_packed("packed");
  ASSERT_TRUE(published.ok()) << failure(published);
  std::uint64_t sum = 0;
  for (const char* name : {"manifest.json", "listing", "audit.json", "sbom.json"}) {
    sum += dir.read(std::string("packed/") + name).size();
  }
  for (const auto& delivery : published->manifest.deliveries) sum += delivery.length;
  EXPECT_EQ(published->bytes_added, sum);
}

TEST_F(Publishing, TheSameAgainChangesNothing) {
  release("1.0.0", 1);
  std::string before = contents("origin");
  auto again = publish_packed("packed-1.0.0");
  ASSERT_TRUE(again.ok()) << failure(again);
  EXPECT_EQ(again->bytes_added, 0U);
  EXPECT_TRUE(contents("origin") == before);
}

TEST_F(Publishing, TheSameAgainBringsBackALostDelivery) {
  release("1.0.0", 1);
  std::string before = contents("origin");
  std::string delivery = only_file("origin/deliveries");
  flip(delivery);
  ASSERT_FALSE(verify().ok());
  ASSERT_TRUE(publish_packed("packed-1.0.0").ok());
  EXPECT_TRUE(contents("origin") == before);
  std::filesystem::remove(dir / delivery);
  ASSERT_TRUE(publish_packed("packed-1.0.0").ok());
  EXPECT_TRUE(contents("origin") == before);
}

TEST_F(Publishing, AnOlderReleaseThatIsPublishedMayBePublishedAgain) {
  release("1.0.0", 1);
  release("2.0.0", 2);
  auto again = publish_packed("packed-1.0.0");
  EXPECT_TRUE(again.ok()) << failure(again);
}

TEST_F(Publishing, OtherContentUnderOneVersionIsRefused) {
  release("1.0.0", 1);
  pack_as("1.0.0", 2, "other");
  expect_refused("other", Code::kConflict, "line-audio 1.0.0 is published already");
}

TEST_F(Publishing, ReleaseNumberMustRise) {
  release("2.0.0", 5);
  pack_as("2.0.1", 5, "same");
  expect_refused("same", Code::kConflict, "release 5, but 2.0.0 is published as release 5");
  pack_as("2.0.2", 4, "lower");
  expect_refused("lower", Code::kConflict, "a new release must have a higher number");
}

TEST_F(Publishing, NamesHaveNumbersOfTheirOwn) {
  release("2.0.0", 5);
  BundleFile other = bundle(tree("vision", "1"), "1.0.0", 1);
  other.name = "line-audio-vision";
  ASSERT_TRUE(pack_bundle(other, "vision-packed").ok());
  auto published = publish_packed("vision-packed");
  EXPECT_TRUE(published.ok()) << failure(published);
}

TEST_F(Publishing, DamagedDeliveryIsRefused) {
  pack_as("1.0.0", 1, "packed");
  std::string delivery = only_file("packed/deliveries");
  flip(delivery);
  expect_refused("packed", Code::kMismatch, "is not the delivery that the manifest names");
  dir.write(delivery, "short");
  expect_refused("packed", Code::kMismatch, "5 bytes");
  std::filesystem::remove(dir / delivery);
  expect_refused("packed", Code::kNotFound, "deliveries/");
}

TEST_F(Publishing, ForeignListingIsRefused) {
  pack_as("1.0.0", 1, "packed");
  flip("packed/listing");
  expect_refused("packed", Code::kMismatch, "listing");
}

TEST_F(Publishing, BrokenManifestIsRefused) {
  pack_as("1.0.0", 1, "packed");
  dir.write("packed/manifest.json", "{}");
  expect_refused("packed", Code::kMalformed, "manifest");
}

TEST_F(Publishing, WhatIsNoOriginIsNotMadeOne) {
  pack_as("1.0.0", 1, "packed");
  auto published = publish(*disk, dir / "packed", dir / "elsewhere", {&key}, {}, testing::noon());
  ASSERT_FALSE(published.ok());
  EXPECT_EQ(published.error().code, Code::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(dir / "elsewhere"));
}

TEST_F(Publishing, ForeignKeyChangesNoMetadata) {
  pack_as("1.0.0", 1, "packed");
  auto stranger = fakes::ed25519_from_seed(std::string(64, '8'));
  std::string before = contents("origin/metadata") + contents("origin/targets");
  auto published = publish(*disk, dir / "packed", dir / "origin", {&stranger}, {}, testing::noon());
  ASSERT_FALSE(published.ok());
  EXPECT_EQ(published.error().code, Code::kBadSignature);
  EXPECT_TRUE(contents("origin/metadata") + contents("origin/targets") == before);
}

TEST_F(Publishing, ForeignKeyIsNotToldThatAllIsDone) {
  release("1.0.0", 1);
  auto stranger = fakes::ed25519_from_seed(std::string(64, '8'));
  auto published =
      publish(*disk, dir / "packed-1.0.0", dir / "origin", {&stranger}, {}, testing::noon());
  ASSERT_FALSE(published.ok());
  EXPECT_EQ(published.error().code, Code::kBadSignature);
}

TEST_F(Publishing, ReportsAreTargetsBesideTheManifest) {
  release("1.0.0", 1);
  auto targets = trust::Repository(*disk, dir / "origin").targets();
  ASSERT_TRUE(targets.ok()) << failure(targets);
  std::map<std::string, Digest> found;
  for (const auto& target : *targets) found[target.name] = *target.sha256();
  EXPECT_EQ(found.at("line-audio/1.0.0.audit"),
            sha256(as_bytes(dir.read("packed-1.0.0/audit.json"))));
  EXPECT_EQ(found.at("line-audio/1.0.0.sbom"),
            sha256(as_bytes(dir.read("packed-1.0.0/sbom.json"))));
}

TEST_F(Publishing, PackedAgainOnAnotherDayItKeepsTheFirstReports) {
  release("1.0.0", 1);
  std::string before = contents("origin");
  dir.write("packed-1.0.0/sbom.json", "{\"later\":true}");
  auto again = publish_packed("packed-1.0.0");
  ASSERT_TRUE(again.ok()) << failure(again);
  EXPECT_TRUE(contents("origin") == before);
}

// A disk that fills up at any call: sites see the old origin whole, and the next try succeeds.
TEST_F(Publishing, WhereverTheDiskFailsTheOriginStaysWhole) {
  release("1.0.0", 1);
  pack_as("2.0.0", 2, "next");
  for (std::uint64_t call = 0;; ++call) {
    fakes::FailingDisk failing(*disk);
    failing.fail_from(call);
    auto published = publish(failing, dir / "next", dir / "origin", {&key}, {}, testing::noon());
    auto report = verify();
    ASSERT_TRUE(report.ok()) << "after " << call << " calls: " << failure(report);
    ASSERT_EQ(report->bundles.size(), published.ok() ? 2U : 1U);
    if (published.ok()) break;
  }
}

// Deliveries before what names them: a reader that sees the manifest can fetch what it names.
TEST_F(Publishing, ManifestNeverComesBeforeItsDeliveries) {
  pack_as("1.0.0", 1, "packed");
  dir.write("origin/deliveries", "a file in the way");
  std::string before = contents("origin");
  ASSERT_FALSE(publish_packed("packed").ok());
  EXPECT_TRUE(contents("origin") == before);
}

TEST_F(Publishing, WorksOnAnOriginWhoseMetadataRanOut) {
  release("1.0.0", 1);
  pack_as("2.0.0", 2, "next");
  UtcTime later = testing::noon() + std::chrono::days(90);
  auto published = publish(*disk, dir / "next", dir / "origin", {&key}, {}, later);
  ASSERT_TRUE(published.ok()) << failure(published);
  auto report = verify_origin(*disk, dir / "origin", dir / "origin/metadata/1.root.json", later);
  EXPECT_TRUE(report.ok()) << failure(report);
}

TEST_F(Publishing, VerifyFindsAFlippedBitInADelivery) {
  release("1.0.0", 1);
  std::string delivery = only_file("origin/deliveries");
  flip(delivery);
  expect_bad_origin(Code::kMismatch, Path(delivery).filename().string());
}

TEST_F(Publishing, VerifyFindsAMissingDelivery) {
  release("1.0.0", 1);
  std::filesystem::remove_all(dir / "origin/deliveries");
  expect_bad_origin(Code::kNotFound, "line-audio/1.0.0.json");
}

TEST_F(Publishing, VerifyFindsAFlippedBitInATarget) {
  release("1.0.0", 1);
  for (const auto& entry : std::filesystem::directory_iterator(dir / "origin/targets/line-audio")) {
    std::string name = entry.path().lexically_relative(dir.path()).string();
    flip(name);
    EXPECT_FALSE(verify().ok()) << name;
    flip(name);
  }
  EXPECT_TRUE(verify().ok());
}

TEST_F(Publishing, VerifyRefusesAnExpiredOrigin) {
  auto report = verify_origin(*disk, dir / "origin", dir / "origin/metadata/1.root.json",
                              testing::noon() + std::chrono::days(31));
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, Code::kExpired);
}

}  // namespace
}  // namespace lineside::bundler

// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/manifest.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/fakes/signed_site.h"
#include "tests/proto/trust/edited_json.h"

namespace lineside::trust {
namespace {

using nlohmann::json;

class ManifestDocument : public ::testing::Test {
 protected:
  void expect_refused(const std::string& pointer, json value, const std::string& named,
                      Code code = Code::kMalformed) {
    auto manifest = parse_manifest(edited(serialise(site.manifest), pointer, std::move(value)));
    ASSERT_FALSE(manifest.ok()) << pointer;
    EXPECT_EQ(manifest.error().code, code) << pointer;
    EXPECT_NE(manifest.error().what.find(named), std::string::npos) << manifest.error().what;
  }
  fakes::SignedSite site;
};

TEST_F(ManifestDocument, SurvivesTheRoundTrip) {
  auto manifest = parse_manifest(serialise(site.manifest));
  ASSERT_TRUE(manifest.ok()) << manifest.error().what;
  EXPECT_EQ(*manifest, site.manifest);
  EXPECT_EQ(manifest->target_name(), "vision/2.0.0.json");
  EXPECT_EQ(manifest->listing_name(), "vision/2.0.0.listing");
}

TEST_F(ManifestDocument, SerialisesToCanonicalJson) {
  Bytes bytes = serialise(site.manifest);
  EXPECT_EQ(to_bytes(json::parse(as_text(bytes)).dump()), bytes);
  EXPECT_EQ(as_text(bytes).find('\n'), std::string_view::npos);
}

TEST_F(ManifestDocument, MayLackDeliveriesAndFactsButHoldsTheMembers) {
  site.manifest.deliveries.clear();
  site.manifest.provides.clear();
  site.manifest.python.clear();
  site.manifest.packages.clear();
  site.manifest.models.clear();
  site.manifest.requires_facts.clear();
  site.manifest.waivers.clear();
  auto manifest = parse_manifest(serialise(site.manifest));
  ASSERT_TRUE(manifest.ok()) << manifest.error().what;
  EXPECT_EQ(*manifest, site.manifest);
}

TEST_F(ManifestDocument, RefusesEveryMissingMember) {
  json tree = json::parse(as_text(serialise(site.manifest)));
  for (const auto& [name, value] : tree.items()) expect_refused("/" + name, nullptr, name);
  for (const char* name : {"/listing/length", "/listing/sha256", "/check/sha256", "/check/golden",
                           "/check/required_tests", "/deliveries/0/root", "/deliveries/0/length",
                           "/models/0/sha256", "/waivers/0/until"}) {
    expect_refused(name, nullptr, "missing");
  }
}

TEST_F(ManifestDocument, RefusesMembersThatItDoesNotKnow) {
  expect_refused("/only_if", "full moon", "manifest.only_if");
  expect_refused("/check/skip", true, "skip");
  expect_refused("/deliveries/1/url", "http://x", "url");
}

TEST_F(ManifestDocument, RefusesAnotherSchemaBeforeAnythingElse) {
  expect_refused("/schema", 2, "schema", Code::kUnsupported);
  expect_refused("/schema", "1", "schema");
}

TEST_F(ManifestDocument, RefusesNamesThatWouldEscapeAsPaths) {
  for (const char* name : {"", "..", "../x", "a/b", "Vision", "-x", "a b", "a\n"}) {
    expect_refused("/name", name, "manifest.name");
  }
  for (const char* version : {"", "..", "1/2", "-1", "1 0", "1\xc3\xa9"}) {
    expect_refused("/version", version, "manifest.version");
  }
  expect_refused("/version", std::string(65, '1'), "manifest.version");
  expect_refused("/models/0/path", "../../etc/passwd", "models[0].path");
}

TEST_F(ManifestDocument, RefusesAbsentOrShortDigests) {
  expect_refused("/listing/sha256", "", "64 lower-case");
  expect_refused("/check/golden", std::string(63, 'a'), "64 lower-case");
  expect_refused("/check/sha256", std::string(64, 'A'), "64 lower-case");
}

TEST_F(ManifestDocument, RefusesImpossibleNumbers) {
  expect_refused("/release", 0, "manifest.release");
  expect_refused("/release", 1.5, "");
  expect_refused("/security_floor", 21, "shut itself out");
  expect_refused("/tree_length", -1, "tree_length");
  expect_refused("/deliveries/0/length", 0, "length");
  expect_refused("/tree_length", 18'000'000'000'000'000'000U, "");
}

TEST_F(ManifestDocument, RefusesDeliveriesThatDoNotLeadToTheTree) {
  expect_refused("/deliveries/0/target", std::string(64, 'a'), "deliveries[0].target");
  expect_refused("/deliveries/1/base", sha256({}).hex(), "the same base twice");
  expect_refused("/deliveries/1/base", site.manifest.tree.hex(), "deliveries[1].base");
}

TEST_F(ManifestDocument, RefusesABundleThatRequiresNoTest) {
  expect_refused("/check/required_tests", json::array(), "required_tests");
}

TEST_F(ManifestDocument, RefusesHardwareThatIsAbsentUnsortedOrRepeated) {
  expect_refused("/hardware", json::array(), "at least one");
  expect_refused("/hardware", json::array({"b", "a"}), "hardware[1]");
  expect_refused("/hardware", json::array({"a", "a"}), "hardware[1]");
}

TEST_F(ManifestDocument, RefusesControlCharactersAndEndlessTexts) {
  expect_refused("/vendor", "acme\x1b[2J", "vendor");
  expect_refused("/vendor", "", "vendor");
  expect_refused("/vendor", std::string(257, 'x'), "vendor");
  expect_refused("/packages/numpy", "1\n2", "packages");
  expect_refused("/waivers/0/reason", std::string(5000, 'x'), "reason");
}

TEST_F(ManifestDocument, RefusesMoreThanItsBounds) {
  json many = json::array();
  for (int i = 0; i < 5000; ++i) many.push_back("t" + std::to_string(i));
  expect_refused("/check/required_tests", many, "at most");
  Bytes huge(kMaxManifestBytes + 1, ' ');
  EXPECT_EQ(parse_manifest(huge).error().code, Code::kTooLarge);
}

TEST_F(ManifestDocument, WritesAWaiverWhoseReasonHasLineFeeds) {
  site.manifest.waivers[0].reason = "one\ntwo\xff";
  auto manifest = parse_manifest(serialise(site.manifest));
  ASSERT_TRUE(manifest.ok()) << manifest.error().what;
  EXPECT_EQ(manifest->waivers[0].reason, "one two\xEF\xBF\xBD");
}

TEST_F(ManifestDocument, RandomOnesSurviveTheRoundTripAndNoChangedByteIsReadAlike) {
  std::mt19937 random(7);
  auto digest = [&] { return sha256(as_bytes(std::to_string(random()))); };
  for (int round = 0; round < 100; ++round) {
    Manifest m = site.manifest;
    m.release = 1 + static_cast<std::int64_t>(random());
    m.security_floor = static_cast<std::int64_t>(random()) % (m.release + 1);
    m.tree = digest();
    m.tree_length = (static_cast<std::uint64_t>(random()) << 31) + random();
    m.deliveries.clear();
    for (unsigned i = random() % 5; i > 0; --i) {
      m.deliveries.push_back({digest(), m.tree, 1 + random(), digest()});
    }
    for (unsigned i = random() % 20; i > 0; --i) {
      m.packages["p\xc3\xa9\"" + std::to_string(random())] = std::to_string(random());
      m.required_tests.push_back("t" + std::to_string(random()));
    }
    Bytes bytes = serialise(m);
    auto parsed = parse_manifest(bytes);
    ASSERT_TRUE(parsed.ok()) << parsed.error().what;
    EXPECT_EQ(*parsed, m);
    Bytes changed = bytes;
    changed[random() % changed.size()] ^= static_cast<std::uint8_t>(1 + random() % 255);
    auto other = parse_manifest(changed);
    EXPECT_FALSE(other.ok() && *other == m);
  }
}

}  // namespace
}  // namespace lineside::trust

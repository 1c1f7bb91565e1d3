// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/directive.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "proto/trust/document.h"
#include "tests/fakes/signed_site.h"
#include "tests/proto/trust/edited_json.h"

namespace lineside::trust {
namespace {

using fakes::at;
using nlohmann::json;

class DirectiveDocument : public ::testing::Test {
 protected:
  void expect_refused(const std::string& pointer, json value, const std::string& named,
                      Code code = Code::kMalformed) {
    auto directive = parse_directive(edited(serialise(site.directive), pointer, std::move(value)));
    ASSERT_FALSE(directive.ok()) << pointer;
    EXPECT_EQ(directive.error().code, code) << pointer;
    EXPECT_NE(directive.error().what.find(named), std::string::npos) << directive.error().what;
  }
  Bytes sealed() { return site.sign(kDirectiveType, serialise(site.directive)); }
  fakes::SignedSite site;
};

TEST_F(DirectiveDocument, SurvivesTheRoundTrip) {
  for (OnFailure on_failure : {OnFailure::kPause, OnFailure::kRollBack}) {
    site.directive.on_failure = on_failure;
    auto directive = parse_directive(serialise(site.directive));
    ASSERT_TRUE(directive.ok()) << directive.error().what;
    EXPECT_EQ(*directive, site.directive);
  }
}

TEST_F(DirectiveDocument, RefusesEveryMissingMember) {
  json tree = json::parse(as_text(serialise(site.directive)));
  for (const auto& [name, value] : tree.items()) expect_refused("/" + name, nullptr, name);
  expect_refused("/bundle/sha256", nullptr, "bundle.sha256");
  expect_refused("/failure_limit/percent", nullptr, "percent");
}

// It may be a condition: obeying without it would be disobeying.
TEST_F(DirectiveDocument, RefusesMembersThatItDoesNotKnow) {
  expect_refused("/only_between", "02:00-04:00", "only_between");
  expect_refused("/failure_limit/per_line", 1, "per_line");
  expect_refused("/bundle/version", "2.0.0", "version");
  expect_refused("/schema", 2, "schema", Code::kUnsupported);
}

TEST_F(DirectiveDocument, RefusesDevicesAndCanariesThatDoNotBelongTogether) {
  expect_refused("/canaries", json::array(), "at least one");
  expect_refused("/canaries", json::array({"cam09"}), "part of devices");
  expect_refused("/devices", json::array({"cam02", "cam01"}), "devices[1]");
  expect_refused("/devices", json::array({"cam01", "cam01"}), "devices[1]");
  expect_refused("/devices/0", "CAM 1", "devices[0]");
  expect_refused("/devices", "all", "devices");
}

TEST_F(DirectiveDocument, RefusesImpossibleNumbersAndTimes) {
  expect_refused("/sequence", 0, "sequence");
  expect_refused("/sequence", kMaxDocumentNumber + 1, "sequence");
  expect_refused("/soak_s", -1, "soak_s");
  expect_refused("/soak_s", 1'000'000'000'000, "soak_s");
  expect_refused("/batch_size", 0, "batch_size");
  expect_refused("/failure_limit/percent", 101, "percent");
  expect_refused("/failure_limit/minimum_executed", 0, "minimum_executed");
  expect_refused("/device_deadline_s", 0, "device_deadline_s");
  expect_refused("/expires", "2026-11-22T09:00:00Z", "after not_before");
  expect_refused("/expires", "tomorrow", "expires");
  expect_refused("/on_failure", "ignore", "on_failure");
  expect_refused("/bundle/name", "../../x.json", "NAME/VERSION.json");
  expect_refused("/bundle/sha256", "", "64 lower-case");
}

TEST_F(DirectiveDocument, EveryPartyComputesTheSameBatches) {
  Directive directive;
  directive.devices = {"a", "b", "c", "d", "e", "f", "g"};
  directive.canaries = {"b", "f"};
  directive.batch_size = 2;
  std::map<std::string, std::uint32_t> expected = {{"a", 1}, {"b", 0}, {"c", 1}, {"d", 2},
                                                   {"e", 2}, {"f", 0}, {"g", 3}};
  for (const auto& [device, batch] : expected) EXPECT_EQ(directive.batch_of(device), batch);
  EXPECT_EQ(directive.batch_of("x"), std::nullopt);
  EXPECT_EQ(directive.batch_of(""), std::nullopt);
  EXPECT_EQ(directive.batch_count(), 4U);
}

TEST_F(DirectiveDocument, RandomDirectivesSurviveAndFillTheirBatches) {
  std::mt19937 random(11);
  for (int round = 0; round < 100; ++round) {
    Directive d = site.directive;
    d.devices.clear();
    d.canaries.clear();
    for (unsigned i = 0, n = 1 + random() % 300; i < n; ++i) {
      std::string id = "n" + std::to_string(10'000 + i * 7);
      d.devices.push_back(id);
      if (i == 0 || random() % 20 == 0) d.canaries.push_back(id);
    }
    d.sequence = 1 + static_cast<std::int64_t>(random());
    d.batch_size = 1 + random() % 60;
    auto parsed = parse_directive(serialise(d));
    ASSERT_TRUE(parsed.ok()) << parsed.error().what;
    EXPECT_EQ(*parsed, d);
    std::map<std::uint32_t, std::size_t> sizes;
    for (const std::string& id : d.devices) ++sizes[d.batch_of(id).value()];
    EXPECT_EQ(sizes.size(), d.batch_count());
    EXPECT_EQ(sizes[0], d.canaries.size());
    for (std::uint32_t batch = 1; batch + 1 < d.batch_count(); ++batch) {
      EXPECT_EQ(sizes[batch], d.batch_size);
    }
  }
}

TEST_F(DirectiveDocument, IsVerifiedBeforeItIsObeyed) {
  auto verified = verify_directive(sealed(), site.operators(), "plant-7", 17);
  ASSERT_TRUE(verified.ok()) << verified.error().what;
  EXPECT_EQ(verified->directive, site.directive);
  EXPECT_EQ(verified->digest, sha256(serialise(site.directive)));
  Bytes once = fakes::must(seal(kDirectiveType, serialise(site.directive), {&site.anna()}));
  EXPECT_EQ(verify_directive(once, site.operators(), "plant-7", 1).error().code,
            Code::kBadSignature);
}

TEST_F(DirectiveDocument, OfAnotherSiteOrAnOlderSequenceIsRefused) {
  EXPECT_EQ(verify_directive(sealed(), site.operators(), "plant-8", 1).error().code,
            Code::kWrongSite);
  EXPECT_EQ(verify_directive(sealed(), site.operators(), "plant-7", 18).error().code,
            Code::kRollback);
}

TEST_F(DirectiveDocument, WithoutAThresholdIsRefused) {
  Authority nobody = site.operators();
  nobody.threshold = 0;
  EXPECT_EQ(verify_directive(sealed(), nobody, "plant-7", 1).error().code, Code::kBadSignature);
  EXPECT_EQ(verify_directive(sealed(), Authority{}, "plant-7", 1).error().code,
            Code::kBadSignature);
}

TEST_F(DirectiveDocument, NoByteOfItsEnvelopeCanChangeItsMeaning) {
  Bytes good = sealed();
  for (std::size_t i = 0; i < good.size(); i += 11) {
    Bytes forged = good;
    forged[i] ^= 0x02;
    auto verified = verify_directive(forged, site.operators(), "plant-7", 1);
    if (!verified.ok()) continue;
    EXPECT_EQ(verified->directive, site.directive) << i;  // only an unsigned key id changed
  }
}

TEST_F(DirectiveDocument, IsCurrentFromNotBeforeUntilExpires) {
  EXPECT_EQ(verify_current(site.directive, at("2026-11-22T08:59:59Z")).error().code,
            Code::kExpired);
  EXPECT_TRUE(verify_current(site.directive, at("2026-11-22T09:00:00Z")).ok());
  EXPECT_TRUE(verify_current(site.directive, at("2026-11-29T08:59:59Z")).ok());
  EXPECT_EQ(verify_current(site.directive, at("2026-11-29T09:00:00Z")).error().code,
            Code::kExpired);
}

}  // namespace
}  // namespace lineside::trust

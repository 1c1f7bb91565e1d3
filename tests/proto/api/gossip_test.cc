// SPDX-License-Identifier: Apache-2.0
#include "proto/api/gossip.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace lineside::api {
namespace {

Heads sample() {
  Heads heads;
  heads.site_root = 2;
  heads.roster = 4;
  heads.roster_digest = sha256(as_bytes("roster"));
  heads.directive = 17;
  heads.directive_digest = sha256(as_bytes("directive"));
  heads.vendor_timestamp = 9;
  heads.attestations = evidence_digest({sha256(as_bytes("one"))});
  heads.evidence = true;
  heads.delivery = sha256(as_bytes("delivery"));
  heads.gossip_endpoint = "192.0.2.7:7445";
  heads.swarm_endpoint = "192.0.2.7:6881";
  return heads;
}

TEST(Heads, SurviveTheWireAndFitTheirCap) {
  const std::string body = to_json(sample()).dump();
  EXPECT_LT(body.size(), kMaxHeadsBytes / 2);
  auto back = parse_heads(as_bytes(body));
  ASSERT_TRUE(back.ok()) << back.error().describe();
  EXPECT_EQ(*back, sample());
}

TEST(Heads, NameTheMemberThatIsWrongOrMissing) {
  auto body = to_json(sample());
  body["newer"] = "member";
  EXPECT_TRUE(parse_heads(as_bytes(body.dump())).ok());
  for (const char* name : {"site_root", "roster", "directive", "vendor_timestamp"}) {
    auto bad = body;
    bad[name] = -1;
    auto refused = parse_heads(as_bytes(bad.dump()));
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_NE(refused.error().what.find(name), std::string::npos) << refused.error().what;
    bad.erase(name);
    EXPECT_EQ(parse_heads(as_bytes(bad.dump())).error().code, Code::kMalformed) << name;
  }
}

TEST(Heads, OfTooManyBytesAreRefused) {
  auto body = to_json(sample());
  body["padding"] = std::string(kMaxHeadsBytes, 'x');
  EXPECT_EQ(parse_heads(as_bytes(body.dump())).error().code, Code::kTooLarge);
}

TEST(Envelopes, SurviveTheWireWithinTheirBounds) {
  const std::vector<Bytes> all = {to_bytes("one"), {}, to_bytes("three")};
  const std::string body = envelopes_json(all).dump();
  auto back = parse_envelopes(as_bytes(body), 1024, 3);
  ASSERT_TRUE(back.ok()) << back.error().describe();
  EXPECT_EQ(*back, all);
  EXPECT_EQ(parse_envelopes(as_bytes(body), 1024, 2).error().code, Code::kTooLarge);
  EXPECT_EQ(parse_envelopes(as_bytes(body), body.size() - 1, 3).error().code, Code::kTooLarge);
}

TEST(Envelopes, OfAnotherFormAreRefused) {
  for (const char* body : {"", "[]", "{}", R"({"envelopes":{}})", R"({"envelopes":[1]})",
                           R"({"envelopes":["*"]})", R"({"envelopes":["YQ=="]} x)"}) {
    EXPECT_EQ(parse_envelopes(as_bytes(body), 1024, 9).error().code, Code::kMalformed) << body;
  }
}

TEST(EvidenceDigest, DoesNotDependOnTheOrder) {
  const Digest one = sha256(as_bytes("1"));
  const Digest two = sha256(as_bytes("2"));
  EXPECT_EQ(evidence_digest({one, two}), evidence_digest({two, one}));
  EXPECT_NE(evidence_digest({one, two}), evidence_digest({one}));
  EXPECT_EQ(evidence_digest({}), Digest{});
}

}  // namespace
}  // namespace lineside::api

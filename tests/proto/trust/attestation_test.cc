// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/attestation.h"

#include <gtest/gtest.h>

#include "tests/fakes/signed_site.h"
#include "tests/proto/trust/edited_json.h"

namespace lineside::trust {
namespace {

using nlohmann::json;

class AttestationDocument : public ::testing::Test {
 protected:
  void expect_refused(const std::string& pointer, json value, const std::string& named) {
    auto parsed = parse_attestation(edited(statement, pointer, std::move(value)));
    ASSERT_FALSE(parsed.ok()) << pointer;
    EXPECT_EQ(parsed.error().code, Code::kMalformed) << pointer;
    EXPECT_NE(parsed.error().what.find(named), std::string::npos) << parsed.error().what;
  }
  void expect_ignored(const std::string& pointer, json value) {
    auto parsed = parse_attestation(edited(statement, pointer, std::move(value)));
    ASSERT_TRUE(parsed.ok()) << parsed.error().what;
    EXPECT_EQ(*parsed, attestation);
  }
  fakes::SignedSite site;
  Attestation attestation = site.passed("cam01");
  Bytes statement = serialise(attestation);
};

TEST_F(AttestationDocument, SurvivesTheRoundTrip) {
  for (Outcome outcome : {Outcome::kPassed, Outcome::kWarned, Outcome::kFailed}) {
    attestation.outcome = outcome;
    attestation.failed_tests = {"mem.peak"};
    attestation.cause = "213 MB where 200 are allowed";
    attestation.measured["empty"] = "";
    auto parsed = parse_attestation(serialise(attestation));
    ASSERT_TRUE(parsed.ok()) << parsed.error().what;
    EXPECT_EQ(*parsed, attestation);
  }
}

// The names that other tools look for: in-toto Statement v1, test-result v0.1.
TEST_F(AttestationDocument, IsAnInTotoTestResult) {
  json tree = json::parse(as_text(statement));
  EXPECT_EQ(tree["_type"], "https://in-toto.io/Statement/v1");
  EXPECT_EQ(tree["predicateType"], "https://in-toto.io/attestation/test-result/v0.1");
  EXPECT_EQ(tree["subject"][0]["name"], "vision/2.0.0.json");
  EXPECT_EQ(tree["subject"][0]["digest"]["sha256"], site.manifest_digest().hex());
  EXPECT_EQ(tree["predicate"]["result"], "PASSED");
  EXPECT_EQ(tree["predicate"]["configuration"].size(), 3U);
  EXPECT_EQ(tree["predicate"]["passedTests"].size(), 2U);
}

TEST_F(AttestationDocument, IgnoresUnknownMembersAsTheFrameworkDemands) {
  expect_ignored("/note", "hello");
  expect_ignored("/predicate/url", "https://ci.example/7");
  expect_ignored("/predicate/warnedTests", json::array({"latency"}));
  expect_ignored("/subject/0/digest/sha512", "00");
  expect_ignored("/predicate/configuration/3", json{{"uri", "https://example"}});
}

TEST_F(AttestationDocument, RefusesUnknownMembersInOurExtension) {
  expect_refused("/predicate/linesideRun/but", "only on Tuesdays", "linesideRun.but");
  expect_refused("/predicate/linesideRun/schema", 2, "schema");
}

TEST_F(AttestationDocument, RefusesMissingMembers) {
  for (const char* member : {"/_type", "/subject", "/predicateType", "/predicate"}) {
    expect_refused(member, nullptr, "missing");
  }
  for (const char* member : {"result", "configuration", "linesideRun"}) {
    expect_refused("/predicate/" + std::string(member), nullptr, member);
  }
  json tree = json::parse(as_text(statement));
  for (const auto& [name, value] : tree["predicate"]["linesideRun"].items()) {
    expect_refused("/predicate/linesideRun/" + name, nullptr, name);
  }
}

TEST_F(AttestationDocument, RefusesOtherTypesAndResults) {
  expect_refused("/_type", "https://in-toto.io/Statement/v0.1", "_type");
  expect_refused("/predicateType", "https://slsa.dev/provenance/v1", "predicateType");
  expect_refused("/predicate/result", "passed", "result");
  expect_refused("/predicate/result", true, "result");
}

TEST_F(AttestationDocument, RefusesAmbiguousSubjectsAndConfigurations) {
  json tree = json::parse(as_text(statement));
  expect_refused("/subject/1", tree["subject"][0], "at most 1");
  expect_refused("/subject", json::array(), "exactly one");
  expect_refused("/predicate/configuration/3", tree["predicate"]["configuration"][0], "twice");
  expect_refused("/predicate/configuration/0/name", "other", "\"check\"");
  expect_refused("/subject/0/digest/sha256", nullptr, "sha256");
  expect_refused("/subject/0/digest/sha256", "", "64 lower-case");
}

// Words of a runtime under test must not keep its failure from being reported.
TEST_F(AttestationDocument, ReportsACauseOfAnyBytes) {
  attestation.cause = "Traceback:\n\x1b[31mImportError\x80 " + std::string(10'000, 'x');
  attestation.measured["version.numpy"] = std::string("1.19\0.5", 7);
  auto parsed = parse_attestation(serialise(attestation));
  ASSERT_TRUE(parsed.ok()) << parsed.error().what;
  EXPECT_EQ(parsed->cause.substr(0, 30), "Traceback:  [31mImportError\xEF\xBF\xBD");
  EXPECT_EQ(parsed->cause.size(), 4096U);
  EXPECT_EQ(parsed->measured["version.numpy"], "1.19 .5");
}

TEST_F(AttestationDocument, IsVerifiedAgainstTheRoster) {
  Bytes envelope = site.seal(attestation);
  auto verified = verify_attestation(envelope, site.roster);
  ASSERT_TRUE(verified.ok()) << verified.error().what;
  EXPECT_EQ(verified->attestation, attestation);
  EXPECT_EQ(verified->digest, sha256(statement));
  EXPECT_EQ(verified->envelope, envelope);
  EXPECT_TRUE(verify_attestation(site.seal(site.passed("cam03")), site.roster).ok());  // P-256
}

TEST_F(AttestationDocument, OfAStrangerOrARevokedDeviceIsUnknown) {
  PrivateKey stranger = fakes::must(PrivateKey::generate(Scheme::kEd25519));
  Bytes forged = fakes::must(seal_attestation(attestation, stranger));
  EXPECT_EQ(verify_attestation(forged, site.roster).error().code, Code::kUnknownKey);
  Bytes good = site.seal(attestation);
  site.roster.devices[0].revoked = true;
  EXPECT_EQ(verify_attestation(good, site.roster).error().code, Code::kUnknownKey);
  EXPECT_EQ(verify_attestation(good, Roster{}).error().code, Code::kUnknownKey);
}

TEST_F(AttestationDocument, OfAnotherDeviceIsRefused) {
  Bytes forged = fakes::must(seal_attestation(attestation, site.key("cam02")));
  EXPECT_EQ(verify_attestation(forged, site.roster).error().code, Code::kWrongDevice);
  attestation.device = "cam99";
  forged = fakes::must(seal_attestation(attestation, site.key("cam02")));
  EXPECT_EQ(verify_attestation(forged, site.roster).error().code, Code::kWrongDevice);
}

TEST_F(AttestationDocument, OfTheGatewayIsUnknown) {
  PrivateKey gateway = fakes::ed25519_from_seed(std::string(64, '3'));
  ASSERT_TRUE(site.roster.is_gateway(gateway.public_key()));
  Bytes forged = fakes::must(seal_attestation(attestation, gateway));
  EXPECT_EQ(verify_attestation(forged, site.roster).error().code, Code::kUnknownKey);
}

// Else one envelope could make a verifier try the keys of a whole plant.
TEST_F(AttestationDocument, MustCarryItsKeyId) {
  Bytes envelope = site.seal(attestation);
  for (const json& id : {json(""), json(), json("00"), json(7)}) {
    EXPECT_FALSE(verify_attestation(edited(envelope, "/signatures/0/keyid", id), site.roster).ok());
  }
}

TEST_F(AttestationDocument, AKeyIdProvesNothing) {
  Bytes forged = fakes::must(seal_attestation(attestation, site.key("cam02")));
  std::string cam01 = site.key("cam01").public_key().keyid();
  EXPECT_EQ(
      verify_attestation(edited(forged, "/signatures/0/keyid", cam01), site.roster).error().code,
      Code::kUnknownKey);
}

TEST_F(AttestationDocument, OfEndlessListsIsRefusedBeforeTheyAreRead) {
  json many = json::array();
  for (int i = 0; i < 100'000; ++i) many.push_back(json::object());
  expect_refused("/predicate/configuration", many, "at most 64");
  expect_refused("/subject", many, "at most 1");
  expect_refused("/predicate/passedTests", many, "at most 1024");
  Bytes huge(kMaxAttestationBytes + 1, ' ');
  EXPECT_EQ(verify_attestation(huge, site.roster).error().code, Code::kTooLarge);
}

TEST_F(AttestationDocument, WithoutOrWithEndlessSignaturesIsRefused) {
  Bytes envelope = site.seal(attestation);
  Bytes none = edited(envelope, "/signatures", json::array());
  EXPECT_EQ(verify_attestation(none, site.roster).error().code, Code::kUnknownKey);
  json many = json::array();
  for (int i = 0; i < 9; ++i) many.push_back({{"keyid", ""}, {"sig", "AAAA"}});
  EXPECT_EQ(verify_attestation(edited(envelope, "/signatures", many), site.roster).error().code,
            Code::kTooLarge);
  EXPECT_EQ(verify_attestation(to_bytes("[]"), site.roster).error().code, Code::kMalformed);
}

}  // namespace
}  // namespace lineside::trust

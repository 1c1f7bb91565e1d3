// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/roster.h"

#include <gtest/gtest.h>

#include "tests/fakes/signed_site.h"
#include "tests/proto/trust/edited_json.h"

namespace lineside::trust {
namespace {

using nlohmann::json;

class RosterDocument : public ::testing::Test {
 protected:
  void expect_refused(const std::string& pointer, json value, const std::string& named,
                      Code code = Code::kMalformed) {
    auto roster = parse_roster(edited(serialise(site.roster), pointer, std::move(value)));
    ASSERT_FALSE(roster.ok()) << pointer;
    EXPECT_EQ(roster.error().code, code) << pointer;
    EXPECT_NE(roster.error().what.find(named), std::string::npos) << roster.error().what;
  }
  Bytes sealed() { return site.sign(kRosterType, serialise(site.roster)); }
  Result<VerifiedRoster> verify(const Bytes& envelope) {
    return verify_roster(envelope, site.operators(), "plant-7", 4);
  }
  fakes::SignedSite site;
};

// The roster has a P-256 key, whose PEM text has line feeds.
TEST_F(RosterDocument, SurvivesTheRoundTripWithKeysOfBothKinds) {
  Bytes bytes = serialise(site.roster);
  auto roster = parse_roster(bytes);
  ASSERT_TRUE(roster.ok()) << roster.error().what;
  EXPECT_EQ(serialise(*roster), bytes);
  EXPECT_EQ(roster->devices.size(), 5U);
  EXPECT_TRUE(roster->find("cam03")->key == site.key("cam03").public_key());
  EXPECT_TRUE(roster->find("cam01")->canary);
}

TEST_F(RosterDocument, FindsDevicesByIdAndByKey) {
  EXPECT_EQ(site.roster.find("cam02")->id, "cam02");
  EXPECT_EQ(site.roster.find("cam0"), nullptr);
  EXPECT_EQ(site.roster.find(site.key("ipc02").public_key())->id, "ipc02");
  EXPECT_EQ(site.roster.find(site.anna().public_key()), nullptr);
  EXPECT_TRUE(site.roster.is_gateway(site.roster.gateways[0]));
  EXPECT_FALSE(site.roster.is_gateway(site.key("cam01").public_key()));
}

TEST_F(RosterDocument, RefusesMissingAndUnknownMembers) {
  for (const char* name : {"site", "version", "issued", "gateways", "devices"}) {
    expect_refused("/" + std::string(name), nullptr, name);
  }
  for (const char* name : {"id", "hardware", "groups", "canary", "revoked"}) {
    expect_refused("/devices/0/" + std::string(name), nullptr, name);
  }
  expect_refused("/devices/0/key", nullptr, "key");
  expect_refused("/devices/0/until", "2030", "until");
  expect_refused("/policy", "lenient", "policy");
  expect_refused("/schema", 2, "schema", Code::kUnsupported);
}

TEST_F(RosterDocument, RefusesIdsThatAreUnsortedRepeatedOrUnsafe) {
  expect_refused("/devices/1/id", "cam01", "devices[1].id");
  expect_refused("/devices/1/id", "zzz", "devices[2].id");
  expect_refused("/devices/0/id", "../cam", "devices[0].id");
  expect_refused("/devices/0/id", "", "devices[0].id");
  expect_refused("/site", "Plant 7", "roster.site");
}

TEST_F(RosterDocument, RefusesOneKeyForTwo) {
  json tree = json::parse(as_text(serialise(site.roster)));
  expect_refused("/devices/1/key", tree["devices"][0]["key"], "devices[1].key");
  // A gateway that is also a device could attest.
  expect_refused("/devices/0/key", tree["gateways"][0], "devices[0].key");
  // The same key under another key id.
  json same = tree["devices"][0]["key"];
  same["comment"] = "another key id";
  expect_refused("/devices/1/key", same, "devices[1].key");
}

TEST_F(RosterDocument, RefusesKeysThatVerifyNothing) {
  expect_refused("/devices/0/key/scheme", "rot13", "scheme that this build knows");
  expect_refused("/devices/0/key/keyval/public", "00", "devices[0].key");
  expect_refused("/devices/0/key", "", "devices[0].key");
  expect_refused("/gateways", json::array(), "gateways");
  expect_refused("/gateways", "none", "gateways");
}

TEST_F(RosterDocument, RefusesADeviceWithoutHardware) {
  expect_refused("/devices/0/hardware", json::array(), "hardware");
}

TEST_F(RosterDocument, IsVerifiedBeforeItIsBelieved) {
  auto verified = verify(sealed());
  ASSERT_TRUE(verified.ok()) << verified.error().what;
  EXPECT_EQ(verified->digest, sha256(serialise(site.roster)));
  EXPECT_EQ(verified->envelope, sealed());
}

TEST_F(RosterDocument, NeedsTheThresholdOfOperators) {
  Bytes once = fakes::must(seal(kRosterType, serialise(site.roster), {&site.anna()}));
  EXPECT_EQ(verify(once).error().code, Code::kBadSignature);
  Bytes twice =
      fakes::must(seal(kRosterType, serialise(site.roster), {&site.anna(), &site.anna()}));
  EXPECT_EQ(verify(twice).error().code, Code::kBadSignature);
  Bytes device = fakes::must(seal(kRosterType, serialise(site.roster), {&site.key("cam01")}));
  EXPECT_EQ(verify(device).error().code, Code::kBadSignature);
}

TEST_F(RosterDocument, IsForOneSiteAndNeverGoesBack) {
  EXPECT_EQ(verify_roster(sealed(), site.operators(), "plant-8", 1).error().code, Code::kWrongSite);
  EXPECT_EQ(verify_roster(sealed(), site.operators(), "plant-7", 5).error().code, Code::kRollback);
}

TEST_F(RosterDocument, IsNotTakenFromAnEnvelopeOfAnotherType) {
  Bytes other = site.sign(kDirectiveType, serialise(site.roster));
  EXPECT_EQ(verify(other).error().code, Code::kUnsupported);
}

}  // namespace
}  // namespace lineside::trust

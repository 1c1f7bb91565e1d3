// SPDX-License-Identifier: Apache-2.0
// What a gateway lets whom do, over real TLS.
#include "tests/seeder/gateway_fixture.h"

namespace lineside::seeder {
namespace {

using nlohmann::json;

struct GatewayTest : GatewayFixture {};

TEST_F(GatewayTest, AStrangerMayEnrolAndReadDocumentsAndNothingElse) {
  Party stranger = party(new_key());
  EXPECT_EQ(stranger.get("/v1/site/metadata/1.root.json").status, 200);
  EXPECT_EQ(stranger.get("/v1/roster").status, 404);
  for (const char* path : {"/v1/status", "/v1/nodes", "/v1/pending", "/v1/events",
                           "/v1/attestations?directive=00", "/v1/bundles", "/v1/leaves/00"}) {
    http::Reply reply = stranger.get(path);
    EXPECT_EQ(reply.status, 403) << path;
    EXPECT_EQ(code_in(reply), "unknown-key") << path;
  }
  EXPECT_EQ(stranger.say("/v1/report", api::to_json(report_of("cam1", "idle", 0))).status, 403);
  EXPECT_EQ(stranger.say("/v1/rollouts/1/abort", json::object()).status, 403);
  EXPECT_EQ(stranger.get("/v1/nothing").status, 404);
  EXPECT_EQ(stranger.say("/v1/status", json::object()).status, 405);
}

TEST_F(GatewayTest, PathsCannotLeaveTheMirror) {
  Party stranger = party(new_key());
  EXPECT_NE(stranger.get("/v1/vendor/metadata/../trust/root.json").status, 200);
  EXPECT_NE(stranger.get("/v1/site/metadata/%2e%2e/trust/root.json").status, 200);
}

TEST_F(GatewayTest, RefusesABodyThatIsTooLarge) {
  Party stranger = party(new_key());
  Bytes large(17 * 1024, ' ');
  EXPECT_EQ(stranger.post("/v1/enrol", large).status, 413);
}

TEST_F(GatewayTest, RefusesARosterThatTheOperatorsDidNotSign) {
  Party anna = operator_party();
  trust::PrivateKey thief = new_key();
  trust::Roster roster;
  roster.site = "plant-7";
  roster.version = 9;
  roster.gateways = {thief.public_key()};
  Bytes forged = must(trust::seal(trust::kRosterType, trust::serialise(roster), {&thief}));
  http::Reply reply = anna.post("/v1/roster", forged);
  EXPECT_EQ(reply.status, 403);
  EXPECT_EQ(code_in(reply), "bad-signature");
  Party stranger = party(std::move(thief));
  EXPECT_EQ(code_in(stranger.post("/v1/roster", forged)), "unknown-key");
}

TEST_F(GatewayTest, RefusesADirectiveForAnotherSite) {
  Party anna = operator_party();
  enrol("cam1", true);
  trust::Directive directive;
  directive.site = "plant-8";
  directive.sequence = 1;
  directive.issued = directive.not_before = clock.now();
  directive.expires = clock.now() + std::chrono::hours(1);
  directive.bundle = "vision/1.0.0.json";
  directive.devices = directive.canaries = {"cam1"};
  Bytes signed_one =
      must(trust::seal(trust::kDirectiveType, trust::serialise(directive), {&anna.key}));
  EXPECT_EQ(code_in(anna.post("/v1/directive", signed_one)), "wrong-site");
  directive.site = "plant-7";
  directive.devices.push_back("cam9");
  signed_one = must(trust::seal(trust::kDirectiveType, trust::serialise(directive), {&anna.key}));
  EXPECT_EQ(code_in(anna.post("/v1/directive", signed_one)), "conflict");
}

TEST_F(GatewayTest, ANodeReportsForItselfOnly) {
  auto cam1 = enrol("cam1", true);
  http::Reply reply = cam1->say("/v1/report", api::to_json(report_of("cam2", "idle", 0)));
  EXPECT_EQ(reply.status, 403);
  EXPECT_EQ(code_in(reply), "wrong-device");
}

TEST_F(GatewayTest, ARevokedDeviceIsShutOutAtOnce) {
  auto cam1 = enrol("cam1", true);
  say(*cam1, report_of("cam1", "idle", 0));
  ctl::Session run = session();
  must(ctl::revoke(run, "cam1"));
  EXPECT_EQ(cam1->say("/v1/report", api::to_json(report_of("cam1", "idle", 0))).status, 403);
}

TEST_F(GatewayTest, ASecondGatewayOnTheSameAddressIsAnErrorThatNamesIt) {
  SeederConfig second = config();
  second.state = dir / "state2";
  second.listen = gateway->endpoint();
  auto started = Seeder::start(second, *disk, clock);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, Code::kConflict);
  EXPECT_NE(started.error().what.find(gateway->endpoint()), std::string::npos);
}

// It would remove the trees and deliveries that the first is making.
TEST_F(GatewayTest, ASecondGatewayOnTheSameStateIsRefusedBeforeItTouchesAnything) {
  const Path making = dir.write("state/store/staging/tree/part", "half");
  auto started = Seeder::start(config(), *disk, clock);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, Code::kConflict);
  EXPECT_NE(started.error().what.find((dir / "state").string() + " is in use by process"),
            std::string::npos)
      << started.error().what;
  EXPECT_TRUE(std::filesystem::exists(making));
  gateway.reset();
  gateway = must(Seeder::start(config(), *disk, clock));
}

TEST_F(GatewayTest, MistakesOfCommissioningAreNamedAtTheStart) {
  gateway.reset();
  auto refusal = [&](const SeederConfig& bad) {
    auto started = Seeder::start(bad, *disk, clock);
    EXPECT_FALSE(started.ok());
    if (started.ok()) return std::string();
    EXPECT_EQ(started.error().code, Code::kUsage) << started.error().what;
    return started.error().what;
  };
  SeederConfig bad = config();
  bad.state = dir / "other";
  bad.vendor_root = dir.write("no.root.json", "{}");
  EXPECT_NE(refusal(bad).find("vendor_root"), std::string::npos);
  EXPECT_NE(refusal(bad).find("no.root.json"), std::string::npos);
  bad.vendor_root = dir / "missing.json";
  EXPECT_NE(refusal(bad).find("missing.json"), std::string::npos);
  bad.vendor_root = config().vendor_root;
  bad.site_root = dir.write("site.root.json", "not even JSON");
  EXPECT_NE(refusal(bad).find("site.root.json"), std::string::npos);
  bad = config();  // of a gateway that has begun
  bad.site_root = config().vendor_root;
  EXPECT_NE(refusal(bad).find("is not the root that this gateway began with"), std::string::npos);
  bad = config();
  bad.vendor_root = config().site_root;
  EXPECT_NE(refusal(bad).find("is not the root that this gateway began with"), std::string::npos);
  gateway = must(Seeder::start(config(), *disk, clock));
  enrol("cam1", true);  // puts a roster of plant-7 into the state folder
  gateway.reset();
  bad = config();
  bad.site = "plant-8";
  std::string text = refusal(bad);
  EXPECT_NE(text.find("site = \"plant-8\""), std::string::npos) << text;
}

}  // namespace
}  // namespace lineside::seeder

// SPDX-License-Identifier: Apache-2.0
// A site with two operators of whom both must sign, over a real gateway: drafts, signatures one
// after another, other operators, another gateway, revocation.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "proto/trust/key_file.h"
#include "seeder/ctl/commands.h"
#include "seeder/seeder.h"
#include "tests/fakes/tokens.h"
#include "tests/seeder/party.h"

namespace lineside::seeder {
namespace {

using nlohmann::json;

struct CosignTest : ::testing::Test {
  VendorOrigin vendor;
  fakes::TempDir dir;
  std::unique_ptr<Disk> disk = make_posix_disk();
  SystemClock clock;
  std::unique_ptr<Seeder> gateway;
  std::ostringstream out, notes;

  SeederConfig config(const std::string& name) {
    SeederConfig made;
    made.state = dir / (name + "-state");
    made.site = "plant-7";
    made.site_root = dir / "site-root/1.root.json";
    made.vendor_root = dir / "vendor.root.json";
    made.origin = vendor.folder().string();
    made.listen = "127.0.0.1:0";
    made.key = dir / (name + ".key");
    made.swarm_listen = {"127.0.0.1:0"};
    made.swarm_local_discovery = false;
    return made;
  }
  // A fresh run of `lineside` in the folder of `who`.
  ctl::Session run(const std::string& who) {
    out.str("");
    notes.str("");
    ctl::SessionOptions options;
    options.site = dir / who;
    options.json = true;
    options.yes = true;
    if (gateway) options.gateway = gateway->endpoint();
    return {*disk, clock, options, out, notes};
  }
  ctl::Session loaded(const std::string& who) {
    ctl::Session made = run(who);
    must(made.load());
    return made;
  }
  [[nodiscard]] json said() const { return json::parse(out.str()); }

  void make_key(const std::string& name) {
    ctl::Session session = run("nobody");
    must(ctl::key_generate(*disk, session, {(dir / (name + ".key")).string(), false, true}));
    std::filesystem::rename(dir / (name + ".key.pub"), dir / (name + ".pub"));
  }
  ctl::SiteInit wish(const std::string& operator_key) {
    ctl::SiteInit init{"plant-7", "", dir / "gateway.pem", dir / "vendor.root.json", true};
    init.operator_key = operator_key;
    init.operator_name = "anna";
    return init;
  }
  void sign(const std::string& who, const std::string& draft) {
    ctl::Session session = run(who);
    must(ctl::sign_draft(session, draft, ""));
  }
  Result<void> submit(const std::string& who, const std::string& draft) {
    ctl::Session session = run(who);
    return ctl::submit_draft(session, draft, false);
  }

  // anna draws the site up, bert signs, and each has a folder.
  void SetUp() override {
    vendor.publish("1.0.0", 1, {{"models/m", "m"}});
    dir.write("vendor.root.json", std::string(as_text(vendor.root)));
    dir.write("gateway.pem", must(gateway_key(*disk, config("old"))).public_key().pem());
    make_key("anna");
    make_key("bert");
    ctl::SiteInit init = wish((dir / "anna.key").string());
    init.other_operators = {(dir / "bert.pub").string()};
    init.threshold = 2;
    ctl::Session session = run("anna");
    must(ctl::site_init(*disk, session, init));
    EXPECT_EQ(run("anna").load().error().code, Code::kConflict) << "half a site root";
    std::string root = (dir / "anna/drafts/1.root.json").string();
    ctl::Session of_bert = run("bert");
    must(ctl::sign_draft(of_bert, root, (dir / "bert.key").string()));
    EXPECT_NE(notes.str().find("+ operators: bert ("), std::string::npos) << notes.str();
    must(submit("anna", root));
    std::filesystem::create_directory(dir / "site-root");
    std::filesystem::copy(dir / "anna/1.root.json", dir / "site-root/1.root.json");
    ctl::Session joining = run("bert");
    must(ctl::site_join(*disk, joining, wish((dir / "bert.key").string()),
                        dir / "site-root/1.root.json"));
    gateway = must(Seeder::start(config("old"), *disk, clock));
    std::string roster = (dir / "anna/drafts/roster-1.dsse.json").string();
    EXPECT_FALSE(submit("anna", roster).ok()) << "bert has not signed";
    sign("bert", roster);
    must(submit("bert", roster));
  }

  // `device` waits, anna accepts, bert signs, anna submits.
  Party enrol(const std::string& device) {
    Party made(gateway->endpoint(), gateway->public_key(), new_key());
    made.say("/v1/enrol", api::to_json(api::EnrolRequest{device, {"jetson"}, "0.1.0"}));
    ctl::Session session = loaded("anna");
    must(ctl::accept(session, {{device, made.key.public_key().fingerprint(), {}, {}, true, {}}}));
    std::string draft = said()["draft"];
    sign("bert", draft);
    must(submit("anna", draft));
    return made;
  }
  trust::Roster roster(const std::string& who) {
    ctl::Session session = loaded(who);
    return must(session.roster()).roster;
  }
};

TEST_F(CosignTest, ADeviceBelongsToTheSiteWhenBothHaveSigned) {
  Party cam(gateway->endpoint(), gateway->public_key(), new_key());
  cam.say("/v1/enrol", api::to_json(api::EnrolRequest{"cam1", {"jetson"}, "0.1.0"}));
  ctl::Session session = loaded("anna");
  must(ctl::accept(session, {{"cam1", cam.key.public_key().fingerprint(), {}, {}, true, {}}}));
  std::string draft = said()["draft"];
  EXPECT_EQ(roster("bert").devices.size(), 0U) << "anna alone";
  EXPECT_EQ(submit("anna", draft).error().code, Code::kBadSignature);
  sign("anna", draft);
  EXPECT_EQ(said()["state"], "1 of 2 signatures, missing bert") << "the same key again";
  sign("bert", draft);
  EXPECT_EQ(said()["state"], "2 of 2 signatures");
  EXPECT_NE(notes.str().find("+ cam1: key " + cam.key.public_key().fingerprint()),
            std::string::npos)
      << notes.str();
  must(submit("anna", draft));
  EXPECT_EQ(roster("bert").devices.size(), 1U);
}

TEST_F(CosignTest, ADirectiveIsSignedOverTheVendorsChain) {
  enrol("cam1");
  ctl::Session starting = loaded("anna");
  must(ctl::rollout_start(starting, "vision/1.0.0", {}));
  std::string draft = said()["draft"];
  sign("bert", draft);
  EXPECT_NE(notes.str().find("install vision 1.0.0 (release 1)"), std::string::npos) << notes.str();
  must(submit("bert", draft));
  EXPECT_TRUE(must(loaded("anna").directive()).has_value());
}

TEST_F(CosignTest, ADraftOfWhatTheVendorNeverSignedGetsNoSignature) {
  enrol("cam1");
  ctl::Session starting = loaded("anna");
  must(ctl::rollout_start(starting, "vision/1.0.0", {}));
  std::string path = said()["draft"];
  auto draft = must(ctl::read_draft(must(disk->read(path, 1 << 20))));
  auto directive = must(trust::parse_directive(draft.payload));
  directive.manifest = sha256(as_bytes("something else"));
  trust::PrivateKey anna = must(trust::load_key(*disk, dir / "anna.key", {}));
  auto forged = must(trust::seal(trust::kDirectiveType, trust::serialise(directive), {&anna}));
  must(disk->replace(path, forged));
  ctl::Session of_bert = run("bert");
  EXPECT_EQ(ctl::sign_draft(of_bert, path, "").error().code, Code::kMismatch);
  EXPECT_EQ(must(disk->read(path, 1 << 20)), forged) << "a signature was added";
}

TEST_F(CosignTest, ADraftOfAnotherSiteOrAnOldOneGetsNoSignature) {
  enrol("cam1");
  trust::Roster other = roster("bert");  // whose folder knows it from now on
  trust::PrivateKey anna = must(trust::load_key(*disk, dir / "anna.key", {}));
  auto expect_refused = [&](const trust::Roster& draft, Code code) {
    auto sealed = must(trust::seal(trust::kRosterType, trust::serialise(draft), {&anna}));
    must(disk->replace(dir / "draft", sealed));
    ctl::Session of_bert = run("bert");
    EXPECT_EQ(ctl::sign_draft(of_bert, dir / "draft", "").error().code, code);
  };
  expect_refused(other, Code::kRollback);
  other.version += 1;
  other.site = "plant-8";
  expect_refused(other, Code::kWrongSite);
}

TEST_F(CosignTest, AnOperatorIsReplacedWhileTheSiteGoesOn) {
  enrol("cam1");
  make_key("carla");
  ctl::Session session = loaded("anna");
  ctl::OperatorChange change;
  change.add = {(dir / "carla.pub").string()};
  change.remove = {"bert"};
  must(ctl::site_operators(session, change));
  json drafts = said();
  std::string root = drafts["draft"], again = drafts["roster_draft"];
  sign("bert", root);
  ctl::Session of_carla = run("carla");
  must(ctl::sign_draft(of_carla, root, (dir / "carla.key").string()));
  EXPECT_EQ(submit("anna", root).error().code, Code::kConflict) << "no roster would hold under it";
  sign("bert", again);
  ctl::Session again_carla = run("carla");
  must(ctl::sign_draft(again_carla, again, (dir / "carla.key").string()));
  must(submit("anna", again));
  must(submit("anna", root));
  EXPECT_EQ(roster("anna").devices.size(), 1U) << "the roster holds under the new operators";
  ctl::Session of_bert = loaded("bert");
  EXPECT_FALSE(of_bert.roster().ok() && of_bert.status().ok()) << "bert is none any more";
  std::filesystem::copy(dir / "anna/2.root.json", dir / "2.root.json");
  ctl::Session joining = run("carla");
  must(ctl::site_join(*disk, joining, wish((dir / "carla.key").string()), dir / "2.root.json"));
  EXPECT_EQ(roster("carla").devices.size(), 1U);
  // And all of it is on the gateway's disk.
  gateway.reset();
  gateway = must(Seeder::start(config("old"), *disk, clock));
  EXPECT_EQ(roster("carla").devices.size(), 1U);
}

TEST_F(CosignTest, ASiteRootOfOtherKeysIsRefusedByTheGateway) {
  trust::PrivateKey mallory = new_key();
  trust::RootSpec spec;
  for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
    spec.roles[role] = {{mallory.public_key()}, 1};
  }
  Bytes forged = must(trust::sign_metadata(must(trust::draft_root(spec, 2, clock.now())), mallory));
  trust::PrivateKey anna = must(trust::load_key(*disk, dir / "anna.key", {}));
  Party operator_anna(gateway->endpoint(), gateway->public_key(), std::move(anna));
  EXPECT_EQ(operator_anna.post("/v1/site/root", forged).status / 100, 4);
  Party stranger(gateway->endpoint(), gateway->public_key(), new_key());
  EXPECT_EQ(stranger.post("/v1/site/root", forged).status, 403);
  EXPECT_EQ(stranger.get("/v1/site/metadata/2.root.json").status, 404) << "nodes were offered it";
  EXPECT_EQ(roster("anna").version, 1);
}

TEST_F(CosignTest, ARevokedDeviceWithANewKeyIsPendingAgain) {
  Party cam = enrol("cam1");
  ctl::Session session = loaded("anna");
  must(ctl::revoke(session, "cam1"));
  std::string draft = said()["draft"];
  sign("bert", draft);
  must(submit("anna", draft));
  http::Reply old = cam.say("/v1/enrol", api::to_json(api::EnrolRequest{"cam1", {"jetson"}, ""}));
  EXPECT_EQ(json::parse(as_text(old.body))["status"], "revoked");
  Party again(gateway->endpoint(), gateway->public_key(), new_key());
  http::Reply fresh =
      again.say("/v1/enrol", api::to_json(api::EnrolRequest{"cam1", {"jetson"}, ""}));
  EXPECT_EQ(json::parse(as_text(fresh.body))["status"], "pending") << "the name is no key";
  EXPECT_EQ(again.get("/v1/delivery?base=0&target=0").status, 403);
}

TEST_F(CosignTest, AnotherGatewayTakesOverWithARosterThatNamesIt) {
  enrol("cam1");
  SeederConfig fresh = config("new");
  dir.write("new.pem", must(gateway_key(*disk, fresh)).public_key().pem());
  gateway.reset();
  gateway = must(Seeder::start(fresh, *disk, clock));
  ctl::Session session = loaded("anna");
  must(ctl::replace_gateway(session, {dir / "new.pem", "", false}));
  EXPECT_NE(notes.str().find("+ gateway with the key"), std::string::npos) << notes.str();
  EXPECT_NE(notes.str().find("- gateway with the key"), std::string::npos) << notes.str();
  std::string draft = said()["draft"];
  ctl::Session of_bert = run("bert");
  must(ctl::sign_draft(of_bert, draft, ""));
  must(submit("anna", draft));
  trust::Roster now = roster("anna");
  EXPECT_TRUE(now.is_gateway(gateway->public_key()));
  EXPECT_EQ(now.gateways.size(), 1U);
  EXPECT_EQ(now.devices.size(), 1U) << "the devices are the same";
}

TEST(TokenOperator, SignsAndSpeaksWithAKeyFromAToken) {
  fakes::SoftHsm hsm;
  hsm.add_key("anna", "01", trust::Scheme::kEcdsaP256Sha256);
  VendorOrigin vendor;
  fakes::TempDir dir;
  auto disk = make_posix_disk();
  SystemClock clock;
  std::ostringstream out, notes;
  ::setenv("LINESIDE_PASSPHRASE_FILE", dir.write("pin", "1234\n").c_str(), 1);
  dir.write("vendor.root.json", std::string(as_text(vendor.root)));
  SeederConfig config;
  config.state = dir / "state";
  config.site = "plant-7";
  config.site_root = dir / "site/1.root.json";
  config.vendor_root = dir / "vendor.root.json";
  config.origin = vendor.folder().string();
  config.listen = "127.0.0.1:0";
  config.key = dir / "gateway.key";
  config.swarm_listen = {"127.0.0.1:0"};
  config.swarm_local_discovery = false;
  dir.write("gateway.pem", must(gateway_key(*disk, config)).public_key().pem());
  ctl::SessionOptions options;
  options.site = dir / "site";
  options.yes = true;
  {
    ctl::Session session(*disk, clock, options, out, notes);
    ctl::SiteInit init{"plant-7", "", dir / "gateway.pem", {}, false};
    init.operator_key = fakes::SoftHsm::uri("anna");
    must(ctl::site_init(*disk, session, init));
  }
  auto gateway = must(Seeder::start(config, *disk, clock));
  options.gateway = gateway->endpoint();
  Party cam(gateway->endpoint(), gateway->public_key(), new_key());
  cam.say("/v1/enrol", api::to_json(api::EnrolRequest{"cam1", {"jetson"}, "0.1.0"}));
  ctl::Session session(*disk, clock, options, out, notes);
  must(session.load());
  must(ctl::accept(session, {{"cam1", cam.key.public_key().fingerprint(), {}, {}, true, {}}}));
  EXPECT_EQ(must(session.roster()).roster.devices.size(), 1U);
  EXPECT_EQ(dir.read("site/site.toml").find("1234"), std::string::npos) << "a PIN on the disk";
  ::unsetenv("LINESIDE_PASSPHRASE_FILE");
}

}  // namespace
}  // namespace lineside::seeder

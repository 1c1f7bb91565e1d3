// SPDX-License-Identifier: Apache-2.0
// The operator's commands against a gateway.
#include <fmt/format.h>

#include <mutex>
#include <sstream>
#include <thread>

#include "seeder/rollout_store.h"
#include "tests/seeder/gateway_fixture.h"

namespace lineside::seeder {
namespace {

using nlohmann::json;

struct GatewayRolloutTest : GatewayFixture {};

TEST_F(GatewayRolloutTest, AcceptingNeedsTheFingerprintThatTheDeviceShows) {
  Party cam1 = party(new_key());
  cam1.say("/v1/enrol", api::to_json(api::EnrolRequest{"cam1", {"jetson"}, "0.1.0"}));
  ctl::Session run = session();
  Result<void> refused = ctl::accept(run, {{"cam1", "AAAA-BBBB-CCCC-DDDD", {}, {}, false, {}}});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kMismatch);
}

TEST_F(GatewayRolloutTest, AfterAFailedCanaryTheWatchEndsAndResumingSaysWhatToDo) {
  vendor.publish("1.0.0", 1, {{"models/a", noise(50'000, 1)}});
  auto cam1 = enrol("cam1", true);
  enrol("cam2", false);
  ctl::Session start = session();
  must(start.trust_vendor(dir / "vendor.root.json"));
  must(ctl::rollout_start(start, "vision/1.0.0", {}));
  ctl::Session second = session();
  EXPECT_EQ(ctl::rollout_start(second, "vision/1.0.0", {}).error().code, Code::kConflict);
  api::NodeReport failed = report_of("cam1", "fetching", 1);
  ASSERT_TRUE(await([&] { return say(*cam1, failed).batches_open == 1; }));
  failed.state = "failed";
  failed.code = "check-failed";
  failed.error = "deps.runtime: numpy 1.19.5";
  EXPECT_TRUE(say(*cam1, failed).paused);

  ctl::Session watching = session();
  must(ctl::watch(watching, {false, true}));
  ASSERT_TRUE(watching.attention().has_value());
  EXPECT_NE(watching.attention()->find("canary cam1 failed"), std::string::npos);
  ctl::Session resuming = session();
  Result<void> resumed = ctl::rollout_command(resuming, "resume");
  ASSERT_FALSE(resumed.ok());
  EXPECT_EQ(resumed.error().code, Code::kConflict);
  EXPECT_NE(resumed.error().what.find("lineside rollout start"), std::string::npos);
  ctl::Session looking = session();
  must(ctl::status(looking));
  EXPECT_EQ(looking.attention(), "failed: cam1; silent: cam2");
  ctl::Session third = session();
  must(ctl::rollout_start(third, "vision/1.0.0", {}));
}

TEST_F(GatewayRolloutTest, ADraftGoesOnFromTheHighestSequenceWhoeverSignedIt) {
  trust::Manifest bundle = vendor.publish("1.0.0", 1, {{"models/a", "x"}});
  enrol("cam1", true);
  trust::Directive old;
  old.site = "plant-7";
  old.sequence = 7;
  old.issued = old.not_before = clock.now();
  old.expires = clock.now() + std::chrono::hours(1);
  old.bundle = bundle.target_name();
  old.devices = old.canaries = {"cam1"};
  trust::PrivateKey before = new_key();  // of an operator before a rotation
  Bytes envelope = must(trust::seal(trust::kDirectiveType, trust::serialise(old), {&before}));
  gateway.reset();
  must(must(RolloutStore::open(dir / "state/site.db"))
           ->add_document(DocumentKind::kDirective, 7, sha256(envelope), envelope, {}));
  gateway = must(Seeder::start(config(), *disk, clock));
  ctl::Session run = session();
  must(run.trust_vendor(dir / "vendor.root.json"));
  ctl::RolloutWish wish;
  wish.soak = std::chrono::seconds(0);
  must(ctl::rollout_start(run, "vision/1.0.0", wish));
  EXPECT_EQ(json::parse(out.str())["sequence"], 8);
}

// A gateway in the wrong hands shows what was signed about something else, or nothing at all.
TEST_F(GatewayRolloutTest, AnAuditorIsNotContentWithPassedOfAnotherRollout) {
  trust::Manifest bundle = vendor.publish("1.0.0", 1, {{"models/a", "x"}});
  auto cam1 = enrol("cam1", true);
  ctl::Session start = session();
  must(start.trust_vendor(dir / "vendor.root.json"));
  must(ctl::rollout_start(start, "vision/1.0.0", {}));
  ctl::Session none = session();
  must(ctl::attest(none, std::nullopt));
  EXPECT_EQ(json::parse(out.str())["canaries"][0]["evidence"], "MISSING");
  ASSERT_TRUE(none.attention()) << "nothing was shown";
  EXPECT_NE(none.attention()->find("cam1"), std::string::npos);

  Digest present = must(session().directive())->digest;
  Bytes older = passed(bundle, sha256(as_bytes("an older directive")), cam1->key);
  auto store = must(RolloutStore::open(dir / "state/site.db"));
  must(store->add_attestation(sha256(as_bytes("1")), present, as_bytes("no envelope"), {}));
  must(store->add_attestation(sha256(as_bytes("2")), present, older, {}));
  ctl::Session deceived = session();
  must(ctl::attest(deceived, std::nullopt));
  json shown = json::parse(out.str());
  EXPECT_EQ(shown["canaries"][0]["evidence"], "INVALID") << shown;
  EXPECT_NE(shown["canaries"][0]["why"].get<std::string>().find("another directive"),
            std::string::npos);
  EXPECT_EQ(shown["refused"].size(), 1U) << "one that is unreadable hides no other";
  EXPECT_TRUE(deceived.attention());
}

// What another thread writes, and a test awaits.
class Notes : public std::streambuf {
 public:
  [[nodiscard]] bool hold(const std::string& words) {
    std::lock_guard lock(mutex_);
    return text_.find(words) != std::string::npos;
  }

 protected:
  std::streamsize xsputn(const char* text, std::streamsize count) override {
    std::lock_guard lock(mutex_);
    text_.append(text, static_cast<std::size_t>(count));
    return count;
  }
  int overflow(int c) override {
    std::lock_guard lock(mutex_);
    if (c != traits_type::eof()) text_ += static_cast<char>(c);
    return 0;
  }

 private:
  std::mutex mutex_;
  std::string text_;
};

TEST_F(GatewayRolloutTest, AWatchSaysThatTheGatewayDoesNotAnswerAndGoesOnWhenItDoes) {
  vendor.publish("1.0.0", 1, {{"models/a", "x"}});
  auto cam1 = enrol("cam1", true);
  ctl::Session begun = session();
  must(begun.trust_vendor(dir / "vendor.root.json"));
  must(ctl::rollout_start(begun, "vision/1.0.0", {}));
  listen = gateway->endpoint();
  Notes said;
  std::ostream told(&said);
  std::ostringstream shown;
  ctl::Session watching(*disk, clock, options(), shown, told);
  must(watching.load());
  Result<void> watched;
  std::jthread watcher([&] {
    watched = ctl::watch(watching, {false, true, std::chrono::milliseconds(20)});
  });
  gateway.reset();
  EXPECT_TRUE(await([&] { return said.hold("the gateway does not answer"); }));
  start();
  EXPECT_TRUE(await([&] { return said.hold("the gateway answers again"); }));
  ctl::Session ending = session();
  must(ctl::rollout_command(ending, "abort"));
  watcher.join();
  EXPECT_TRUE(watched.ok());
  EXPECT_TRUE(watching.attention());
}

// The whole way: enrol, plan, directive, supply, canary, gate, batch, report, restart.
TEST_F(GatewayRolloutTest, RollsOutFromCanaryToDone) {
  trust::Manifest bundle = vendor.publish("1.0.0", 1, {{"models/a", noise(50'000, 1)}});
  auto cam1 = enrol("cam1", true);
  auto cam2 = enrol("cam2", false);
  say(*cam1, report_of("cam1", "idle", 0));
  say(*cam2, report_of("cam2", "idle", 0));
  ctl::Session run = session();
  must(run.trust_vendor(dir / "vendor.root.json"));
  must(ctl::plan(run, "vision/1.0.0", {}, 1'000'000));
  json plan = json::parse(out.str());
  EXPECT_EQ(plan["wan_bytes"], bundle.deliveries[0].length);
  EXPECT_TRUE(plan["nodes"][0]["can"]);

  ctl::RolloutWish wish;
  wish.soak = std::chrono::seconds(0);
  ctl::Session start = session();
  must(ctl::rollout_start(start, "vision/1.0.0", wish));
  std::string offer =
      fmt::format("/v1/delivery?base={}&target={}", sha256({}).hex(), bundle.tree.hex());
  http::Reply reply;
  ASSERT_TRUE(await([&] { return (reply = cam1->get(offer)).status == 200; }))
      << as_text(reply.body);
  api::DeliveryOffer offered = must(api::parse_delivery_offer(reply.body));
  EXPECT_EQ(cam1->get("/v1/leaves/" + offered.root.hex()).body.size(),
            (offered.length + 16383) / 16384 * 32);

  api::NodeReport busy = report_of("cam1", "fetching", 1);
  busy.swarm_endpoint = "127.0.0.1:4001";
  busy.transfer.emplace();
  busy.transfer->root = offered.root;
  busy.transfer->length = offered.length;
  ASSERT_TRUE(await([&] { return say(*cam1, busy).batches_open == 1; }));
  busy.device = "cam2";
  busy.swarm_endpoint = "127.0.0.1:4002";
  EXPECT_EQ(say(*cam2, busy).peers, std::vector<std::string>{"127.0.0.1:4001"});

  auto confirmed = [&](const std::string& device) {
    api::NodeReport report = report_of(device, "confirmed", 1);
    report.manifest = sha256(trust::serialise(bundle));
    report.version = "1.0.0";
    report.tree = bundle.tree;
    report.delivered_from_gateway = 100;
    report.delivered_from_peers = 30;
    return report;
  };
  EXPECT_EQ(say(*cam1, confirmed("cam1")).batches_open, 1U) << "confirmed is no evidence";
  ctl::Session look = session();
  auto directive = must(look.directive());
  Bytes envelope = passed(bundle, directive->digest, cam1->key);
  EXPECT_EQ(code_in(cam2->post("/v1/attestations", envelope)), "wrong-device");
  EXPECT_EQ(cam1->post("/v1/attestations", envelope).status, 200);
  EXPECT_EQ(say(*cam2, busy).batches_open, 2U);
  say(*cam2, confirmed("cam2"));

  ctl::Session end = session();
  must(ctl::report(end, 0));
  json report = json::parse(out.str());
  EXPECT_EQ(report["rollout"]["stage"], "done");
  EXPECT_EQ(report["lan_from_gateway"], 200);
  EXPECT_EQ(report["lan_from_peers"], 60);
  EXPECT_EQ(report["rollout"]["forecast"]["wan_bytes"], bundle.deliveries[0].length);
  EXPECT_EQ(report["rollout"]["forecast"]["devices"], 2);
  ctl::Session evidence = session();
  must(ctl::attest(evidence, ctl::AttestExport{dir / "evidence", false}));
  json shown = json::parse(out.str());
  EXPECT_EQ(shown["attestations"][0]["outcome"], "PASSED");
  EXPECT_EQ(shown["canaries"][0]["evidence"], "PASSED");
  EXPECT_FALSE(evidence.attention()) << *evidence.attention();
  std::string digest = shown["attestations"][0]["digest"];
  EXPECT_FALSE(dir.read("evidence/cam1-" + digest.substr(0, 12) + ".dsse.json").empty());
  ctl::Session bundles = session();
  must(ctl::attest(bundles, ctl::AttestExport{dir / "evidence", true}));
  EXPECT_NE(dir.read("evidence/cam1-" + digest.substr(0, 12) + ".sigstore.json")
                .find("application/vnd.dev.sigstore.bundle.v0.3+json"),
            std::string::npos);
  EXPECT_FALSE(dir.read("evidence/cam1.pub.pem").empty());
  json rollouts = json::parse(as_text(operator_party().get("/v1/rollouts").body))["rollouts"];
  EXPECT_EQ(rollouts, json::parse(R"([{"sequence":1,"bundle":"vision/1.0.0.json","stage":"done",
                                       "confirmed":2,"reason":"2 confirmed"}])"));

  ctl::Session next = session();
  must(ctl::rollout_start(next, "vision/1.0.0", wish));
  SiteStatus earlier = must(session().status(1));
  EXPECT_TRUE(earlier.rollout->gate_open) << "it was, whatever is present now";
  ASSERT_EQ(earlier.rollout->canaries.size(), 1U);
  EXPECT_EQ(earlier.rollout->canaries[0].evidence, "passed");
  EXPECT_FALSE(must(session().status(2)).rollout->gate_open);

  auto events_before = json::parse(as_text(operator_party().get("/v1/events").body))["events"];
  gateway.reset();
  gateway = must(Seeder::start(config(), *disk, clock));
  auto events_after = json::parse(as_text(operator_party().get("/v1/events").body))["events"];
  for (const json& event : events_after) {
    bool old = event["number"] <= events_before.size();
    EXPECT_TRUE(old || event["kind"] == "supply" || event["kind"] == "synthesis") << event.dump();
  }
}

}  // namespace
}  // namespace lineside::seeder

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "proto/trust/attestation.h"
#include "seeder/site.h"
#include "tests/fakes/manual_clock.h"
#include "tests/seeder/vendor_origin.h"

namespace lineside::seeder {
namespace {

trust::PrivateKey new_key() {
  return must(trust::PrivateKey::generate(trust::Scheme::kEd25519));
}

struct GatewaySiteTest : ::testing::Test {
  fakes::TempDir dir;
  fakes::ManualClock clock{must(parse_utc("2026-03-01T00:00:00Z"))};
  std::unique_ptr<RolloutStore> store = must(RolloutStore::open(dir / "site.db"));
  trust::PrivateKey anna = new_key();
  trust::PrivateKey gateway = new_key();
  trust::PrivateKey cam1 = new_key();
  trust::PrivateKey cam2 = new_key();
  Caller boss{CallerClass::kOperator, "anna", {}};
  std::unique_ptr<Site> site = open(anna);

  std::unique_ptr<Site> open(const trust::PrivateKey& whose) {
    SiteOptions options;
    options.name = "plant-7";
    options.operators = {{whose.public_key()}, 1};
    options.gateway = {gateway.public_key()};
    return must(Site::open(options, *store, clock));
  }
  Bytes roster(std::int64_t version, const trust::PrivateKey& signer) {
    trust::Roster made;
    made.site = "plant-7";
    made.version = version;
    made.issued = clock.now();
    made.gateways = {gateway.public_key()};
    made.devices = {{"cam1", cam1.public_key(), {"jetson"}, {}, true, false},
                    {"cam2", cam2.public_key(), {"jetson"}, {}, false, false}};
    return must(trust::seal(trust::kRosterType, trust::serialise(made), {&signer}));
  }
  Bytes directive(std::int64_t sequence, const trust::PrivateKey& signer) {
    trust::Directive made;
    made.site = "plant-7";
    made.sequence = sequence;
    made.issued = made.not_before = clock.now();
    made.expires = clock.now() + std::chrono::hours(1);
    made.bundle = "vision/1.0.0.json";
    made.devices = {"cam1", "cam2"};
    made.canaries = {"cam1"};
    return must(trust::seal(trust::kDirectiveType, trust::serialise(made), {&signer}));
  }
  // What `device` says of the present directive; each `counter` is another one.
  Bytes attestation(const std::string& device, std::int64_t counter, const trust::PrivateKey& key) {
    trust::Attestation said;
    said.bundle = "vision/1.0.0.json";
    said.directive = site->directive()->digest;
    said.directive_sequence = site->directive()->directive.sequence;
    said.outcome = trust::Outcome::kFailed;
    said.failed_tests = {"load.model"};
    said.cause = "load.model";
    said.device = device;
    said.hardware = {"jetson"};
    said.started = said.finished = clock.now();
    said.counter = counter;
    return must(trust::seal_attestation(said, key));
  }
  Result<void> say(const Bytes& envelope, const std::string& device) {
    return site->post_attestation(envelope, {CallerClass::kDevice, device, {}});
  }
  std::size_t kept() { return must(store->attestations(site->directive()->digest)).size(); }
};

TEST_F(GatewaySiteTest, StartsAfterItsOperatorsWereRotated) {
  must(site->post_roster(roster(3, anna), boss));
  must(site->post_directive(directive(5, anna), boss));
  trust::PrivateKey ben = new_key();
  site = open(ben);
  EXPECT_FALSE(site->roster_envelope().has_value());
  EXPECT_FALSE(site->directive_envelope().has_value());
  EXPECT_EQ(site->post_roster(roster(3, ben), boss).error().code, Code::kRollback);
  must(site->post_roster(roster(4, ben), boss));
  EXPECT_EQ(site->post_directive(directive(5, ben), boss).error().code, Code::kRollback);
  must(site->post_directive(directive(6, ben), boss));
  site = open(ben);
  EXPECT_EQ(site->directive()->directive.sequence, 6);
}

TEST_F(GatewaySiteTest, HoldsTheSameDocumentsAfterARestart) {
  must(site->post_roster(roster(3, anna), boss));
  must(site->post_directive(directive(5, anna), boss));
  EXPECT_EQ(site->post_roster(roster(3, anna), boss).error().code, Code::kRollback);
  site = open(anna);
  EXPECT_EQ(site->roster_envelope(), roster(3, anna));
  EXPECT_EQ(site->directive()->directive.sequence, 5);
  EXPECT_EQ(site->post_directive(directive(5, anna), boss).error().code, Code::kRollback);
}

// Each with the address that it came from; whoever was not heard of for long is not introduced.
TEST_F(GatewaySiteTest, IntroducesDevicesToEachOtherForGossip) {
  must(site->post_roster(roster(3, anna), boss));
  auto says = [this](const char* device, const char* address) {
    api::NodeReport report;
    report.device = device;
    report.state = "idle";
    report.gossip_endpoint = "203.0.113.9:7445";  // whatever it says, the port alone counts
    return must(site->report({CallerClass::kDevice, device, {}}, report, address)).gossip;
  };
  EXPECT_TRUE(says("cam1", "192.0.2.1").empty());
  EXPECT_EQ(says("cam2", "192.0.2.2"), std::vector<std::string>{"192.0.2.1:7445"});
  clock.advance(std::chrono::minutes(5));
  EXPECT_TRUE(says("cam1", "192.0.2.1").empty());
}

TEST_F(GatewaySiteTest, EvidenceOfTwoDocumentsOfOneNumberIsKeptAndToldOnce) {
  must(site->post_roster(roster(3, anna), boss));
  const Bytes one = directive(5, anna);
  clock.advance(std::chrono::seconds(1));
  const Bytes other = directive(5, anna);
  const Caller caller{CallerClass::kDevice, "cam1", {}};
  int kept_files = 0;
  auto keep = [&kept_files]() -> Result<void> {
    ++kept_files;
    return ok();
  };
  EXPECT_EQ(site->post_evidence({one, one}, caller, keep).error().code, Code::kMismatch);
  EXPECT_EQ(site->post_evidence({one, directive(6, anna)}, caller, keep).error().code,
            Code::kMismatch);
  EXPECT_EQ(site->post_evidence({one, directive(5, cam1)}, caller, keep).error().code,
            Code::kBadSignature);
  EXPECT_EQ(kept_files, 0);
  EXPECT_TRUE(must(site->post_evidence({one, other}, caller, keep)));
  EXPECT_FALSE(must(site->post_evidence({other, one}, caller, keep)));
  EXPECT_EQ(kept_files, 1);
  const auto events = must(store->events(0, 100));
  EXPECT_EQ(events.back().kind, "alarm");
  EXPECT_EQ(events.back().device, "cam1");
  EXPECT_NE(events.back().text.find("directive 5"), std::string::npos);
}

TEST_F(GatewaySiteTest, ADirectiveEndsTheRunningRolloutOrChangesNothing) {
  must(site->post_roster(roster(3, anna), boss));
  must(site->post_directive(directive(5, anna), boss));
  // Another writer has taken the number: the document cannot be kept.
  Event other;
  must(store->add_document(DocumentKind::kDirective, 6, sha256(as_bytes("x")), as_bytes("x"),
                           other));
  std::size_t events = must(store->events(0, 100)).size();
  EXPECT_FALSE(site->post_directive(directive(6, anna), boss, IfRunning::kReplace).ok());
  EXPECT_EQ(must(store->events(0, 100)).size(), events);
  EXPECT_FALSE(has_ended(must(store->rollout(5))->state.stage));
  EXPECT_EQ(site->directive()->directive.sequence, 5);
  must(site->post_directive(directive(7, anna), boss, IfRunning::kReplace));
  EXPECT_EQ(must(store->rollout(5))->state.stage, Stage::kSuperseded);
  EXPECT_FALSE(has_ended(must(store->rollout(7))->state.stage));
}

struct LivingSiteTest : GatewaySiteTest {
  api::NodeReport living(bool inferring) {
    api::NodeReport report;
    report.device = "cam1";
    report.state = "confirmed";
    report.bundle = "vision/1.0.0.json";
    report.version = "1.0.0";
    report.inferring = inferring;
    report.check.emplace();
    report.check->phase = "live";
    report.check->cause = inferring ? "" : "load.model: numpy 1.19.5";
    return report;
  }
  void hear(const api::NodeReport& report) {
    must(site->report({CallerClass::kDevice, report.device, {}}, report, "10.0.0.9"));
  }
  std::vector<std::string> told(const std::string& kind) {
    std::vector<std::string> texts;
    for (const Event& event : must(store->events(0, 100))) {
      if (event.kind == kind) texts.push_back(event.text);
    }
    return texts;
  }
};

TEST_F(LivingSiteTest, AConfirmedDeviceThatInfersNoMoreIsCountedAndAnEventOnce) {
  must(site->post_roster(roster(3, anna), boss));
  hear(living(true));
  EXPECT_EQ(site->status().nodes[0].health, "inferring");
  EXPECT_TRUE(told("not-inferring").empty());
  hear(living(false));
  hear(living(false));
  SiteStatus status = site->status();
  EXPECT_EQ(status.nodes[0].health, "not-inferring");
  EXPECT_EQ(status.health["not-inferring"], 1);
  EXPECT_EQ(status.health["inferring"], 0);
  EXPECT_EQ(status.health["silent"], 1) << "cam2 was never heard of";
  ASSERT_EQ(told("not-inferring").size(), 1U);
  EXPECT_NE(told("not-inferring")[0].find("numpy 1.19.5"), std::string::npos);
  site = open(anna);
  hear(living(false));
  EXPECT_EQ(told("not-inferring").size(), 1U) << "a restart is no news";
  hear(living(true));
  EXPECT_EQ(told("health").size(), 1U);
}

TEST_F(LivingSiteTest, SumsSurviveRestartsOfTheDeviceAndOfTheGateway) {
  must(site->post_roster(roster(3, anna), boss));
  api::NodeReport report = living(true);
  report.state = "fetching";
  report.transfer.emplace();
  auto received = [&](std::uint64_t bytes) {
    report.transfer->from_gateway = report.delivered_from_gateway = bytes;
    hear(report);
    return site->status().nodes[0].report->delivered_from_gateway;
  };
  EXPECT_EQ(received(900), 900U);
  EXPECT_EQ(received(100), 1000U);
  site = open(anna);
  EXPECT_EQ(site->status().nodes[0].report->delivered_from_gateway, 1000U);
  EXPECT_EQ(received(150), 1050U);
  EXPECT_EQ(received(20), 1070U);
}

TEST_F(LivingSiteTest, ADeviceThatSaysNothingIsSilentAfterTwoMinutes) {
  must(site->post_roster(roster(3, anna), boss));
  hear(living(true));
  clock.advance(kSilentAfter - std::chrono::seconds(1));
  site->tick();
  EXPECT_EQ(site->status().nodes[0].health, "inferring");
  clock.advance(std::chrono::seconds(1));
  site->tick();
  EXPECT_EQ(site->status().nodes[0].health, "silent");
  ASSERT_EQ(told("health").size(), 1U);
  EXPECT_NE(told("health")[0].find("cam1 silent"), std::string::npos);
}

TEST_F(LivingSiteTest, ADeadLineIsNotHiddenByTheUpdateThatMayMendIt) {
  must(site->post_roster(roster(3, anna), boss));
  api::NodeReport report = living(false);
  report.state = "fetching";
  hear(report);
  EXPECT_EQ(site->status().nodes[0].health, "not-inferring");
  report.inferring = true;
  hear(report);
  EXPECT_EQ(site->status().nodes[0].health, "updating");
  report.state = "rolled_back";
  hear(report);
  EXPECT_EQ(site->status().nodes[0].health, "failed");
}

TEST_F(LivingSiteTest, ADeviceThatRunsWhatWasNotSignedIsDamagedAndThereIsAWayOut) {
  must(site->post_roster(roster(3, anna), boss));
  api::NodeReport report = living(true);
  report.damage = "models/a: content differs";
  hear(report);
  hear(report);
  EXPECT_EQ(site->status().nodes[0].health, "damaged");
  EXPECT_TRUE(needs_attention(health_from(site->status().nodes[0].health)));
  ASSERT_EQ(told("damaged").size(), 1U);
  EXPECT_NE(told("damaged")[0].find("models/a"), std::string::npos);
  EXPECT_NE(told("damaged")[0].find("lineside rollout start vision/1.0.0 --device cam1"),
            std::string::npos)
      << told("damaged")[0];
  report.state = "fetching";
  hear(report);
  EXPECT_EQ(site->status().nodes[0].health, "damaged") << "an update under way hides nothing";
  hear(living(true));
  ASSERT_EQ(told("health").size(), 1U);
  EXPECT_NE(told("health")[0].find("whole again"), std::string::npos);
}

TEST_F(LivingSiteTest, AReportIsLookedAtForItsOwnDeviceAlone) {
  must(site->post_roster(roster(3, anna), boss));
  hear(living(true));
  clock.advance(kSilentAfter);
  api::NodeReport other = living(true);
  other.device = "cam2";
  hear(other);
  EXPECT_TRUE(told("health").empty());
  site->tick();
  EXPECT_EQ(told("health").size(), 1U);
}

TEST_F(LivingSiteTest, ADeviceSendsTheFloorToNobodyElsesAddress) {
  must(site->post_roster(roster(3, anna), boss));
  api::NodeReport rogue = living(true);
  rogue.transfer.emplace();
  rogue.transfer->root = sha256(as_bytes("delivery"));
  rogue.swarm_endpoint = "198.51.100.7:22";
  hear(rogue);
  api::NodeReport asks = rogue;
  asks.device = "cam2";
  auto peers = [&] {
    return must(site->report({CallerClass::kDevice, "cam2", {}}, asks, "10.0.0.8")).peers;
  };
  EXPECT_EQ(peers(), std::vector<std::string>{"10.0.0.9:22"});
  rogue.transfer->root = sha256(as_bytes("another"));
  hear(rogue);
  EXPECT_TRUE(peers().empty()) << "one delivery a device is remembered";
  rogue.transfer->root = asks.transfer->root;
  rogue.swarm_endpoint = "127.0.0.1:22";
  hear(rogue);
  EXPECT_EQ(peers(), std::vector<std::string>{"10.0.0.9:22"});
  must(site->report({CallerClass::kDevice, "cam1", {}}, rogue, "127.0.0.1"));
  EXPECT_EQ(peers(), std::vector<std::string>{"127.0.0.1:22"});
}

TEST_F(LivingSiteTest, TheFloorIsNotKnownBeforeEveryDeviceHasReported) {
  must(site->post_roster(roster(3, anna), boss));
  hear(living(true));
  EXPECT_EQ(site->floor_is_known().error().code, Code::kTimeout);
  clock.advance(kSilentAfter);
  Result<void> missing = site->floor_is_known();
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_NE(missing.error().what.find("cam2"), std::string::npos);
  api::NodeReport other = living(true);
  other.device = "cam2";
  hear(other);
  EXPECT_TRUE(site->floor_is_known().ok());
}

TEST_F(GatewaySiteTest, ASecondDirectiveIsRefusedUnlessItIsToReplaceTheFirst) {
  must(site->post_roster(roster(3, anna), boss));
  must(site->post_directive(directive(5, anna), boss));
  Result<void> refused = site->post_directive(directive(6, anna), boss);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kConflict);
  EXPECT_NE(refused.error().what.find("--replace"), std::string::npos);
  EXPECT_EQ(site->directive()->directive.sequence, 5);
  must(site->post_directive(directive(6, anna), boss, IfRunning::kReplace));
  SiteStatus before = must(site->status_under(5));
  EXPECT_EQ(before.rollout->stage, "superseded");
  EXPECT_FALSE(before.rollout->paused);
  EXPECT_NE(before.rollout->reason.find("directive 6"), std::string::npos);
  EXPECT_EQ(before.rollout->endings["pending"], 0);
}

TEST_F(GatewaySiteTest, AfterAnAbortTheNextDirectiveNeedsNoReplace) {
  must(site->post_roster(roster(3, anna), boss));
  must(site->post_directive(directive(5, anna), boss));
  api::NodeReport gated;
  gated.device = "cam2";
  gated.state = "gated";
  gated.directive_sequence = 5;
  Caller cam{CallerClass::kDevice, "cam2", {}};
  EXPECT_FALSE(must(site->report(cam, gated, "10.0.0.9")).called_off);
  must(site->command(5, Command::kPause, boss));
  EXPECT_FALSE(must(site->report(cam, gated, "10.0.0.9")).called_off) << "it may go on";
  must(site->command(5, Command::kAbort, boss));
  EXPECT_TRUE(must(site->report(cam, gated, "10.0.0.9")).called_off);
  SiteStatus aborted = site->status();
  EXPECT_EQ(aborted.rollout->reason, "aborted by anna at 2026-03-01T00:00:00Z");
  EXPECT_EQ(aborted.rollout->endings["unfinished"], 2);
  must(site->post_directive(directive(6, anna), boss));
  EXPECT_FALSE(must(site->report(cam, gated, "10.0.0.9")).called_off);
}

TEST_F(GatewaySiteTest, OneDeviceCannotFillWhatNodesMustRead) {
  must(site->post_roster(roster(3, anna), boss));
  must(site->post_directive(directive(5, anna), boss));
  for (int i = 1; i <= 4; ++i) must(say(attestation("cam1", i, cam1), "cam1"));
  EXPECT_EQ(say(attestation("cam1", 5, cam1), "cam1").error().code, Code::kTooLarge);
  must(say(attestation("cam1", 2, cam1), "cam1"));  // the same again, as after a restart
  EXPECT_EQ(kept(), 4U);
  site = open(anna);
  EXPECT_EQ(say(attestation("cam1", 5, cam1), "cam1").error().code, Code::kTooLarge);
  EXPECT_EQ(kept(), 4U);
}

TEST_F(GatewaySiteTest, OnlyCanariesAreHeardAndOnlyAboutThePresentDirective) {
  must(site->post_roster(roster(3, anna), boss));
  must(site->post_directive(directive(5, anna), boss));
  EXPECT_EQ(say(attestation("cam2", 1, cam2), "cam2").error().code, Code::kConflict);
  EXPECT_EQ(kept(), 0U);
  Bytes late = attestation("cam1", 1, cam1);
  must(site->post_directive(directive(6, anna), boss, IfRunning::kReplace));
  Result<void> refused = say(late, "cam1");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kConflict);
  EXPECT_NE(refused.error().what.find("about directive 5, but 6 is present"), std::string::npos);
  must(say(attestation("cam1", 2, cam1), "cam1"));
  EXPECT_EQ(kept(), 1U);
}

TEST_F(GatewaySiteTest, WithoutADirectiveAnAttestationIsAConflict) {
  must(site->post_roster(roster(3, anna), boss));
  must(site->post_directive(directive(5, anna), boss));
  Bytes early = attestation("cam1", 1, cam1);
  trust::PrivateKey ben = new_key();
  site = open(ben);
  must(site->post_roster(roster(4, ben), boss));
  EXPECT_EQ(say(early, "cam1").error().code, Code::kConflict);
}

}  // namespace
}  // namespace lineside::seeder

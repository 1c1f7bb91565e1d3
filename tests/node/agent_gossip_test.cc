// SPDX-License-Identifier: Apache-2.0
// What other nodes give: it ends a freeze and opens the gate without a gateway, and no lie of
// theirs is worth more than one of the gateway's.
#include <gtest/gtest.h>

#include "tests/node/agent_site.h"

namespace lineside::node {
namespace {

using fakes::must;
using Kind = Gift::Kind;

class AgentGossipTest : public AgentSite {
 protected:
  AgentGossipTest() {
    config_.patience.gateway = std::chrono::seconds(30);
    config_.patience.site_root = std::chrono::hours(1);
  }

  // An agent that has the roster and knows no directive.
  std::unique_ptr<Agent> enrolled_agent() {
    auto one = agent(*disk_);
    must_ok(one->start());
    rounds(*one, 2);
    return one;
  }
  // The gateway withholds what direct() gave it; the envelope.
  Bytes withhold() {
    gateway_->reply.directive_sequence = 0;
    return std::exchange(gateway_->directive_envelope, {});
  }
  // Another node that has all the deliveries.
  std::shared_ptr<fakes::FakeGateway> neighbour() {
    auto other = std::make_shared<fakes::FakeGateway>(*disk_, dir_ / "site", dir_ / "vendor");
    other->offers = gateway_->offers;
    other->files = gateway_->files;
    peers_.links = {other};
    return other;
  }
  api::NodeReport told() { return gateway_->reports.back(); }
};

TEST_F(AgentGossipTest, OneHonestPeerEndsAFreeze) {
  direct(1, "1.0.0");
  auto one = enrolled_agent();
  drive_to(*one, State::kConfirmed, 1);
  const auto frozen = gateway_->reply;
  direct(2, "2.0.0");
  const Bytes newer = gateway_->directive_envelope;
  gateway_->reply = frozen;  // says that directive 1 is the newest
  gateway_->directive_envelope = {};
  peers_.give(Kind::kDirective, {newer});
  rounds(*one, 3);
  EXPECT_EQ(one->life().directive_floor.number, 2);
  EXPECT_EQ(one->life().state, State::kConfirmed);  // its word about 2 is awaited for a while
  drive_to(*one, State::kConfirmed, 2);
  EXPECT_EQ(current(), "version = '2.0.0'");
  ASSERT_TRUE(peers_.shown.directive);  // and it is passed on
  EXPECT_EQ(peers_.shown.directive->envelope, newer);
}

TEST_F(AgentGossipTest, WithTheGatewayGoneTheGateOpensOnTheEvidenceOfTheCanaries) {
  auto one = enrolled_agent();
  direct(1, "1.0.0", {"cam02"});
  other_attests("1.0.0", trust::Outcome::kPassed);
  neighbour();
  gateway_->reachable = false;
  peers_.give(Kind::kDirective, {gateway_->directive_envelope});
  drive_to(*one, State::kGated, 1);
  rounds(*one, 5);
  EXPECT_EQ(one->life().state, State::kGated);  // no evidence yet
  peers_.give(Kind::kAttestations, gateway_->envelopes);
  drive_to(*one, State::kConfirmed, 1);
  EXPECT_EQ(one->life().state, State::kConfirmed) << one->life().error;
  EXPECT_EQ(current(), "version = '1.0.0'");
}

TEST_F(AgentGossipTest, WithoutAGatewayEachBatchWaitsForTheDeadlineOfTheOneBefore) {
  auto one = enrolled_agent();
  direct(1, "1.0.0", {"cam02"});
  other_attests("1.0.0", trust::Outcome::kPassed);
  auto directive = must(trust::verify_directive(gateway_->directive_envelope,
                                                {{boss_.public_key()}, 1}, "plant-7", 1));
  directive.directive.devices = {"cam00", "cam01", "cam02"};
  directive.directive.batch_size = 1;  // cam00, then cam01
  Life life = one->life();
  life.state = State::kGated;
  life.directive = directive.digest;
  life.target = BundleRef{directive.directive.bundle, "1.0.0", directive.directive.manifest,
                          tree("1.0.0"), 1};
  Knowledge at{config_.device, life, config_.hardware, &roster_, &directive};
  at.alone = true;
  const auto& manifest = manifests_.at("1.0.0");
  at.now = start_ + directive.directive.device_deadline - std::chrono::seconds(1);
  EXPECT_NE(gate_shut(at, manifest, gateway_->envelopes).find("turn"), std::string::npos);
  at.now = start_ + directive.directive.device_deadline;
  EXPECT_EQ(gate_shut(at, manifest, gateway_->envelopes), "");
  at.alone = false;
  EXPECT_EQ(gate_shut(at, manifest, gateway_->envelopes), "no word from the gateway");
}

TEST_F(AgentGossipTest, APauseOutlivesTheGatewayAndARestart) {
  gateway_->reply.paused = true;
  direct(1, "1.0.0");
  auto one = enrolled_agent();
  ASSERT_EQ(one->life().paused_sequence, 1);
  neighbour();
  gateway_->reachable = false;
  rounds(*one, 20);
  one = agent(*disk_);
  must_ok(one->start());
  rounds(*one, 20);
  EXPECT_EQ(one->life().state, State::kIdle);
  // The operators' next word is a new one.
  direct(2, "2.0.0");
  peers_.give(Kind::kDirective, {gateway_->directive_envelope});
  drive_to(*one, State::kConfirmed, 2);
  EXPECT_EQ(current(), "version = '2.0.0'");
}

TEST_F(AgentGossipTest, TwoDirectivesOfOneSequenceStopTheDeviceAndAreToldWithBoth) {
  gateway_->reply.paused = true;
  direct(1, "1.0.0");
  auto one = enrolled_agent();
  const Bytes first = gateway_->directive_envelope;
  direct(1, "2.0.0");
  const Bytes second = gateway_->directive_envelope;
  peers_.give(Kind::kDirective, {second});
  gateway_->reply.paused = false;
  rounds(*one, 20);
  EXPECT_EQ(one->life().state, State::kIdle);
  EXPECT_EQ(told().code, "conflict");
  EXPECT_NE(told().error.find("two directives of sequence 1"), std::string::npos);
  EXPECT_EQ(told().refusal.value().from, "192.0.2.8:7445");
  EXPECT_EQ(gateway_->evidence, (std::vector<Bytes>{first, second}));
  EXPECT_EQ(peers_.shown.evidence, gateway_->evidence);
  EXPECT_NE(dir_.read("state/events.log").find("\"alarm\""), std::string::npos);
  // A restart forgets nothing, nor does the first one help, shown again.
  one = agent(*disk_);
  must_ok(one->start());
  gateway_->directive_envelope = first;
  rounds(*one, 20);
  EXPECT_EQ(one->life().state, State::kIdle);
  direct(2, "2.0.0");
  drive_to(*one, State::kConfirmed, 2);
  EXPECT_EQ(current(), "version = '2.0.0'");
  EXPECT_EQ(told().code, "");
  EXPECT_TRUE(peers_.shown.evidence.empty());
}

TEST_F(AgentGossipTest, EvidenceFromAPeerStopsWhoHoldsOneOfTheTwo) {
  direct(1, "2.0.0");
  const Bytes other = gateway_->directive_envelope;
  direct(1, "1.0.0");
  gateway_->reply.paused = true;
  auto one = enrolled_agent();
  peers_.give(Kind::kEvidence, {gateway_->directive_envelope, gateway_->directive_envelope});
  rounds(*one, 2);
  EXPECT_EQ(told().refusal.value().code, "mismatch");  // no contradiction
  peers_.give(Kind::kEvidence, {gateway_->directive_envelope, other});
  gateway_->reply.paused = false;
  rounds(*one, 10);
  EXPECT_EQ(told().code, "conflict");
  EXPECT_EQ(one->life().state, State::kIdle);
}

TEST_F(AgentGossipTest, TwoRostersOfOneVersionStopTheDevice) {
  auto one = enrolled_agent();
  make_roster(1, false);
  peers_.give(Kind::kRoster, {gateway_->roster_envelope});
  direct(1, "1.0.0");
  rounds(*one, 10);
  EXPECT_EQ(told().code, "conflict");
  EXPECT_EQ(one->life().state, State::kIdle);
  make_roster(2, true);
  drive_to(*one, State::kConfirmed, 1);
  EXPECT_EQ(current(), "version = '1.0.0'");
}

// Each as it would be refused of the gateway.
TEST_F(AgentGossipTest, ForgedGiftsAreRefusedAndToldWithTheirCodes) {
  direct(3, "1.0.0", {"cam02"});
  const Bytes old = gateway_->directive_envelope;
  direct(4, "1.0.0", {"cam02"});
  auto one = enrolled_agent();
  trust::Directive elsewhere;
  elsewhere = must(trust::verify_directive(old, {{boss_.public_key()}, 1}, "plant-7", 1)).directive;
  elsewhere.site = "plant-8";
  elsewhere.sequence = 9;
  const Bytes other_site =
      must(trust::seal(trust::kDirectiveType, trust::serialise(elsewhere), {&boss_}));
  elsewhere.site = "plant-7";
  const Bytes forged =
      must(trust::seal(trust::kDirectiveType, trust::serialise(elsewhere), {&other_}));
  struct Case {
    Kind kind;
    Bytes bytes;
    const char* code;
  };
  const std::vector<Case> cases = {
      {Kind::kDirective, old, "rollback"},
      {Kind::kDirective, other_site, "wrong-site"},
      {Kind::kDirective, forged, "bad-signature"},
      {Kind::kDirective, to_bytes("{}"), "malformed"},
      {Kind::kRoster, gateway_->directive_envelope, "unsupported"},
      {Kind::kSiteRoots, to_bytes("{\"signed\":1}"), "malformed"},
      {Kind::kAttestations, forged, "unsupported"},
      {Kind::kEvidence, forged, "mismatch"},
  };
  for (const Case& one_case : cases) {
    peers_.give(one_case.kind, {one_case.bytes}, 2);
    rounds(*one, 2);
    ASSERT_TRUE(told().refusal) << one_case.code;
    EXPECT_EQ(told().refusal->from, "192.0.2.8:7445");
    EXPECT_EQ(told().refusal->code, one_case.code) << told().refusal->error;
  }
  EXPECT_EQ(one->life().directive_floor.number, 4);
}

TEST_F(AgentGossipTest, AFailureThatTheGatewayWithholdsShutsTheGate) {
  direct(1, "1.0.0", {"cam02"});
  other_attests("1.0.0", trust::Outcome::kFailed);
  const std::vector<Bytes> failure = std::exchange(gateway_->envelopes, {});
  other_attests("1.0.0", trust::Outcome::kPassed);
  gateway_->reply.batches_open = 0;
  auto one = enrolled_agent();
  drive_to(*one, State::kGated, 1);
  peers_.give(Kind::kAttestations, failure);
  rounds(*one, 2);
  gateway_->reply.batches_open = 10;
  rounds(*one, 10);
  EXPECT_EQ(one->life().state, State::kGated);
  EXPECT_EQ(told().code, "gate-shut");
  EXPECT_NE(told().error.find("cam02"), std::string::npos) << told().error;
}

TEST_F(AgentGossipTest, WhoTheGatewayIntroducesIsMet) {
  gateway_->reply.gossip = {"192.0.2.8:7445"};
  enrolled_agent();
  EXPECT_EQ(peers_.met.front(), "192.0.2.8:7445");
  EXPECT_EQ(told().gossip_endpoint, "192.0.2.7:7445");
}

TEST_F(AgentGossipTest, ADeviceWithoutTimeInstallsNothingNewAndInfersOn) {
  direct(1, "1.0.0");
  auto one = enrolled_agent();
  drive_to(*one, State::kConfirmed, 1);
  clock_.set_wall(UtcTime{std::chrono::seconds(86'400)});
  direct(2, "2.0.0");
  rounds(*one, 10);
  EXPECT_EQ(one->life().sequence, 1);
  EXPECT_EQ(told().code, "expired");
  EXPECT_NE(told().error.find("no time"), std::string::npos) << told().error;
  EXPECT_TRUE(told().inferring);
  clock_.set_wall(start_ + std::chrono::hours(2));
  drive_to(*one, State::kConfirmed, 2);
  EXPECT_EQ(current(), "version = '2.0.0'");
}

TEST_F(AgentGossipTest, ADeviceWithoutTimeGoesBackFromABadTrial) {
  direct(1, "1.0.0");
  auto one = enrolled_agent();
  drive_to(*one, State::kConfirmed, 1);
  checker_.bad_version = "2.0.0";
  checker_.only_when_current = true;
  checker_.when_bad = [this] { clock_.set_wall(UtcTime{std::chrono::seconds(86'400)}); };
  direct(2, "2.0.0");
  drive_to(*one, State::kRolledBack, 2);
  settle(*one);
  EXPECT_EQ(one->life().state, State::kRolledBack);
  EXPECT_EQ(current(), "version = '1.0.0'");
}

}  // namespace
}  // namespace lineside::node

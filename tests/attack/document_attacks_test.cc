// SPDX-License-Identifier: Apache-2.0
// A malicious gateway and what is signed: forged, replayed, of another site, twice under one
// number.
#include <nlohmann/json.hpp>

#include "tests/attack/attack_site.h"

namespace lineside::node {
namespace {

using fakes::must;

class DocumentAttacks : public AttackSite {
 protected:
  // A directive as another signs it, with something changed.
  Bytes directive_of(const trust::PrivateKey& signer, std::int64_t sequence,
                     const std::string& site = "plant-7",
                     const std::vector<std::string>& devices = {"cam01", "cam02"}) {
    trust::Directive directive;
    directive.site = site;
    directive.sequence = sequence;
    directive.issued = directive.not_before = start_;
    directive.expires = start_ + std::chrono::hours(100);
    directive.bundle = manifests_.at("1.0.0").target_name();
    directive.manifest = sha256(trust::serialise(manifests_.at("1.0.0")));
    directive.devices = devices;
    directive.canaries = {devices.front()};
    return must(trust::seal(trust::kDirectiveType, trust::serialise(directive), {&signer}));
  }
  void serve_directive(Bytes envelope, std::int64_t sequence) {
    gateway_->directive_envelope = std::move(envelope);
    gateway_->reply.directive_sequence = sequence;
  }
  std::string root_by(const trust::PrivateKey& signer, std::int64_t version) {
    trust::RootSpec spec;
    for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
      spec.roles[role] = {{signer.public_key()}, 1};
    }
    Bytes root = must(trust::sign_metadata(must(trust::draft_root(spec, version, start_)), signer));
    return std::string(as_text(root));
  }
};

TEST_F(DocumentAttacks, ForgedDirective) {
  serve_directive(directive_of(other_, 1), 1);
  start_node();
  expect_refused("directive", "bad-signature");
  expect_unharmed();
}

TEST_F(DocumentAttacks, DirectiveWithoutSignatures) {
  auto envelope = nlohmann::json::parse(as_text(directive_of(boss_, 1)));
  envelope["signatures"] = nlohmann::json::array();
  serve_directive(to_bytes(envelope.dump()), 1);
  start_node();
  expect_refused("directive", "bad-signature");
  expect_unharmed();
}

TEST_F(DocumentAttacks, DirectiveWithAChangedByte) {
  auto envelope = nlohmann::json::parse(as_text(directive_of(boss_, 1)));
  Bytes payload = must(from_base64(envelope["payload"].get<std::string>()));
  payload[payload.size() / 2] ^= 1;
  envelope["payload"] = to_base64(payload);
  serve_directive(to_bytes(envelope.dump()), 1);
  start_node();
  expect_refused("directive", "bad-signature");
  expect_unharmed();
}

TEST_F(DocumentAttacks, DirectiveOfAnotherSite) {
  serve_directive(directive_of(boss_, 1, "plant-8"), 1);
  start_node();
  expect_refused("directive", "wrong-site");
  expect_unharmed();
}

TEST_F(DocumentAttacks, ReplayedDirective) {
  gateway_->reply.paused = true;
  serve_directive(directive_of(boss_, 5), 5);
  start_node();
  ASSERT_TRUE(gateway().await([](const api::NodeReport& report) {
    return report.code == "gate-shut";  // 5 is held, and paused
  }));
  {
    auto held = gateway().lock();
    serve_directive(directive_of(boss_, 4), 6);
    gateway_->reply.paused = false;
  }
  expect_refused("directive", "rollback");
  expect_unharmed();
}

TEST_F(DocumentAttacks, TwoDirectivesOfOneSequence) {
  gateway_->reply.paused = true;
  serve_directive(directive_of(boss_, 5), 5);
  start_node();
  ASSERT_TRUE(
      gateway().await([](const api::NodeReport& report) { return report.code == "gate-shut"; }));
  {
    auto held = gateway().lock();
    serve_directive(directive_of(boss_, 5, "plant-7", {"cam01"}), 6);
    gateway_->reply.paused = false;
  }
  expect_told("conflict", "two directives of sequence 5");
  expect_rounds(5, [](const api::NodeReport& report) { return report.state != "idle"; });
  EXPECT_NE(dir_.read("state/documents/conflict.json"), "");
  expect_unharmed();
}

TEST_F(DocumentAttacks, DirectiveForOtherDevices) {
  serve_directive(directive_of(boss_, 1, "plant-7", {"cam02"}), 1);
  start_node();
  expect_rounds(8, [](const api::NodeReport& report) { return report.state != "idle"; });
  expect_unharmed();
}

TEST_F(DocumentAttacks, ExpiredDirectiveIsNotBegun) {
  issued_ = start_ - std::chrono::hours(200);
  direct(1, "1.0.0");
  start_node();
  expect_told("expired");
  expect_unharmed();
}

TEST_F(DocumentAttacks, ForgedRoster) {
  start_node();
  expect_rounds(2, [](const api::NodeReport& report) { return report.refusal.has_value(); });
  {
    auto held = gateway().lock();
    operator_ = &other_;
    make_roster(9, true);
  }
  expect_refused("roster", "bad-signature");
  expect_unharmed();
}

TEST_F(DocumentAttacks, OlderRoster) {
  const Bytes old = gateway_->roster_envelope;
  make_roster(2, true);
  start_node();
  expect_rounds(2, [](const api::NodeReport& report) { return report.roster_version != 2; });
  {
    auto held = gateway().lock();
    gateway_->roster_envelope = old;
    gateway_->reply.roster_version = 3;
  }
  expect_refused("roster", "rollback");
  expect_unharmed();
}

TEST_F(DocumentAttacks, EnrolmentByTheGatewayIsNone) {
  // The gateway's own key signs a roster with a device of its own as canary.
  start_node();
  expect_rounds(2, [](const api::NodeReport&) { return false; });
  trust::Roster fake = roster_;
  fake.version = 7;
  auto gateway_key = must(trust::PrivateKey::generate(trust::Scheme::kEd25519));
  fake.devices.push_back({.id = "cam99",
                          .key = gateway_key.public_key(),
                          .hardware = {"ipc-x86"},
                          .groups = {},
                          .canary = true});
  {
    auto held = gateway().lock();
    gateway_->roster_envelope =
        must(trust::seal(trust::kRosterType, trust::serialise(fake), {&gateway_key}));
    gateway_->reply.roster_version = 7;
  }
  expect_refused("roster", "bad-signature");
  expect_unharmed();
}

TEST_F(DocumentAttacks, ForgedSiteRoot) {
  dir_.write("site/2.root.json", root_by(other_, 2));
  start_node();
  expect_refused("site root", "bad-signature");
  expect_unharmed();
}

TEST_F(DocumentAttacks, TrustNeverBeginsWithTheGateway) {
  // A device whose commissioning is for another site takes nothing of this one.
  dir_.write("site/1.root.json", root_by(other_, 1));
  start_node();
  std::string log;
  while (log.find("refused") == std::string::npos && node_->alive()) log = dir_.read("node.log");
  EXPECT_NE(log.find("bad-signature"), std::string::npos) << log;
  EXPECT_TRUE(gateway_->reports.empty());
  expect_unharmed();
}

TEST_F(DocumentAttacks, ARevokedDeviceDoesNothing) {
  for (trust::Device& device : roster_.devices) device.revoked = device.id == "cam01";
  roster_.version = 2;
  gateway_->roster_envelope =
      must(trust::seal(trust::kRosterType, trust::serialise(roster_), {&boss_}));
  direct(1, "1.0.0");
  start_node();
  std::string log;
  while (log.find("enrolment") == std::string::npos && node_->alive()) log = dir_.read("node.log");
  EXPECT_TRUE(gateway_->reports.empty());
  expect_unharmed();
}

}  // namespace
}  // namespace lineside::node

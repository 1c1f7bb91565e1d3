// SPDX-License-Identifier: Apache-2.0
// A malicious gateway at the gate: every device has the bundle, its own check passed, and the
// evidence of the canary is missing, false or old.
#include <nlohmann/json.hpp>

#include "tests/attack/attack_site.h"

namespace lineside::node {
namespace {

using fakes::must;

class GateAttacks : public AttackSite {
 protected:
  GateAttacks() {
    publish_real("3.0.0", 3);
    direct(4, "3.0.0", {"cam02"});
    other_attests("3.0.0", trust::Outcome::kPassed);
    genuine_ = gateway_->envelopes.front();
    gateway_->envelopes.clear();
    gateway_->reply.attestations = 0;
    seed("3.0.0");
    gateway_->reply.batches_open = 10;  // opened early
  }
  void show(Bytes envelope) {
    gateway_->envelopes = {std::move(envelope)};
    gateway_->reply.attestations = 1;
  }
  // cam02's word, with something changed, signed by whoever.
  Bytes changed(const std::function<void(trust::Attestation&)>& edit,
                const trust::PrivateKey& signer) {
    auto said = must(trust::verify_attestation(genuine_, roster_)).attestation;
    edit(said);
    return must(trust::seal_attestation(said, signer));
  }
  void expect_shut() {
    expect_told("gate-shut");
    expect_rounds(5, [](const api::NodeReport& report) {
      return report.state != "gated" && report.state != "checking";
    });
    expect_unharmed();
  }
  Bytes genuine_;
};

// Without it the other scenarios would prove nothing.
TEST_F(GateAttacks, WithGenuineEvidenceTheSameDeviceActivates) {
  show(genuine_);
  start_node();
  EXPECT_TRUE(gateway().await([](const api::NodeReport& report) {
    return report.state == "confirmed" && report.version == "3.0.0";
  })) << dir_.read("node.log");
  EXPECT_EQ(current(), "version = '3.0.0'");
  EXPECT_EQ(node_->stop(), 0);
}

TEST_F(GateAttacks, GateOpenedEarly) {
  start_node();
  expect_shut();
}

TEST_F(GateAttacks, FakeCanary) {
  auto fake = must(trust::PrivateKey::generate(trust::Scheme::kEd25519));
  show(changed([](auto&) {}, fake));
  start_node();
  expect_refused("attestation", "unknown-key");
  expect_shut();
}

TEST_F(GateAttacks, TheGatewaysOwnKeyIsNoCanarys) {
  show(changed([](auto&) {}, boss_));
  start_node();
  expect_refused("attestation", "unknown-key");
  expect_shut();
}

TEST_F(GateAttacks, AnotherDeviceSpeaksForTheCanary) {
  show(changed([](auto&) {}, key_));
  start_node();
  expect_refused("attestation", "wrong-device");
  expect_shut();
}

TEST_F(GateAttacks, ReplayedAttestation) {
  show(changed([](trust::Attestation& said) { said.directive = sha256(as_bytes("earlier")); },
               other_));
  start_node();
  expect_refused("attestation", "conflict");
  expect_shut();
}

TEST_F(GateAttacks, AttestationOfAnotherManifest) {
  show(changed([](trust::Attestation& said) { said.manifest = sha256(as_bytes("another")); },
               other_));
  start_node();
  expect_shut();
}

TEST_F(GateAttacks, AttestationWithoutTheRequiredTests) {
  show(changed([](trust::Attestation& said) { said.passed_tests = {"load.model"}; }, other_));
  start_node();
  expect_shut();
}

TEST_F(GateAttacks, CanaryThatReadBackAnotherTree) {
  show(changed([](trust::Attestation& said) { said.tree = sha256(as_bytes("another")); }, other_));
  start_node();
  expect_shut();
}

TEST_F(GateAttacks, WithheldFailure) {
  // The gateway shows PASSED; the canary failed as well, and another node holds its word.
  show(genuine_);
  gateway_->reply.batches_open = 0;
  peer_says_ = std::make_unique<fakes::FakeGateway>(*disk_, dir_ / "site", dir_ / "vendor");
  peer_says_->envelopes = {
      changed([](trust::Attestation& said) { said.outcome = trust::Outcome::kFailed; }, other_)};
  api::Heads heads;
  heads.directive = 4;
  heads.directive_digest = must(trust::verify_directive(gateway_->directive_envelope,
                                                        {{boss_.public_key()}, 1}, "plant-7", 1))
                               .digest;
  heads.attestations = sha256(as_bytes("more than you have"));
  peer(*peer_says_).lie("/v1/heads", [heads](const auto&) {
    return http::json_response(200, api::to_json(heads).dump());
  });
  start_node();
  ASSERT_TRUE(gateway().await([&](const api::NodeReport& report) {
    return report.state == "gated" && peer_server_->requests() > 3;
  })) << dir_.read("node.log");
  {
    auto held = gateway().lock();
    gateway_->reply.batches_open = 10;
  }
  expect_told("gate-shut", "cam02");
  expect_shut();
}

TEST_F(GateAttacks, CanaryWithAClockAhead) {
  show(changed([](trust::Attestation& said) { said.finished += std::chrono::hours(30); }, other_));
  start_node();
  expect_shut();
}

}  // namespace
}  // namespace lineside::node

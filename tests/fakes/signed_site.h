// SPDX-License-Identifier: Apache-2.0
// A small site with everything that is signed there: two operators, a gateway, four cameras of two
// hardware classes, a bundle and a directive for it. Change a member, then ask for the documents.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "proto/trust/attestation.h"
#include "proto/trust/directive.h"
#include "proto/trust/manifest.h"
#include "proto/trust/roster.h"
#include "tests/fakes/known_keys.h"

namespace lineside::fakes {

inline UtcTime at(std::string_view text) {
  auto time = parse_utc(text);
  if (!time.ok()) throw std::runtime_error(time.error().describe());
  return *time;
}

template <class T>
T must(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().describe());
  return std::move(result).value();
}

class SignedSite {
 public:
  SignedSite() {
    for (const char* id : {"cam01", "cam02", "cam03", "ipc01", "ipc02"}) {
      keys_.emplace(id, must(trust::PrivateKey::generate(trust::Scheme::kEd25519)));
    }
    // The one camera with a TPM.
    keys_.insert_or_assign("cam03",
                           must(trust::PrivateKey::generate(trust::Scheme::kEcdsaP256Sha256)));
    make_roster();
    make_manifest();
    make_directive();
  }

  trust::PrivateKey& key(const std::string& device) { return keys_.at(device); }

  [[nodiscard]] trust::Authority operators() const {
    return {{anna_.public_key(), bert_.public_key()}, 2};
  }
  [[nodiscard]] Bytes sign(std::string_view type, const Bytes& payload) const {
    return must(trust::seal(type, payload, {&anna_, &bert_}));
  }
  [[nodiscard]] const trust::PrivateKey& anna() const { return anna_; }

  [[nodiscard]] Digest manifest_digest() const { return sha256(trust::serialise(manifest)); }
  // The directive as a node has it after verification.
  [[nodiscard]] trust::VerifiedDirective verified() const {
    Bytes envelope = sign(trust::kDirectiveType, trust::serialise(directive));
    return must(trust::verify_directive(envelope, operators(), "plant-7", 1));
  }

  // What `device` would say after a good trial.
  [[nodiscard]] trust::Attestation passed(const std::string& device) const {
    trust::Attestation attestation;
    attestation.bundle = manifest.target_name();
    attestation.manifest = manifest_digest();
    attestation.check = manifest.check;
    attestation.golden = manifest.golden;
    attestation.directive = verified().digest;
    attestation.outcome = trust::Outcome::kPassed;
    attestation.passed_tests = manifest.required_tests;
    attestation.device = device;
    attestation.hardware = roster.find(device)->hardware;
    attestation.directive_sequence = directive.sequence;
    attestation.started = at("2026-11-22T10:00:00Z");
    attestation.finished = at("2026-11-22T10:20:00Z");
    attestation.counter = 5;
    attestation.tree = manifest.tree;
    attestation.inferences = 4711;
    attestation.measured = {{"latency.p50_us", "73.1"}};
    return attestation;
  }
  [[nodiscard]] Bytes seal(const trust::Attestation& attestation) {
    return must(trust::seal_attestation(attestation, key(attestation.device)));
  }

  trust::Roster roster;
  trust::Manifest manifest;
  trust::Directive directive;

 private:
  trust::Device device(const std::string& id, const std::string& hardware, bool canary) {
    return {.id = id,
            .key = key(id).public_key(),
            .hardware = {hardware},
            .groups = {"line3"},
            .canary = canary};
  }
  void make_roster() {
    roster.site = "plant-7";
    roster.version = 4;
    roster.issued = at("2026-11-01T00:00:00Z");
    roster.gateways = {gateway_.public_key()};
    roster.devices = {device("cam01", "jetson-orin-nano", true),
                      device("cam02", "jetson-orin-nano", false),
                      device("cam03", "jetson-orin-nano", false), device("ipc01", "ipc-x86", true),
                      device("ipc02", "ipc-x86", false)};
  }
  void make_manifest() {
    manifest.name = "vision";
    manifest.version = "2.0.0";
    manifest.release = 20;
    manifest.security_floor = 12;
    manifest.vendor = "acme.example";
    manifest.hardware = {"ipc-x86", "jetson-orin-nano"};
    manifest.listing_length = 4096;
    manifest.tree = sha256(as_bytes("listing"));
    manifest.tree_length = 5'000'000'000;
    manifest.deliveries = {{sha256({}), manifest.tree, 900'000'000, sha256(as_bytes("full"))},
                           {sha256(as_bytes("1.9")), manifest.tree, 70'000, sha256(as_bytes("d"))}};
    manifest.firmware_version = "4.3.0";
    manifest.provides = {{"__arch", "x86_64"}, {"__glibc", "2.36"}};
    manifest.python = "3.11.2";
    manifest.packages = {{"numpy", "1.21.6"}, {"onnxruntime", "1.17.0"}};
    manifest.models = {{"models/vad.onnx", sha256(as_bytes("vad")), "onnx", {{"ir", 8}}}};
    manifest.requires_facts = {"__glibc >= 2.27"};
    manifest.waivers = {{"dep-version", "onnxruntime->numpy", "anna@acme.example",
                         at("2027-01-01T00:00:00Z"), "measured: both load and infer"}};
    manifest.check = sha256(as_bytes("probe.json"));
    manifest.golden = sha256(as_bytes("golden"));
    manifest.required_tests = {"load.model", "infer.case.speech"};
  }
  void make_directive() {
    directive.site = "plant-7";
    directive.sequence = 17;
    directive.issued = at("2026-11-22T08:00:00Z");
    directive.not_before = at("2026-11-22T09:00:00Z");
    directive.expires = at("2026-11-29T09:00:00Z");
    directive.bundle = manifest.target_name();
    directive.manifest = manifest_digest();
    directive.devices = {"cam01", "cam02", "cam03", "ipc01", "ipc02"};
    directive.canaries = {"cam01", "ipc01"};
    directive.soak = std::chrono::minutes(30);
    directive.batch_size = 2;
    directive.failure_limit = {2, 10};
  }

  trust::PrivateKey anna_ = ed25519_from_seed(std::string(64, '1'));
  trust::PrivateKey bert_ = ed25519_from_seed(std::string(64, '2'));
  trust::PrivateKey gateway_ = ed25519_from_seed(std::string(64, '3'));
  std::map<std::string, trust::PrivateKey> keys_;
};

}  // namespace lineside::fakes

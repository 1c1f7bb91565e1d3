// SPDX-License-Identifier: Apache-2.0
// Devices of a gateway that report what a test has them say.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "proto/trust/attestation.h"
#include "tests/seeder/local_gateway.h"

namespace lineside::seeder {

inline std::string code_in(const http::Reply& reply) {
  return nlohmann::json::parse(as_text(reply.body)).value("code", "");
}

struct GatewayFixture : ::testing::Test, LocalGateway {
  void SetUp() override {
    found();
    start();
  }

  std::unique_ptr<Party> enrol(const std::string& device, bool canary) {
    auto made = std::make_unique<Party>(gateway->endpoint(), gateway->public_key(), new_key());
    http::Reply reply =
        made->say("/v1/enrol", api::to_json(api::EnrolRequest{device, {"jetson"}, "0.1.0"}));
    EXPECT_EQ(nlohmann::json::parse(as_text(reply.body))["status"], "pending");
    ctl::Session run = session();
    must(ctl::accept(run, {{device, made->key.public_key().fingerprint(), {}, {}, canary, {}}}));
    return made;
  }

  api::NodeReport report_of(const std::string& device, const std::string& state,
                            std::int64_t sequence) {
    api::NodeReport report;
    report.device = device;
    report.hardware = {"jetson"};
    report.state = state;
    report.directive_sequence = sequence;
    report.free_bytes = 1ULL << 30;
    return report;
  }
  // What canary cam1 signs after a good trial.
  Bytes passed(const trust::Manifest& bundle, const Digest& directive,
               const trust::PrivateKey& key) {
    trust::Attestation said;
    said.bundle = bundle.target_name();
    said.manifest = sha256(trust::serialise(bundle));
    said.check = bundle.check;
    said.golden = bundle.golden;
    said.directive = directive;
    said.outcome = trust::Outcome::kPassed;
    said.passed_tests = bundle.required_tests;
    said.device = "cam1";
    said.hardware = {"jetson"};
    said.directive_sequence = 1;
    said.started = said.finished = clock.now();
    said.counter = 1;
    said.tree = bundle.tree;
    said.inferences = 10;
    return must(trust::seal_attestation(said, key));
  }
  api::ReportReply say(Party& node, const api::NodeReport& report) {
    http::Reply reply = node.say("/v1/report", api::to_json(report));
    EXPECT_EQ(reply.status, 200) << as_text(reply.body);
    return must(api::parse_report_reply(reply.body));
  }
  // Asks until `done` is content; the gateway works on threads of its own.
  template <class Done>
  bool await(Done done) {
    for (int i = 0; i < 600; ++i) {
      if (done()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }
};

}  // namespace lineside::seeder

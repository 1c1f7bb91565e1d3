// SPDX-License-Identifier: Apache-2.0
// A whole gateway in this process, over real TLS, with its operator's folder.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "proto/trust/attestation.h"
#include "proto/trust/key_file.h"
#include "seeder/ctl/commands.h"
#include "seeder/rollout_store.h"
#include "seeder/seeder.h"
#include "tests/seeder/party.h"

namespace lineside::seeder {

inline std::string code_in(const http::Reply& reply) {
  return nlohmann::json::parse(as_text(reply.body)).value("code", "");
}

struct GatewayFixture : ::testing::Test {
  VendorOrigin vendor;
  fakes::TempDir dir;
  std::unique_ptr<Disk> disk = make_posix_disk();
  SystemClock clock;
  std::unique_ptr<Seeder> gateway;
  std::ostringstream out, notes;

  SeederConfig config() {
    SeederConfig made;
    made.state = dir / "state";
    made.site = "plant-7";
    made.site_root = dir / "site/1.root.json";
    made.vendor_root = dir / "vendor.root.json";
    made.origin = vendor.folder().string();
    made.listen = "127.0.0.1:0";
    made.key = dir / "gateway.key";
    made.poll_ms = 100;
    made.swarm_listen = {"127.0.0.1:0"};
    made.swarm_local_discovery = false;
    made.synthesis_effort = 1;
    return made;
  }

  void SetUp() override {
    dir.write("vendor.root.json", std::string(as_text(vendor.root)));
    trust::PrivateKey key = must(gateway_key(*disk, config()));
    dir.write("gateway.pem", key.public_key().pem());
    ctl::Session session(*disk, clock, options(), out, notes);
    must(ctl::site_init(*disk, session, {"plant-7", "", dir / "gateway.pem", {}, true}));
    gateway = must(Seeder::start(config(), *disk, clock));
  }

  ctl::SessionOptions options() {
    ctl::SessionOptions made;
    made.site = dir / "site";
    made.json = true;
    made.yes = true;
    if (gateway) made.gateway = gateway->endpoint();
    return made;
  }
  // A fresh run of `lineside`.
  ctl::Session session() {
    out.str("");
    ctl::Session made(*disk, clock, options(), out, notes);
    must(made.load());
    return made;
  }
  Party party(trust::PrivateKey key) {
    return {gateway->endpoint(), gateway->public_key(), std::move(key)};
  }
  Party operator_party() {
    return party(must(trust::load_key(*disk, dir / "site/operator.key", {})));
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

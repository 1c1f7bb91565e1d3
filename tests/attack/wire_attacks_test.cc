// SPDX-License-Identifier: Apache-2.0
// A malicious gateway below the documents: endless answers, other keys, rubbish. And what a node
// tells in its log and its arguments.
#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/attack/attack_site.h"
#include "tests/proto/http/keys.h"

namespace lineside::node {
namespace {

using fakes::must;

class WireAttacks : public AttackSite {};

TEST_F(WireAttacks, EndlessRoster) {
  start_node();
  expect_rounds(2, [](const api::NodeReport&) { return false; });
  gateway().lie("/v1/roster", [](const auto&) { return endless_body(); });
  {
    auto held = gateway().lock();
    gateway_->reply.roster_version = 2;
  }
  expect_refused("roster", "too-large");
  expect_unharmed();
}

TEST_F(WireAttacks, EndlessHeaders) {
  start_node();
  expect_rounds(2, [](const api::NodeReport&) { return false; });
  gateway().lie("/v1/directive", [](const auto&) { return endless_header(); });
  {
    auto held = gateway().lock();
    gateway_->reply.directive_sequence = 2;
  }
  expect_refused("directive", "too-large");
  expect_unharmed();
}

TEST_F(WireAttacks, RepliesThatAreNone) {
  start_node();
  expect_rounds(2, [](const api::NodeReport&) { return false; });
  std::atomic<int> asked = 0;
  gateway().lie("/v1/report", [&](const auto&) {
    const char* bodies[] = {"", "[]", "{\"poll_ms\":0}", "\xff\xfe", "{\"paused\":\"yes\"}"};
    return http::json_response(200, bodies[asked++ % 5]);
  });
  while (asked < 3 && node_->alive()) std::this_thread::yield();
  expect_unharmed();
}

TEST_F(WireAttacks, AnotherKeyThanTheRostersIsToldNothing) {
  // The roster is known; then somebody else answers at the gateway's address. What verifies itself
  // may come from him.
  install("1.0.0");
  direct(2, "2.0.0");
  const auto thief = fakes::new_identity("thief");
  gateway_server_ = std::make_unique<LyingServer>(*gateway_, thief);
  start_node();
  std::string log;
  while (log.find("no report") == std::string::npos && node_->alive()) log = dir_.read("node.log");
  EXPECT_NE(log.find("unknown-key"), std::string::npos) << log;
  EXPECT_TRUE(gateway_->reports.empty());
  EXPECT_TRUE(gateway_->enrolments.empty());
  expect_unharmed();
}

// What a node writes while it works: nothing of its key, whatever happens around it.
TEST_F(WireAttacks, NoSecretInLogOrReport) {
  direct(1, "1.0.0");
  gateway().lie("/v1/vendor/", [](const auto&) { return http::json_response(500, "{}"); });
  start_node();
  expect_rounds(4, [](const api::NodeReport&) { return false; });
  EXPECT_EQ(node_->stop(), 0);
  const std::string pem = must(key_.to_pem(std::nullopt));
  const std::string secret = pem.substr(pem.find('\n') + 1, 40);
  std::string all = dir_.read("node.log") + dir_.read("state/events.log") +
                    dir_.read("state/life.json") + dir_.read("state/peers.json");
  for (const api::NodeReport& report : gateway_->reports) all += api::to_json(report).dump();
  EXPECT_GT(all.size(), 1000U);
  EXPECT_EQ(all.find(secret), std::string::npos);
  EXPECT_EQ(all.find("PRIVATE KEY"), std::string::npos);
}

}  // namespace
}  // namespace lineside::node

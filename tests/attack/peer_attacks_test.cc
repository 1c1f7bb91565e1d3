// SPDX-License-Identifier: Apache-2.0
// A malicious peer: a member of the site whose device was taken, and strangers.
#include <atomic>
#include <future>
#include <nlohmann/json.hpp>

#include "proto/http/client.h"
#include "tests/attack/attack_site.h"
#include "tests/proto/http/keys.h"

namespace lineside::node {
namespace {

using fakes::must;

class PeerAttacks : public AttackSite {
 protected:
  PeerAttacks() {
    peer_says_ = std::make_unique<fakes::FakeGateway>(*disk_, dir_ / "site", dir_ / "vendor");
    heads_.directive = 1'000;  // always worth asking
    heads_.roster = 1'000;
  }
  LyingServer& corrupt_peer() {
    LyingServer& server = peer(*peer_says_);
    server.lie("/v1/heads", [this](const auto&) {
      return http::json_response(200, api::to_json(heads_).dump());
    });
    return server;
  }
  void expect_refused_from_peer(const std::string& what, const std::string& code) {
    const std::string from = peer_server_->endpoint();
    EXPECT_TRUE(gateway().await([&](const api::NodeReport& report) {
      return report.refusal && report.refusal->what == what && report.refusal->code == code &&
             report.refusal->from == from;
    })) << what
        << " " << code << dir_.read("node.log");
  }
  api::Heads heads_;
};

TEST_F(PeerAttacks, ForgedDirective) {
  direct(1, "1.0.0");
  operator_ = &other_;
  direct(1'000, "1.0.0");
  peer_says_->directive_envelope = gateway_->directive_envelope;
  gateway_->directive_envelope = {};
  gateway_->reply.directive_sequence = 0;
  corrupt_peer();
  start_node();
  expect_refused_from_peer("directive", "bad-signature");
  expect_unharmed();
}

TEST_F(PeerAttacks, ReplayedRoster) {
  const Bytes old = gateway_->roster_envelope;
  make_roster(2, true);
  peer_says_->roster_envelope = old;
  corrupt_peer();
  start_node();
  expect_refused_from_peer("roster", "rollback");
  expect_unharmed();
}

TEST_F(PeerAttacks, EndlessDataFromEveryRoute) {
  LyingServer& server = corrupt_peer();
  for (const char* path : {"/v1/roster", "/v1/directive", "/v1/evidence", "/v1/site/"}) {
    server.lie(path, [](const auto&) { return endless_body(); });
  }
  heads_.site_root = 1'000'000;
  heads_.evidence = true;
  start_node();
  ASSERT_TRUE(gateway().await([&](const api::NodeReport&) { return peer_server_->requests() > 6; }))
      << dir_.read("node.log");
  expect_rounds(3, [](const api::NodeReport& report) { return report.state != "idle"; });
  expect_unharmed();
}

TEST_F(PeerAttacks, HeadsThatAreNone) {
  std::atomic<int> asked = 0;
  const std::vector<http::Response> answers = {http::json_response(200, "[]"),
                                               http::json_response(200, "{\"roster\":-1}"),
                                               http::json_response(500, "{}"), endless_header()};
  corrupt_peer().lie("/v1/heads", [&](const auto&) {
    return answers[static_cast<std::size_t>(asked++) % answers.size()];
  });
  start_node();
  ASSERT_TRUE(gateway().await([&](const api::NodeReport&) { return asked > 2; }));
  expect_unharmed();
}

TEST_F(PeerAttacks, APeerThatNeverAnswersDelaysNobody) {
  std::promise<void> over;
  std::shared_future<void> end = over.get_future();
  std::atomic<int> asked = 0;
  corrupt_peer().lie("/v1/heads", [&](const auto&) {
    ++asked;
    end.wait();
    return http::json_response(200, "{}");
  });
  start_node();
  ASSERT_TRUE(gateway().await([&](const api::NodeReport&) { return asked > 0; }));
  expect_rounds(20, [](const api::NodeReport& report) { return report.state != "idle"; });
  over.set_value();
  expect_unharmed();
}

TEST_F(PeerAttacks, AnUnenrolledPeerIsNotBelieved) {
  // It holds a genuine, newer directive, and the gateway introduces it. It is not of the roster.
  direct(7, "1.0.0");
  peer_says_->directive_envelope = std::exchange(gateway_->directive_envelope, {});
  gateway_->reply.directive_sequence = 0;
  LyingServer stranger(*peer_says_, fakes::new_identity("stranger"));
  gateway_->reply.gossip = {stranger.endpoint()};
  start_node();
  const std::string peers = stranger.endpoint();
  expect_rounds(60, [](const api::NodeReport& report) { return report.directive_sequence != 0; });
  EXPECT_EQ(stranger.requests(), 0U);
  EXPECT_EQ(dir_.read("state/peers.json").find(peers), std::string::npos);
  expect_unharmed();
}

TEST_F(PeerAttacks, StrangersGetNothingFromTheNode) {
  start_node();
  std::string endpoint;
  int rounds = 0;  // with the roster; the node's own server learns of it a round after the agent
  ASSERT_TRUE(gateway().await([&](const api::NodeReport& report) {
    endpoint = report.gossip_endpoint;
    rounds += report.roster_version == 1 ? 1 : 0;
    return rounds == 4;
  }));
  http::ClientOptions options;
  options.base_url = "https://" + endpoint;
  options.pinned_keys = {key_.public_key().spki()};
  options.identity = fakes::new_identity("stranger");
  EXPECT_EQ(must(must(http::Client::make(options)).get("/v1/roster")).status, 403);
  options.identity = identity(other_);
  EXPECT_EQ(must(must(http::Client::make(options)).get("/v1/roster")).status, 200);
  options.identity.reset();
  EXPECT_FALSE(must(http::Client::make(options)).get("/v1/roster").ok());
  expect_unharmed();
}

TEST_F(PeerAttacks, OneHonestPeerEndsAFreeze) {
  // The gateway says for ever that directive 1 is the newest; a peer holds 2.
  gateway_->reply.paused = true;
  direct(1, "1.0.0");
  const auto frozen = gateway_->directive_envelope;
  direct(2, "1.0.0");
  peer_says_->directive_envelope = std::exchange(gateway_->directive_envelope, frozen);
  gateway_->reply.directive_sequence = 1;
  heads_.roster = 0;
  corrupt_peer();
  more_config_ = "gateway = \"1s\"\n";  // in [patience]
  start_node();
  EXPECT_TRUE(gateway().await([](const api::NodeReport& report) {
    return report.directive_sequence == 2;
  })) << dir_.read("node.log");
  EXPECT_EQ(node_->stop(), 0);
}

}  // namespace
}  // namespace lineside::node

// SPDX-License-Identifier: Apache-2.0
// The real link against a real HTTPS server on the loopback.
#include "node/http_gateway_link.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "proto/http/server.h"
#include "tests/proto/http/keys.h"

namespace lineside::node {
namespace {

class LinkTest : public testing::Test {
 protected:
  LinkTest() {
    http::ServerOptions options;
    options.identity = gateway_;
    server_ = http::Server::start(options, [](const http::Request& request) {
                if (request.path == "/v1/roster") return http::text_response(200, "roster");
                if (request.path == "/v1/directive") {
                  return http::problem(Error{Code::kNotFound, "no directive yet"});
                }
                return http::json_response(200, R"({"envelopes":["YQ==","Yg=="]})");
              }).value();
    std::string port = std::to_string(server_->endpoint().port);
    link_ = std::make_unique<HttpGatewayLink>(
        std::vector<std::string>{"https://127.0.0.1:1", "https://127.0.0.1:" + port},
        fakes::new_identity("cam01"));
  }
  static trust::PublicKey key_of(const http::Identity& identity) {
    return trust::PublicKey::from_spki(identity.public_key()).value();
  }

  http::Identity gateway_ = fakes::new_identity("gateway");
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<HttpGatewayLink> link_;
};

TEST_F(LinkTest, TakesAnyServerUntilTheRosterNamesOne) {
  EXPECT_EQ(as_text(*link_->roster()), "roster");
  http::Identity other = fakes::new_identity("other");
  link_->pin({key_of(other)});
  EXPECT_EQ(link_->attestations(Digest{}).error().code, Code::kUnknownKey);
  link_->pin({key_of(other), key_of(gateway_)});
  EXPECT_TRUE(link_->attestations(Digest{}).ok());
}

// The roster that names the new gateway's key can only come from it. It is signed, so it may.
TEST_F(LinkTest, WhatVerifiesItselfMayComeFromANewGateway) {
  link_->pin({key_of(fakes::new_identity("the old gateway"))});
  EXPECT_EQ(as_text(*link_->roster()), "roster");
  EXPECT_TRUE(link_->site_metadata().fetch("2.root.json", 1 << 20).ok());
  EXPECT_FALSE(link_->directive().ok()) << "nothing else";
  EXPECT_FALSE(link_->enrol({"cam01", {}, "0.1"}).ok());
}

TEST_F(LinkTest, RepeatsTheGatewaysWords) {
  auto directive = link_->directive();
  ASSERT_FALSE(directive.ok());
  EXPECT_EQ(directive.error().code, Code::kNotFound);
  EXPECT_NE(directive.error().what.find("no directive yet"), std::string::npos);
}

TEST_F(LinkTest, ReadsAttestationsAndRefusesOtherReplies) {
  auto envelopes = link_->attestations(Digest{});
  ASSERT_TRUE(envelopes.ok()) << envelopes.error().what;
  EXPECT_EQ(envelopes->size(), 2U);
  EXPECT_FALSE(link_->delivery(Digest{}, Digest{}).ok());
  EXPECT_FALSE(link_->leaves(Digest{}, 1 << 20).ok());
}

TEST_F(LinkTest, ABrokenGatewayIsLeftForTheNext) {
  http::ServerOptions options;
  options.identity = gateway_;
  auto broken = http::Server::start(options, [](const http::Request&) {
                  return http::problem(Error{Code::kNoSpace, "the disk is full"});
                }).value();
  const std::string first = "https://127.0.0.1:" + std::to_string(broken->endpoint().port);
  const std::string second = "https://127.0.0.1:" + std::to_string(server_->endpoint().port);
  HttpGatewayLink both({first, second}, fakes::new_identity("cam01"));
  auto roster = both.roster();
  ASSERT_TRUE(roster.ok()) << roster.error().what;
  EXPECT_EQ(as_text(*roster), "roster");
  // Alone, or before one that is gone, its words are what is told.
  for (const auto& all :
       {std::vector{first}, std::vector{first, std::string("https://127.0.0.1:1")}}) {
    auto refused = HttpGatewayLink(all, fakes::new_identity("cam01")).roster();
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Code::kHttp);
    EXPECT_NE(refused.error().what.find("the disk is full"), std::string::npos)
        << refused.error().what;
  }
}

TEST_F(LinkTest, AStoppedLinkAnswersNothing) {
  link_->stop();
  EXPECT_FALSE(link_->roster().ok());
}

}  // namespace
}  // namespace lineside::node

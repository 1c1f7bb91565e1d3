// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "proto/http/client.h"
#include "proto/http/server.h"
#include "tests/proto/http/keys.h"
#include "tests/proto/http/raw_connection.h"

namespace lineside::http {
namespace {

class Tls : public testing::Test {
 protected:
  Tls() {
    ServerOptions options;
    options.identity = gateway_;
    options.require_client_certificate = true;
    server_ = Server::start(options, [](const Request& request) {
                Response response;
                response.body = request.peer_key.value_or(Bytes());
                return response;
              }).value();
  }
  ClientOptions pinned() const {
    ClientOptions options;
    options.base_url = "https://" + server_->endpoint().text();
    options.pinned_keys = {gateway_.public_key()};
    options.identity = node_;
    return options;
  }
  static Result<Reply> ask(const ClientOptions& options) {
    return Client::make(options).value().get("/");
  }

  Identity gateway_ = fakes::new_identity("gateway");
  Identity node_ = fakes::new_identity("node-1");
  std::unique_ptr<Server> server_;
};

TEST_F(Tls, BothSidesKnowTheOthersKey) {
  auto reply = ask(pinned());
  ASSERT_TRUE(reply.ok()) << reply.error().describe();
  EXPECT_EQ(reply->body, node_.public_key());
}

TEST_F(Tls, P256SpeaksToo) {
  ClientOptions options = pinned();
  options.identity = Identity::make(fakes::ec_pem("P-256"), "hsm").value();
  auto reply = ask(options);
  ASSERT_TRUE(reply.ok()) << reply.error().describe();
  EXPECT_EQ(reply->body, options.identity->public_key());
}

TEST_F(Tls, RefusesAnotherServersKey) {
  ClientOptions options = pinned();
  options.pinned_keys = {node_.public_key()};
  auto reply = ask(options);
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, Code::kUnknownKey);
  EXPECT_NE(reply.error().what.find(server_->endpoint().text()), std::string::npos);
}

TEST_F(Tls, OneOfSeveralKeysIsEnough) {
  ClientOptions options = pinned();
  options.pinned_keys = {node_.public_key(), gateway_.public_key()};
  EXPECT_TRUE(ask(options).ok());
  options.pinned_keys = {node_.public_key(), fakes::new_identity("x").public_key()};
  EXPECT_EQ(ask(options).error().code, Code::kUnknownKey);
}

TEST_F(Tls, PublicAuthoritiesDoNotVouchForASelfSignedServer) {
  ClientOptions options = pinned();
  options.pinned_keys.clear();
  EXPECT_EQ(ask(options).error().code, Code::kUnknownKey);
}

TEST_F(Tls, ClientWithoutCertificateIsRefused) {
  ClientOptions options = pinned();
  options.identity.reset();
  auto reply = ask(options);
  ASSERT_FALSE(reply.ok());
  EXPECT_TRUE(reply.error().code == Code::kDenied || reply.error().code == Code::kNetwork)
      << reply.error().describe();
  EXPECT_EQ(server_->stats().requests, 0u);
}

TEST_F(Tls, Tls12IsRefused) {
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                            SSL_CTX_free);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
  fakes::RawConnection raw(server_->endpoint());
  SSL_set_fd(ssl.get(), raw.fd());
  EXPECT_NE(SSL_connect(ssl.get()), 1);
}

TEST_F(Tls, PlainHttpIsRefused) {
  fakes::RawConnection raw(server_->endpoint());
  EXPECT_EQ(raw.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").find("200"), std::string::npos);
  EXPECT_EQ(server_->stats().requests, 0u);
}

TEST_F(Tls, OptionalCertificateIsOptional) {
  ServerOptions options;
  options.identity = gateway_;
  auto server = Server::start(options, [](const Request& request) {
                  return text_response(200, request.peer_key ? "known" : "stranger");
                }).value();
  ClientOptions client = pinned();
  client.base_url = "https://" + server->endpoint().text();
  EXPECT_EQ(as_text(ask(client).value().body), "known");
  client.identity.reset();
  EXPECT_EQ(as_text(ask(client).value().body), "stranger");
}

TEST_F(Tls, OneConnectionServesManyRequests) {
  Client client = Client::make(pinned()).value();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(client.get("/").ok());
  EXPECT_EQ(server_->stats().accepted, 1u);
}

TEST(TlsOptions, KeysWithoutTlsAreAMistake) {
  ClientOptions options;
  options.base_url = "http://127.0.0.1:1";
  options.identity = fakes::new_identity("x");
  EXPECT_EQ(Client::make(options).error().code, Code::kUsage);
}

}  // namespace
}  // namespace lineside::http

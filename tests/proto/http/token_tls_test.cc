// SPDX-License-Identifier: Apache-2.0
// TLS 1.3, mutual, with keys that stay in their tokens: a device's TPM, an operator's PKCS #11
// token.
#include <gtest/gtest.h>

#include "proto/http/client.h"
#include "proto/http/server.h"
#include "proto/trust/token_key.h"
#include "tests/fakes/tokens.h"
#include "tests/proto/http/keys.h"

namespace lineside::http {
namespace {

class TokenTls : public testing::Test {
 protected:
  TokenTls() {
    ServerOptions options;
    options.identity = gateway_;
    options.require_client_certificate = true;
    server_ = Server::start(options, [](const Request& request) {
                Response response;
                response.body = request.peer_key.value_or(Bytes());
                return response;
              }).value();
  }
  // Speaks with the key that `reference` names; the server answers with what it saw.
  void expect_known(const std::string& reference, const Bytes& spki) {
    auto identity = Identity::make(reference, "token");
    ASSERT_TRUE(identity.ok()) << identity.error().describe();
    EXPECT_EQ(identity->public_key(), spki);
    ClientOptions options;
    options.base_url = "https://" + server_->endpoint().text();
    options.pinned_keys = {gateway_.public_key()};
    options.identity = *identity;
    auto reply = Client::make(options).value().get("/");
    ASSERT_TRUE(reply.ok()) << reply.error().describe();
    EXPECT_EQ(reply->body, spki);
  }

  Identity gateway_ = fakes::new_identity("gateway");
  std::unique_ptr<Server> server_;
};

TEST_F(TokenTls, ADeviceSpeaksWithTheKeyInItsTpm) {
  fakes::SoftTpm tpm;
  tpm.use();
  auto reference = trust::make_tpm_key();
  ASSERT_TRUE(reference.ok()) << reference.error().describe();
  auto key = trust::PrivateKey::from_pem(*reference, std::nullopt);
  ASSERT_TRUE(key.ok()) << key.error().describe();
  expect_known(*key->to_pem(std::nullopt), key->public_key().spki());
}

TEST_F(TokenTls, AnOperatorSpeaksWithTheKeyInItsToken) {
  fakes::SoftHsm hsm;
  trust::PublicKey known = hsm.add_key("anna", "01", trust::Scheme::kEcdsaP256Sha256);
  expect_known(fakes::SoftHsm::uri("anna") + "&pin-value=1234", known.spki());
}

}  // namespace
}  // namespace lineside::http

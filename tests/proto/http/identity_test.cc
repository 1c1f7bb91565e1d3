// SPDX-License-Identifier: Apache-2.0
#include "proto/http/identity.h"

#include <gtest/gtest.h>
#include <openssl/x509.h>

#include "tests/proto/http/keys.h"

namespace lineside::http {
namespace {

TEST(Identity, TakesEd25519AndP256) {
  auto ed = Identity::make(fakes::ed25519_pem(), "node-1");
  ASSERT_TRUE(ed.ok());
  EXPECT_EQ(ed->public_key().size(), 44u);  // RFC 8410: 12 bytes of DER before the 32 of the key
  auto ec = Identity::make(fakes::ec_pem("P-256"), "gateway");
  ASSERT_TRUE(ec.ok());
  EXPECT_EQ(ec->public_key().size(), 91u);
}

TEST(Identity, SameKeySamePublicKey) {
  std::string pem = fakes::ed25519_pem();
  EXPECT_EQ(Identity::make(pem, "a")->public_key(), Identity::make(pem, "b")->public_key());
}

TEST(Identity, WrongClockDoesNotLockOut) {
  auto identity = fakes::new_identity("x");
  std::time_t past = 1;
  std::time_t future = 200'000'000'000;  // the year 8307
  EXPECT_LT(X509_cmp_time(X509_get0_notBefore(identity.certificate()), &past), 0);
  EXPECT_GT(X509_cmp_time(X509_get0_notAfter(identity.certificate()), &future), 0);
}

TEST(Identity, RefusesOtherKeys) {
  EXPECT_EQ(Identity::make(fakes::ec_pem("P-384"), "x").error().code, Code::kUnsupported);
  EXPECT_EQ(Identity::make("rubbish", "x").error().code, Code::kMalformed);
  EXPECT_EQ(Identity::make(fakes::ed25519_pem(EVP_aes_256_cbc()), "x").error().code,
            Code::kMalformed);
  EXPECT_EQ(Identity::make(fakes::ed25519_pem(), "").error().code, Code::kUsage);
  EXPECT_EQ(Identity::make(fakes::ed25519_pem(), std::string(65, 'a')).error().code, Code::kUsage);
}

}  // namespace
}  // namespace lineside::http

// SPDX-License-Identifier: Apache-2.0
#include "proto/http/identity.h"

#include <gtest/gtest.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

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

TEST(Identity, ACertificateThatWasKeptIsTheSameAgain) {
  std::string pem = fakes::ec_pem("P-256");
  auto made = Identity::make(pem, "page", "IP:192.0.2.1,DNS:gateway");
  ASSERT_TRUE(made.ok());
  auto loaded = Identity::load(*made->certificates_pem(), pem);
  ASSERT_TRUE(loaded.ok()) << loaded.error().describe();
  EXPECT_EQ(loaded->certificate_digest(), made->certificate_digest());
  EXPECT_EQ(X509_check_ip_asc(loaded->certificate(), "192.0.2.1", 0), 1);
  EXPECT_EQ(X509_check_host(loaded->certificate(), "gateway", 0, 0, nullptr), 1);
}

TEST(Identity, AChainKeepsItsOrder) {
  auto leaf = fakes::new_identity("leaf");
  std::string pem = fakes::ec_pem("P-256");
  auto own = Identity::make(pem, "own");
  std::string chain = *own->certificates_pem() + *leaf.certificates_pem();
  auto loaded = Identity::load(chain, pem);
  ASSERT_TRUE(loaded.ok());
  ASSERT_EQ(loaded->chain().size(), 1U);
  EXPECT_EQ(*loaded->certificates_pem(), chain);
}

TEST(Identity, RefusesACertificateOfAnotherKey) {
  auto other = fakes::new_identity("other");
  std::string pem = fakes::ec_pem("P-256");
  EXPECT_EQ(Identity::load(*other.certificates_pem(), pem).error().code, Code::kMismatch);
  EXPECT_EQ(Identity::load("no certificate", pem).error().code, Code::kMalformed);
  EXPECT_EQ(Identity::load(*other.certificates_pem(), "no key").error().code, Code::kMalformed);
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

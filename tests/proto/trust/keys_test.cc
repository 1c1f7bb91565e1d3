// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/keys.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "proto/base/sha256.h"
#include "tests/fakes/known_keys.h"
#include "tests/proto/trust/vectors.h"

namespace lineside::trust {
namespace {

using nlohmann::json;

json ed25519_object(std::string_view public_hex) {
  return {{"keytype", "ed25519"}, {"scheme", "ed25519"}, {"keyval", {{"public", public_hex}}}};
}

PrivateKey generated(Scheme scheme) {
  auto key = PrivateKey::generate(scheme);
  if (!key.ok()) throw std::runtime_error(key.error().describe());
  return std::move(key).value();
}

const Bytes kMessage = to_bytes("the message");

TEST(Keys, HaveTheKeyidsThatOtherToolsCompute) {
  for (const auto& vector : vectors::kKeys) {
    auto key = PublicKey::from_tuf(ed25519_object(vector.public_hex));
    ASSERT_TRUE(key.ok());
    EXPECT_EQ(key->keyid(), vector.keyid);
    EXPECT_EQ(sha256(key->spki()).hex(), vector.spki_sha256);
    EXPECT_EQ(fakes::ed25519_from_seed(vector.seed_hex).public_key().keyid(), vector.keyid);
  }
}

TEST(Keys, VerifyTheVectors) {
  for (std::size_t i = 0; i < 2; ++i) {
    auto key = PublicKey::from_tuf(ed25519_object(vectors::kKeys[i].public_hex));
    auto signature = from_hex(vectors::kTimestampSignatures[i]);
    ASSERT_TRUE(key.ok() && signature.ok());
    EXPECT_TRUE(key->verify(as_bytes(vectors::kTimestampCanonical), *signature));
    auto made = fakes::ed25519_from_seed(vectors::kKeys[i].seed_hex)
                    .sign(as_bytes(vectors::kTimestampCanonical));
    ASSERT_TRUE(made.ok());
    EXPECT_EQ(*made, *signature);
  }
}

TEST(Keys, SignAnEmptyMessage) {
  // RFC 8032 section 7.1, TEST 1.
  auto signature = fakes::ed25519_from_seed(vectors::kKeys[0].seed_hex).sign({});
  ASSERT_TRUE(signature.ok());
  EXPECT_EQ(to_hex(*signature).substr(0, 16), "e5564300c360ac72");
}

class BothSchemes : public testing::TestWithParam<Scheme> {};
INSTANTIATE_TEST_SUITE_P(Keys, BothSchemes,
                         testing::Values(Scheme::kEd25519, Scheme::kEcdsaP256Sha256));

TEST_P(BothSchemes, SignAndVerify) {
  PrivateKey key = generated(GetParam());
  auto signature = key.sign(kMessage);
  ASSERT_TRUE(signature.ok());
  EXPECT_TRUE(key.public_key().verify(kMessage, *signature));
  EXPECT_FALSE(key.public_key().verify(to_bytes("another"), *signature));
  EXPECT_FALSE(generated(GetParam()).public_key().verify(kMessage, *signature));
}

TEST_P(BothSchemes, RefuseEveryChangedByte) {
  PrivateKey key = generated(GetParam());
  auto signature = key.sign(kMessage);
  ASSERT_TRUE(signature.ok());
  for (std::size_t i = 0; i < signature->size(); ++i) {
    Bytes changed = *signature;
    changed[i] ^= 1;
    EXPECT_FALSE(key.public_key().verify(kMessage, changed)) << i;
  }
}

TEST_P(BothSchemes, RefuseTruncatedExtendedAndEmptySignatures) {
  PrivateKey key = generated(GetParam());
  auto signature = key.sign(kMessage);
  ASSERT_TRUE(signature.ok());
  for (std::size_t length = 0; length < signature->size(); ++length) {
    EXPECT_FALSE(key.public_key().verify(kMessage, BytesView(*signature).first(length)));
  }
  Bytes longer = *signature;
  longer.push_back(0);
  EXPECT_FALSE(key.public_key().verify(kMessage, longer));
}

// CVE-2022-24884: r = s = 0 was accepted.
TEST_P(BothSchemes, RefuseZeroSignatures) {
  PrivateKey key = generated(GetParam());
  EXPECT_FALSE(key.public_key().verify(kMessage, Bytes(64, 0)));
  EXPECT_FALSE(key.public_key().verify(kMessage, *from_hex("3006020100020100")));
}

TEST_P(BothSchemes, SurviveTheirPem) {
  PrivateKey key = generated(GetParam());
  auto pem = key.to_pem(std::nullopt);
  ASSERT_TRUE(pem.ok());
  EXPECT_EQ(pem->rfind("-----BEGIN PRIVATE KEY-----", 0), 0U);
  auto back = PrivateKey::from_pem(*pem, std::nullopt);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->public_key(), key.public_key());
  auto public_back = PublicKey::from_pem(key.public_key().pem());
  ASSERT_TRUE(public_back.ok());
  EXPECT_EQ(public_back->keyid(), key.public_key().keyid());
}

TEST_P(BothSchemes, NeedTheRightPassphrase) {
  PrivateKey key = generated(GetParam());
  auto pem = key.to_pem("correct horse");
  ASSERT_TRUE(pem.ok());
  EXPECT_EQ(pem->rfind("-----BEGIN ENCRYPTED PRIVATE KEY-----", 0), 0U);
  EXPECT_TRUE(PrivateKey::from_pem(*pem, "correct horse").ok());
  EXPECT_EQ(PrivateKey::from_pem(*pem, "wrong").error().code, Code::kDenied);
  EXPECT_EQ(PrivateKey::from_pem(*pem, "").error().code, Code::kDenied);
  EXPECT_EQ(PrivateKey::from_pem(*pem, std::nullopt).error().code, Code::kDenied);
}

TEST(Keys, RefuseWhatIsNoKey) {
  EXPECT_EQ(PrivateKey::from_pem("hello", std::nullopt).error().code, Code::kMalformed);
  EXPECT_EQ(PublicKey::from_pem("").error().code, Code::kMalformed);
  EXPECT_EQ(PublicKey::from_spki({}).error().code, Code::kMalformed);
  EXPECT_EQ(PublicKey::from_tuf(json::array()).error().code, Code::kMalformed);
  EXPECT_EQ(PublicKey::from_tuf(json::object()).error().code, Code::kMalformed);
  EXPECT_EQ(PublicKey::from_tuf(ed25519_object("d75a")).error().code, Code::kMalformed);
  json no_value = {{"keytype", "ed25519"}, {"scheme", "ed25519"}};
  EXPECT_EQ(PublicKey::from_tuf(no_value).error().code, Code::kMalformed);
  json wrong_types = {{"keytype", 1}, {"scheme", nullptr}};
  EXPECT_EQ(PublicKey::from_tuf(wrong_types).error().code, Code::kMalformed);
}

TEST(Keys, RefuseAKeyOfAnotherTypeThanItSays) {
  json object = {{"keytype", "rsa"},
                 {"scheme", "rsassa-pss-sha256"},
                 {"keyval", {{"public", generated(Scheme::kEcdsaP256Sha256).public_key().pem()}}}};
  EXPECT_EQ(PublicKey::from_tuf(object).error().code, Code::kMalformed);
}

TEST(Keys, KeepKeysOfUnknownTypesWhichVerifyNothing) {
  json object = {{"keytype", "lattice"}, {"scheme", "ml-dsa-65"}, {"keyval", {{"public", "00"}}}};
  auto key = PublicKey::from_tuf(object);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->scheme(), Scheme::kUnknown);
  EXPECT_FALSE(key->keyid().empty());
  EXPECT_FALSE(key->verify(kMessage, Bytes(64, 1)));
  EXPECT_EQ(key->pem(), "");
}

TEST(Keys, CountUnknownMembersInTheKeyidButNotAsAnotherKey) {
  json plain = ed25519_object(vectors::kKeys[0].public_hex);
  json more = plain;
  more["keyid_hash_algorithms"] = {"sha256", "sha512"};
  auto one = PublicKey::from_tuf(plain);
  auto two = PublicKey::from_tuf(more);
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(one->keyid(), two->keyid());
  EXPECT_EQ(*one, *two);
  EXPECT_EQ(two->tuf(), more);
}

TEST(Keys, TakeTheOlderKeytypeOfP256) {
  PrivateKey key = generated(Scheme::kEcdsaP256Sha256);
  json object = key.public_key().tuf();
  object["keytype"] = "ecdsa-sha2-nistp256";
  auto older = PublicKey::from_tuf(object);
  ASSERT_TRUE(older.ok());
  EXPECT_EQ(*older, key.public_key());
}

TEST(Keys, CountACompressedPointAsTheSameKey) {
  PrivateKey key = generated(Scheme::kEcdsaP256Sha256);
  const Bytes& plain = key.public_key().spki();
  ASSERT_EQ(plain.size(), 91U);
  Bytes compressed = *from_hex("3039301306072a8648ce3d020106082a8648ce3d030107032200");
  compressed.push_back(plain[90] % 2 == 0 ? 2 : 3);
  compressed.insert(compressed.end(), plain.begin() + 27, plain.begin() + 59);
  auto same = PublicKey::from_spki(compressed);
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(*same, key.public_key());
}

TEST(Keys, RefuseAnSpkiWithBytesBehindIt) {
  Bytes spki = generated(Scheme::kEd25519).public_key().spki();
  spki.push_back(0);
  EXPECT_EQ(PublicKey::from_spki(spki).error().code, Code::kMalformed);
}

TEST(Keys, PrintAFingerprintOfSixteenLetters) {
  auto key = PublicKey::from_tuf(ed25519_object(vectors::kKeys[0].public_hex));
  ASSERT_TRUE(key.ok());
  // SHA-256(spki) begins 06e3fd8fda29bb60ab59.
  EXPECT_EQ(key->fingerprint(), "A3R7-3D62-FG5W-BK2Z");
}

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using RsaKey = std::unique_ptr<EVP_PKEY, FreeKey>;

Bytes spki_of(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  int length = i2d_PUBKEY(key, &der);
  Bytes out(der, der + length);
  OPENSSL_free(der);
  return out;
}

Bytes sign_pss(EVP_PKEY* key, int salt_bytes) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* options = nullptr;
  EVP_DigestSignInit(context, &options, EVP_sha256(), nullptr, key);
  EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
  EVP_PKEY_CTX_set_rsa_pss_saltlen(options, salt_bytes);
  Bytes out(512);
  std::size_t length = out.size();
  EVP_DigestSign(context, out.data(), &length, kMessage.data(), kMessage.size());
  EVP_MD_CTX_free(context);
  out.resize(length);
  return out;
}

TEST(Keys, VerifyRsaPssWithAnySalt) {
  RsaKey rsa(EVP_RSA_gen(2048));
  auto key = PublicKey::from_spki(spki_of(rsa.get()));
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->scheme(), Scheme::kRsaPssSha256);
  for (int salt : {0, 32, 222}) {
    Bytes signature = sign_pss(rsa.get(), salt);
    EXPECT_TRUE(key->verify(kMessage, signature)) << salt;
    signature[10] ^= 1;
    EXPECT_FALSE(key->verify(kMessage, signature));
  }
  EXPECT_FALSE(key->verify(kMessage, Bytes(256, 0)));
}

TEST(Keys, RefuseShortRsaAndOtherCurves) {
  RsaKey weak(EVP_RSA_gen(1024));
  EXPECT_EQ(PublicKey::from_spki(spki_of(weak.get())).error().code, Code::kUnsupported);
  RsaKey p384(EVP_EC_gen("P-384"));
  EXPECT_EQ(PublicKey::from_spki(spki_of(p384.get())).error().code, Code::kUnsupported);
  EXPECT_EQ(PrivateKey::generate(Scheme::kRsaPssSha256).error().code, Code::kUnsupported);
}

}  // namespace
}  // namespace lineside::trust

// SPDX-License-Identifier: Apache-2.0
// Keys that never leave their token: SoftHSM over PKCS #11, swtpm as TPM.
#include "proto/trust/token_key.h"

#include <gtest/gtest.h>

#include "proto/trust/dsse.h"
#include "proto/trust/key_file.h"
#include "proto/trust/key_uri.h"
#include "proto/trust/tuf/repository.h"
#include "tests/fakes/tokens.h"

namespace lineside::trust {
namespace {

using fakes::SoftHsm;

TEST(KeyUri, IsReadAndWrittenAgain) {
  std::string text =
      "pkcs11:token=the%20plant;object=anna?module-path=%2Fm%2Eso&pin-value=1%26%3F2";
  auto uri = parse_key_uri(text);
  ASSERT_TRUE(uri.ok()) << uri.error().describe();
  EXPECT_EQ(uri->path, "token=the%20plant;object=anna");
  EXPECT_EQ(uri->query.at("module-path"), "/m.so");
  EXPECT_EQ(uri->query.at("pin-value"), "1&?2");
  EXPECT_EQ(uri->text(), text);
  EXPECT_EQ(uri->token_text(), "pkcs11:token=the%20plant;object=anna?pin-value=1%26%3F2");
  EXPECT_EQ(uri->shown(), "pkcs11:token=the%20plant;object=anna") << "no PIN for people";
}

TEST(KeyUri, RefusesWhatItDoesNotUnderstand) {
  for (const char* text :
       {"pkcs11:", "pkcs11:token=plant", "pkcs11:object=a;object=b", "pkcs11:object=a;colour=red",
        "pkcs11:object", "pkcs11:object=%4", "pkcs11:object=%zz", "pkcs11:object=%00",
        "pkcs11:object=a?pin=1", "pkcs11:object=a?pin-value=1&pin-value=2", "file:anna.key"}) {
    EXPECT_EQ(parse_key_uri(text).error().code, Code::kUsage) << text;
  }
  std::string long_one = "pkcs11:object=" + std::string(kMaxKeyUriBytes, 'a');
  EXPECT_EQ(parse_key_uri(long_one).error().code, Code::kUsage);
}

TEST(HsmModule, ThatIsNotThereIsAnError) {
  auto key = PrivateKey::from_pem("pkcs11:object=anna?module-path=/nonexistent.so", std::nullopt);
  ASSERT_FALSE(key.ok());
  EXPECT_NE(key.error().what.find("object=anna"), std::string::npos) << key.error().describe();
}

// The engine keeps what it found and stays logged in until the process ends: one token for all.
class HsmKey : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    hsm_ = std::make_unique<SoftHsm>();
    anna_ = hsm_->add_key("anna", "01", Scheme::kEcdsaP256Sha256);
    bert_ = hsm_->add_key("bert", "02", Scheme::kEcdsaP256Sha256);
  }
  static void TearDownTestSuite() { hsm_.reset(); }
  static Result<PrivateKey> load(const std::string& label, const std::string& pin) {
    auto disk = make_posix_disk();
    return load_key(*disk, SoftHsm::uri(label),
                    [&](const Path&) { return std::optional<std::string>(pin); });
  }
  static std::optional<PublicKey> anna_, bert_;

 private:
  static std::unique_ptr<SoftHsm> hsm_;
};
std::optional<PublicKey> HsmKey::anna_, HsmKey::bert_;
std::unique_ptr<SoftHsm> HsmKey::hsm_;

TEST_F(HsmKey, NeedsItsPin) {
  EXPECT_FALSE(load("anna", "9999").ok());
  auto told = load_key(*make_posix_disk(), SoftHsm::uri("anna") + "&pin-value=1234", {});
  EXPECT_EQ(told.error().code, Code::kUsage) << "a PIN on a command line";
  auto without = load_key(*make_posix_disk(), SoftHsm::uri("anna"), {});
  EXPECT_FALSE(without.ok());
  EXPECT_EQ(without.error().what.find("pin-value"), std::string::npos);
}

TEST_F(HsmKey, SignsWhatOthersVerify) {
  auto key = load("anna", "1234");
  ASSERT_TRUE(key.ok()) << key.error().describe();
  EXPECT_EQ(key->public_key(), *anna_);
  auto signature = key->sign(as_bytes("message"));
  ASSERT_TRUE(signature.ok()) << signature.error().describe();
  EXPECT_TRUE(anna_->verify(as_bytes("message"), *signature));
  EXPECT_FALSE(anna_->verify(as_bytes("another"), *signature));
}

TEST_F(HsmKey, SignsMetadataAndEnvelopesBesideAKeyInAFile) {
  auto anna = load("anna", "1234");
  auto bert = PrivateKey::generate(Scheme::kEd25519);
  ASSERT_TRUE(anna.ok() && bert.ok());
  auto envelope = seal(kRosterType, as_bytes("{}"), {&*anna, &*bert});
  ASSERT_TRUE(envelope.ok()) << envelope.error().describe();
  Authority both{{anna->public_key(), bert->public_key()}, 2};
  EXPECT_TRUE(open(*envelope, kRosterType, both).ok());

  RootSpec spec;
  for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
    spec.roles[role] = {{anna->public_key(), bert->public_key()}, 2};
  }
  auto root = draft_root(spec, 1, UtcTime{});
  ASSERT_TRUE(root.ok());
  for (const PrivateKey* key : {&*anna, &*bert}) {
    root = sign_metadata(*root, *key);
    ASSERT_TRUE(root.ok()) << root.error().describe();
  }
  EXPECT_TRUE(signature_state(*root, *root, "root")->complete());
}

TEST_F(HsmKey, TwoKeysOfOneTokenDoNotMixUp) {
  auto one = load("anna", "1234");
  auto other = load("bert", "1234");
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_EQ(one->public_key(), *anna_);
  EXPECT_EQ(other->public_key(), *bert_);
  EXPECT_TRUE(anna_->verify(as_bytes("m"), *one->sign(as_bytes("m"))));
  EXPECT_TRUE(bert_->verify(as_bytes("m"), *other->sign(as_bytes("m"))));
}

TEST_F(HsmKey, SaysWhatIsNotThere) {
  auto nobody = load("nobody", "1234");
  ASSERT_FALSE(nobody.ok());
  EXPECT_NE(nobody.error().what.find("object=nobody"), std::string::npos) << nobody.error().what;
  EXPECT_EQ(nobody.error().what.find("1234"), std::string::npos) << "a PIN in an error";
}

TEST_F(HsmKey, DoesNotLeaveItsToken) {
  auto key = load("anna", "1234");
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->to_pem("passphrase").error().code, Code::kUnsupported);
  auto reference = key->to_pem(std::nullopt);
  ASSERT_TRUE(reference.ok());
  EXPECT_TRUE(is_key_reference(*reference));
  EXPECT_EQ(reference->find("PRIVATE KEY"), std::string::npos);
}

class TpmKey : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    tpm_ = std::make_unique<fakes::SoftTpm>();
    tpm_->use();
  }
  static void TearDownTestSuite() { tpm_.reset(); }

 private:
  static std::unique_ptr<fakes::SoftTpm> tpm_;
};
std::unique_ptr<fakes::SoftTpm> TpmKey::tpm_;

TEST_F(TpmKey, SignsWhatOthersVerify) {
  auto pem = make_tpm_key();
  ASSERT_TRUE(pem.ok()) << pem.error().describe();
  EXPECT_TRUE(is_key_reference(*pem));
  auto key = PrivateKey::from_pem(*pem, std::nullopt);
  ASSERT_TRUE(key.ok()) << key.error().describe();
  EXPECT_EQ(key->public_key().scheme(), Scheme::kEcdsaP256Sha256);
  auto signature = key->sign(as_bytes("message"));
  ASSERT_TRUE(signature.ok()) << signature.error().describe();
  EXPECT_TRUE(key->public_key().verify(as_bytes("message"), *signature));
  EXPECT_EQ(*key->to_pem(std::nullopt), *pem);
}

TEST_F(TpmKey, SignsAnEmptyAndALongMessage) {
  auto key = PrivateKey::from_pem(*make_tpm_key(), std::nullopt);
  ASSERT_TRUE(key.ok()) << key.error().describe();
  for (std::size_t length : {0U, 1U, 100'000U}) {
    Bytes message(length, 'x');
    auto signature = key->sign(message);
    ASSERT_TRUE(signature.ok()) << signature.error().describe();
    EXPECT_TRUE(key->public_key().verify(message, *signature)) << length;
  }
}

TEST_F(TpmKey, IsTheSameAfterEveryStart) {
  auto pem = make_tpm_key();
  ASSERT_TRUE(pem.ok());
  auto one = PrivateKey::from_pem(*pem, std::nullopt);
  auto other = PrivateKey::from_pem(*pem, std::nullopt);
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_EQ(one->public_key(), other->public_key());
}

TEST_F(TpmKey, OtherKeysSignOnAsBefore) {
  ASSERT_TRUE(make_tpm_key().ok());
  for (Scheme scheme : {Scheme::kEd25519, Scheme::kEcdsaP256Sha256}) {
    auto key = PrivateKey::generate(scheme);
    ASSERT_TRUE(key.ok());
    EXPECT_TRUE(key->public_key().verify(as_bytes("m"), *key->sign(as_bytes("m"))));
    EXPECT_NE(key->to_pem(std::nullopt)->find("BEGIN PRIVATE KEY"), std::string::npos);
  }
}

// As if the disk of one device were put into another.
TEST_F(TpmKey, OfAnotherTpmIsRefused) {
  fakes::SoftTpm other;
  fakes::TempDir dir;
  fakes::run_or_throw("TPM2OPENSSL_TCTI='" + other.tcti() +
                      "' openssl genpkey -provider default -provider tpm2 -propquery "
                      "'?provider=tpm2' -algorithm EC -pkeyopt group:P-256 -out '" +
                      (dir / "device.key").string() + "'");
  auto key = PrivateKey::from_pem(dir.read("device.key"), std::nullopt);
  EXPECT_FALSE(key.ok() && key->sign(as_bytes("m")).ok());
}

}  // namespace
}  // namespace lineside::trust

// SPDX-License-Identifier: Apache-2.0
// Every byte of every file counts: what a change leaves acceptable says what it said before. And
// files that an RSA key signed, which we verify and never make.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "proto/trust/json.h"
#include "proto/trust/tuf/trusted_set.h"
#include "tests/proto/trust/tuf/client.h"

namespace lineside::trust::tuf {
namespace {

using nlohmann::json;

class EveryByte : public Client {
 protected:
  // A client that has all files below the root of `role`'s.
  TrustedSet set_above(const std::string& role) {
    auto set = std::move(TrustedSet::start(as_bytes(root_), now_)).value();
    if (role == "root" || role == "timestamp") return set;
    EXPECT_TRUE(set.update_timestamp(as_bytes(vendor_.served("timestamp"))).ok());
    if (role == "snapshot") return set;
    EXPECT_TRUE(set.update_snapshot(as_bytes(vendor_.served("snapshot"))).ok());
    return set;
  }
  // What is signed of the file if it is taken; nothing if it is refused.
  std::optional<Bytes> taken(const std::string& role, BytesView bytes) {
    TrustedSet set = set_above(role);
    if (role == "root" && set.update_root(bytes).ok()) return set.root().file.signed_bytes;
    if (role == "timestamp") {
      auto done = set.update_timestamp(bytes);
      if (done.ok() && *done) return set.timestamp()->file.signed_bytes;
    }
    if (role == "snapshot" && set.update_snapshot(bytes).ok()) {
      return set.snapshot()->file.signed_bytes;
    }
    if (role == "targets" && set.update_targets({"targets"}, bytes).ok()) {
      return set.targets({"targets"})->file.signed_bytes;
    }
    return std::nullopt;
  }
  std::string root_ = vendor_.served("root");
};

TEST_F(EveryByte, OfEveryRoleCounts) {
  vendor_.add_target("a.txt", "hello");
  vendor_.publish({"root", "targets", "snapshot", "timestamp"});
  for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
    const std::string good = vendor_.served(role);
    auto meant = taken(role, as_bytes(good));
    ASSERT_TRUE(meant.has_value()) << role;
    int refused = 0;
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (char other : {static_cast<char>(good[at] ^ 1), static_cast<char>(good[at] ^ 0x20)}) {
        std::string bent = good;
        bent[at] = other;
        auto said = taken(role, as_bytes(bent));
        refused += said ? 0 : 1;
        EXPECT_EQ(said.value_or(*meant), *meant) << role << ", byte " << at;
      }
    }
    EXPECT_GT(refused, static_cast<int>(good.size())) << role;
  }
}

// A prefix is no file.
TEST_F(EveryByte, NoFileIsCutShort) {
  vendor_.publish({"timestamp"});
  const std::string good = vendor_.served("timestamp");
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(taken("timestamp", as_bytes(good).first(length)).has_value()) << length;
  }
}

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

class Rsa : public Client {
 protected:
  [[nodiscard]] PublicKey public_key() const {
    unsigned char* der = nullptr;
    int length = i2d_PUBKEY(key_.get(), &der);
    auto key = PublicKey::from_spki({der, static_cast<std::size_t>(length)});
    OPENSSL_free(der);
    return std::move(key).value();
  }
  [[nodiscard]] std::string signed_by_rsa(const json& content, int padding) const {
    Bytes message = canonical_json(content).value();
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_PKEY_CTX* options = nullptr;
    EVP_DigestSignInit(context, &options, EVP_sha256(), nullptr, key_.get());
    EVP_PKEY_CTX_set_rsa_padding(options, padding);
    Bytes signature(256);
    std::size_t length = signature.size();
    EVP_DigestSign(context, signature.data(), &length, message.data(), message.size());
    EVP_MD_CTX_free(context);
    json file = {{"signed", content},
                 {"signatures", {{{"keyid", public_key().keyid()}, {"sig", to_hex(signature)}}}}};
    return file.dump();
  }
  void serve_timestamp(int padding) {
    json& root = vendor_.content["root"];
    root["keys"][public_key().keyid()] = public_key().tuf();
    root["roles"]["timestamp"] = {{"keyids", {public_key().keyid()}}, {"threshold", 1}};
    vendor_.publish({"root"});
    json& content = vendor_.content["timestamp"];
    content["version"] = vendor_.version("timestamp") + 1;
    vendor_.serve("timestamp", signed_by_rsa(content, padding));
  }
  std::unique_ptr<EVP_PKEY, FreeKey> key_{EVP_RSA_gen(2048)};
};

TEST_F(Rsa, PssIsTakenForARole) {
  serve_timestamp(RSA_PKCS1_PSS_PADDING);
  EXPECT_EQ(refresh(), std::nullopt) << why_;
  EXPECT_EQ(stored("timestamp"), 2);
}

TEST_F(Rsa, TheOlderPaddingIsNot) {
  serve_timestamp(RSA_PKCS1_PADDING);
  EXPECT_EQ(refresh(), Code::kBadSignature);
}

}  // namespace
}  // namespace lineside::trust::tuf

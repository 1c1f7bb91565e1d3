// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/sigstore_bundle.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/fakes/known_keys.h"
#include "tests/proto/trust/vectors.h"

namespace lineside::trust {
namespace {

PublicKey key(int number) {
  return fakes::ed25519_from_seed(vectors::kKeys[number].seed_hex).public_key();
}

// The vector is what sigstore's own verifier accepts.
TEST(SigstoreBundle, HoldsTheOneSignatureThatItsHintNames) {
  auto envelope = nlohmann::json::parse(vectors::kTwoSignersEnvelope);
  for (int number : {0, 1}) {
    auto bytes = sigstore_bundle(as_bytes(vectors::kTwoSignersEnvelope), key(number));
    ASSERT_TRUE(bytes.ok()) << bytes.error().describe();
    auto bundle = nlohmann::json::parse(as_text(*bytes));
    EXPECT_EQ(bundle["mediaType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
    EXPECT_EQ(bundle["verificationMaterial"]["publicKey"]["hint"], vectors::kKeys[number].keyid);
    EXPECT_EQ(bundle["verificationMaterial"]["tlogEntries"], nlohmann::json::array());
    EXPECT_EQ(bundle["dsseEnvelope"]["payloadType"], envelope["payloadType"]);
    EXPECT_EQ(bundle["dsseEnvelope"]["payload"], envelope["payload"]);
    EXPECT_EQ(bundle["dsseEnvelope"]["signatures"],
              nlohmann::json::array({envelope["signatures"][number]}));
  }
}

TEST(SigstoreBundle, IsNotMadeOfWhatTheKeyDidNotSign) {
  EXPECT_EQ(sigstore_bundle(as_bytes(vectors::kTwoSignersEnvelope), key(2)).error().code,
            Code::kBadSignature);
  EXPECT_FALSE(sigstore_bundle(as_bytes(vectors::kHelloEnvelope), key(0)).ok()) << "another type";
  EXPECT_EQ(sigstore_bundle(as_bytes("{}"), key(0)).error().code, Code::kMalformed);
}

}  // namespace
}  // namespace lineside::trust

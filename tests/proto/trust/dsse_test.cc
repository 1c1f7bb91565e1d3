// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/dsse.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/fakes/known_keys.h"
#include "tests/proto/trust/vectors.h"

namespace lineside::trust {
namespace {

using nlohmann::json;
constexpr std::string_view kType = "application/vnd.lineside.test+json";

class Dsse : public testing::Test {
 protected:
  PrivateKey alice_ = fakes::ed25519_from_seed(vectors::kKeys[0].seed_hex);
  PrivateKey bob_ = fakes::ed25519_from_seed(vectors::kKeys[1].seed_hex);
  PrivateKey mallory_ = fakes::ed25519_from_seed(vectors::kKeys[2].seed_hex);
  Authority one_{{alice_.public_key()}, 1};
  Authority two_{{alice_.public_key(), bob_.public_key()}, 2};
  Bytes payload_ = to_bytes(R"({"site":"plant-7"})");

  Bytes sealed(const std::vector<const PrivateKey*>& signers) {
    auto envelope = seal(kType, payload_, signers);
    return envelope.ok() ? *envelope : Bytes();
  }
  // Refused with this code?
  static Code refusal(BytesView envelope, std::string_view type, const Authority& authority) {
    auto opened = open(envelope, type, authority);
    return opened.ok() ? Code::kInternal : opened.error().code;
  }
  static Bytes dumped(const json& tree) { return to_bytes(tree.dump()); }
};

TEST_F(Dsse, EncodesLengthsInBytes) {
  EXPECT_EQ(as_text(pre_authentication_encoding(vectors::kHelloType, as_bytes("hello world"))),
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  EXPECT_EQ(to_hex(pre_authentication_encoding(vectors::kEmptyBodyType, {})),
            "44535345763120323120687474703a2f2f6578616d706c652e636f6d2fc3a9203020");
}

TEST_F(Dsse, OpensTheVectorsOfOtherTools) {
  auto hello = open(as_bytes(vectors::kHelloEnvelope), vectors::kHelloType, one_);
  ASSERT_TRUE(hello.ok()) << hello.error().describe();
  EXPECT_EQ(as_text(hello->payload), "hello world");
  EXPECT_EQ(hello->digest, sha256(as_bytes("hello world")));
  EXPECT_TRUE(open(as_bytes(vectors::kEmptyBodyEnvelope), vectors::kEmptyBodyType, one_).ok());
  auto both = open(as_bytes(vectors::kTwoSignersEnvelope), kInTotoType, two_);
  ASSERT_TRUE(both.ok()) << both.error().describe();
  EXPECT_EQ(both->signers.size(), 2U);
}

TEST_F(Dsse, OpensWhatItSealed) {
  auto opened = open(sealed({&alice_, &bob_}), kType, two_);
  ASSERT_TRUE(opened.ok()) << opened.error().describe();
  EXPECT_EQ(opened->payload, payload_);
}

TEST_F(Dsse, CollectsSignaturesOneByOne) {
  Bytes envelope = sealed({&alice_});
  EXPECT_EQ(refusal(envelope, kType, two_), Code::kBadSignature);
  auto cosigned = cosign(envelope, bob_);
  ASSERT_TRUE(cosigned.ok());
  EXPECT_TRUE(open(*cosigned, kType, two_).ok());
  EXPECT_EQ(*cosign(*cosigned, bob_), *cosigned);
}

TEST_F(Dsse, RefusesTooFewSignaturesAndSaysHowMany) {
  auto opened = open(sealed({&alice_, &mallory_}), kType, two_);
  ASSERT_FALSE(opened.ok());
  auto id = [](const PrivateKey& key) { return key.public_key().keyid().substr(0, 12); };
  EXPECT_EQ(opened.error().what, "1 of 2 signatures of trusted keys: signed by " + id(alice_) +
                                     ", " + id(mallory_) + ", trusted " + id(alice_) + ", " +
                                     id(bob_));
}

TEST_F(Dsse, TheWordsOfARefusalHoldNothingThatDrivesATerminal) {
  Bytes envelope = sealed({&mallory_});
  auto tree = nlohmann::json::parse(as_text(envelope));
  tree["signatures"][0]["keyid"] = "\x1b[2Jgone and much more";
  auto opened = open(to_bytes(tree.dump()), kType, one_);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Code::kBadSignature);
  EXPECT_EQ(opened.error().what.find('\x1b'), std::string::npos);
  EXPECT_EQ(opened.error().what.find("more"), std::string::npos);
}

TEST_F(Dsse, RefusesNoSignatures) {
  EXPECT_EQ(refusal(sealed({}), kType, one_), Code::kBadSignature);
}

TEST_F(Dsse, RefusesAThresholdOfZero) {
  EXPECT_EQ(refusal(sealed({&alice_}), kType, {{alice_.public_key()}, 0}), Code::kBadSignature);
  EXPECT_EQ(refusal(sealed({}), kType, {{}, 0}), Code::kBadSignature);
}

TEST_F(Dsse, CountsAKeyThatSignedTwiceOnce) {
  json tree = json::parse(sealed({&alice_}));
  json copy = tree["signatures"][0];
  copy["keyid"] = bob_.public_key().keyid();
  tree["signatures"].push_back(copy);
  EXPECT_EQ(refusal(dumped(tree), kType, two_), Code::kBadSignature);
}

TEST_F(Dsse, CountsAKeyThatIsListedTwiceOnce) {
  json more = alice_.public_key().tuf();
  more["note"] = "the same key with another key id";
  auto again = PublicKey::from_tuf(more);
  ASSERT_TRUE(again.ok());
  Authority authority{{alice_.public_key(), *again}, 2};
  EXPECT_EQ(refusal(sealed({&alice_}), kType, authority), Code::kBadSignature);
}

TEST_F(Dsse, TakesKeyidsForHintsOnly) {
  json tree = json::parse(sealed({&alice_}));
  tree["signatures"][0].erase("keyid");
  EXPECT_TRUE(open(dumped(tree), kType, one_).ok());
  tree["signatures"][0]["keyid"] = "somebody else";
  EXPECT_TRUE(open(dumped(tree), kType, one_).ok());

  json forged = json::parse(sealed({&mallory_}));
  forged["signatures"][0]["keyid"] = alice_.public_key().keyid();
  EXPECT_EQ(refusal(dumped(forged), kType, one_), Code::kBadSignature);
}

TEST_F(Dsse, SkipsBrokenSignaturesBesideGoodOnes) {
  json tree = json::parse(sealed({&alice_}));
  for (const char* broken : {"", "!!", "AAAA"}) {
    tree["signatures"].insert(tree["signatures"].begin(), json{{"sig", broken}});
  }
  EXPECT_TRUE(open(dumped(tree), kType, one_).ok());
}

TEST_F(Dsse, RefusesAnotherPayloadType) {
  EXPECT_EQ(refusal(sealed({&alice_}), kRosterType, one_), Code::kUnsupported);
  json tree = json::parse(sealed({&alice_}));
  tree["payloadType"] = kRosterType;  // the type is signed
  EXPECT_EQ(refusal(dumped(tree), kRosterType, one_), Code::kBadSignature);
}

TEST_F(Dsse, RefusesEveryChangedByteOfThePayload) {
  json tree = json::parse(sealed({&alice_}));
  for (std::size_t i = 0; i < payload_.size(); ++i) {
    Bytes changed = payload_;
    changed[i] ^= 1;
    tree["payload"] = to_base64(changed);
    EXPECT_EQ(refusal(dumped(tree), kType, one_), Code::kBadSignature);
  }
}

TEST_F(Dsse, TakesUrlSafeBase64AndUnknownMembers) {
  payload_ = {0xfb, 0xff, 0xfe, 0x00};
  json tree = json::parse(sealed({&alice_}));
  tree["payload"] = "-__-AA";
  tree["more"] = {{"x", 1}};
  tree["signatures"][0]["cert"] = "…";
  auto opened = open(dumped(tree), kType, one_);
  ASSERT_TRUE(opened.ok()) << opened.error().describe();
  EXPECT_EQ(opened->payload, payload_);
}

TEST_F(Dsse, RefusesWhatIsNoEnvelope) {
  for (const char* text : {"", "[]", "{}", R"({"payload":"","payloadType":"x"})",
                           R"({"payload":1,"payloadType":"x","signatures":[]})",
                           R"({"payload":"","payloadType":"x","signatures":[1]})",
                           R"({"payload":"","payloadType":"x","signatures":[{"keyid":"a"}]})",
                           R"({"payload":"?","payloadType":"x","signatures":[]})",
                           R"({"payload":"","payload":"","payloadType":"x","signatures":[]})"}) {
    EXPECT_EQ(refusal(as_bytes(text), "x", one_), Code::kMalformed) << text;
    EXPECT_EQ(cosign(as_bytes(text), alice_).error().code, Code::kMalformed) << text;
  }
}

TEST_F(Dsse, RefusesTooManyBytesAndTooManySignatures) {
  Bytes large(kMaxEnvelopeBytes + 1, ' ');
  EXPECT_EQ(refusal(large, kType, one_), Code::kTooLarge);
  json tree = json::parse(sealed({&alice_}));
  for (int i = 0; i < 64; ++i) tree["signatures"].push_back({{"sig", ""}});
  EXPECT_EQ(refusal(dumped(tree), kType, one_), Code::kMalformed);
}

}  // namespace
}  // namespace lineside::trust

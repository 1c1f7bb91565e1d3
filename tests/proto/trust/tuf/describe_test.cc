// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/tuf/describe.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "proto/trust/tuf/repository.h"
#include "tests/fakes/tuf_vendor.h"

namespace lineside::trust {
namespace {

class Words : public testing::Test {
 protected:
  Words() {
    for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
      spec_.roles[role] = {{anna_.public_key()}, 1};
    }
    spec_.names[anna_.public_key().keyid()] = "anna";
    spec_.names[bob_.public_key().keyid()] = "bob";
  }
  [[nodiscard]] Bytes root(std::int64_t version) const {
    auto draft = draft_root(spec_, version, fakes::TufVendor::now());
    EXPECT_TRUE(draft.ok()) << draft.error().describe();
    return *draft;
  }
  static std::string said(BytesView before, BytesView after, RootOf whose = RootOf::kVendor) {
    auto words = describe_change(before, after, whose);
    return words.ok() ? fmt::format("{}", fmt::join(*words, "\n")) : words.error().describe();
  }
  static void expect_part(const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }

  PrivateKey anna_ = std::move(PrivateKey::generate(Scheme::kEd25519)).value();
  PrivateKey bob_ = std::move(PrivateKey::generate(Scheme::kEcdsaP256Sha256)).value();
  RootSpec spec_;
};

TEST_F(Words, NameWhoMaySignAndHowManyMust) {
  Bytes before = root(1);
  std::string first = said({}, before);
  expect_part(first, "root 1, the first");
  expect_part(first, "+ targets: anna (" + anna_.public_key().fingerprint() + ") may sign");
  expect_part(first, "  root: 1 of 1 must sign");
  spec_.roles["targets"] = {{anna_.public_key(), bob_.public_key()}, 2};
  spec_.roles["timestamp"] = {{bob_.public_key()}, 1};
  std::string change = said(before, root(2));
  expect_part(change, "root 1 -> 2, ends ");
  expect_part(change, "+ targets: bob (" + bob_.public_key().fingerprint() + ") may sign");
  expect_part(change, "  targets: 2 of 2 must sign, before it was 1 of 1");
  expect_part(change, "- timestamp: anna (" + anna_.public_key().fingerprint() + ") may sign no");
  EXPECT_EQ(change.find("snapshot"), std::string::npos) << "what stays is not told";
}

TEST_F(Words, CallTheKeysOfASiteOperators) {
  expect_part(said({}, root(1), RootOf::kSite), "+ operators: anna (");
}

TEST_F(Words, NameTargetsThatComeGoAndChange) {
  fakes::TufVendor vendor;
  vendor.add_target("vision/1.0.0.json", "one");
  vendor.add_target("old", "old");
  vendor.publish({"targets"});
  std::string before = vendor.served("targets");
  vendor.content["targets"]["targets"].erase("old");
  vendor.add_target("vision/2.0.0.json", "two");
  vendor.add_target("vision/1.0.0.json", "changed");
  vendor.publish({"targets", "snapshot", "timestamp"});
  std::string words = said(as_bytes(before), as_bytes(vendor.served("targets")));
  expect_part(words, "+ vision/2.0.0.json, 3 bytes, sha256 ");
  expect_part(words, "! OTHER CONTENT: vision/1.0.0.json, 7 bytes");
  expect_part(words, "- old, 3 bytes");
  expect_part(said({}, as_bytes(vendor.served("timestamp"))), "snapshot version ");
  expect_part(said({}, as_bytes(vendor.served("snapshot"))), "targets.json version ");
}

TEST_F(Words, HaveNoControlCharacters) {
  fakes::TufVendor vendor;
  vendor.add_target("a\x1b[2Jb", "evil");
  vendor.publish({"targets"});
  EXPECT_EQ(said({}, as_bytes(vendor.served("targets"))).find('\x1b'), std::string::npos);
}

TEST_F(Words, RefuseToCompareOtherThings) {
  fakes::TufVendor vendor;
  EXPECT_EQ(describe_change(as_bytes(vendor.served("targets")), root(1)).error().code,
            Code::kMismatch);
  EXPECT_EQ(describe_change({}, as_bytes("{}")).error().code, Code::kMalformed);
}

TEST_F(Words, OfAHalfSignedRootSayWhoIsMissing) {
  spec_.roles["root"] = {{anna_.public_key(), bob_.public_key()}, 2};
  auto half = sign_metadata(root(1), anna_);
  ASSERT_TRUE(half.ok());
  EXPECT_EQ(describe(*signature_state(*half, *half, "root")), "1 of 2 signatures, missing bob");
  auto whole = sign_metadata(*half, bob_);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(describe(*signature_state(*whole, *whole, "root")), "2 of 2 signatures");
}

TEST_F(Words, NamesOfKeysAreSignedAndNoneTakesAnothersPlace) {
  spec_.names[anna_.public_key().keyid()] = "anna\nbob";
  EXPECT_EQ(draft_root(spec_, 1, UtcTime{}).error().code, Code::kUsage);
  spec_.names[anna_.public_key().keyid()] = "anna";
  auto tree = nlohmann::json::parse(as_text(root(1)));
  EXPECT_EQ(tree["signed"]["x-lineside-names"].size(), 1U) << "bob has no key in this root";
  tree["signed"]["x-lineside-names"] = "rubbish";
  expect_part(said({}, as_bytes(tree.dump())), anna_.public_key().keyid().substr(0, 12));
}

}  // namespace
}  // namespace lineside::trust

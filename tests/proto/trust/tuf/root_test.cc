// SPDX-License-Identifier: Apache-2.0
// Section 5.2 and 5.3: the root, its chain, its rotations.
#include "proto/trust/tuf/metadata.h"
#include "tests/proto/trust/tuf/client.h"

namespace lineside::trust::tuf {
namespace {

using fakes::TufVendor;
using nlohmann::json;

class RootChain : public Client {};

TEST_F(RootChain, RefusesToBeginWithARootThatItsKeysDidNotSign) {
  json root = json::parse(vendor_.served("root"));
  root["signatures"][0]["sig"] = std::string(128, '0');
  auto result = Updater::init(*disk_, temp_.path() / "other", as_bytes(root.dump()));
  EXPECT_EQ(result.error().code, Code::kBadSignature);
  EXPECT_EQ(stored("../other/root"), 0);
}

TEST_F(RootChain, RefusesToReplaceTheRootThatIsTrusted) {
  TufVendor other;
  EXPECT_EQ(Updater::init(*disk_, dir(), as_bytes(other.served("root"))).error().code,
            Code::kExists);
  EXPECT_TRUE(Updater::init(*disk_, dir(), as_bytes(vendor_.served("root"))).ok());
}

TEST_F(RootChain, ARootOfAnotherChainIsNoticed) {
  const Path folder = temp_.path() / "anchored";
  auto anchor = [&](const std::string& root) {
    auto done = Updater::anchor(*disk_, folder, as_bytes(root));
    return done.ok() ? std::optional<Code>() : done.error().code;
  };
  const std::string first = vendor_.served("root");
  EXPECT_EQ(anchor("{}"), Code::kMalformed);
  EXPECT_FALSE(disk_->stat(folder / "root.json").value());
  EXPECT_EQ(anchor(first), std::nullopt);
  EXPECT_EQ(anchor(first), std::nullopt);
  TufVendor other;
  EXPECT_EQ(anchor(other.served("root")), Code::kMismatch);
  EXPECT_EQ(temp_.read("anchored/root.json"), first);
  // The chain goes on; its first, its last and the next are in order, a stranger's is not.
  vendor_.publish({"root", "root"});
  Updater client(*disk_, folder, vendor_, now_);
  ASSERT_TRUE(client.load().ok());
  ASSERT_TRUE(client.refresh_root().ok());
  EXPECT_EQ(anchor(first), std::nullopt);
  EXPECT_EQ(anchor(vendor_.served("root")), std::nullopt);
  vendor_.publish({"root"});
  EXPECT_EQ(anchor(vendor_.served("root")), std::nullopt);
  other.publish({"root", "root", "root", "root"});
  EXPECT_EQ(anchor(other.served("root")), Code::kMismatch);
}

TEST_F(RootChain, NeverAsksTheNetworkForTheFirstRoot) {
  ASSERT_TRUE(disk_->remove(dir() / "root.json").ok());
  EXPECT_EQ(refresh(), Code::kNotFound);
  temp_.write("metadata/root.json", "{}");
  EXPECT_EQ(refresh(), Code::kMalformed);
  EXPECT_TRUE(vendor_.requests.empty());
}

TEST_F(RootChain, RefusesAStoredRootThatWasTamperedWith) {
  json root = json::parse(vendor_.served("root"));
  root["signed"]["expires"] = "2031-01-01T00:00:00Z";
  temp_.write("metadata/root.json", root.dump());
  EXPECT_EQ(refresh(), Code::kBadSignature);
  EXPECT_TRUE(vendor_.requests.empty());
}

TEST_F(RootChain, FollowsEveryVersionAndKeepsTheLast) {
  vendor_.publish({"root", "root", "root"});
  EXPECT_EQ(refresh(), std::nullopt);
  EXPECT_EQ(stored("root"), 4);
  EXPECT_EQ(temp_.read("metadata/root.json"), vendor_.served("root"));
}

TEST_F(RootChain, RotatesTheRootKeyWhenBothSign) {
  auto old_key = vendor_.signers["root"];
  vendor_.rotate("root");
  auto both = vendor_.signers["root"];
  both.push_back(old_key[0]);
  std::swap(vendor_.signers["root"], both);
  vendor_.publish({"root"});
  vendor_.signers["root"] = both;
  vendor_.signers["root"].resize(1);
  vendor_.publish({"root"});
  EXPECT_EQ(refresh(), std::nullopt);
  EXPECT_EQ(stored("root"), 3);
}

TEST_F(RootChain, RefusesARootThatTheOldKeysDidNotSign) {
  vendor_.rotate("root");
  vendor_.publish({"root"});
  EXPECT_EQ(refresh(), Code::kBadSignature);
  EXPECT_EQ(stored("root"), 1);
}

// CVE-2020-15163.
TEST_F(RootChain, RefusesARootThatItsOwnKeysDidNotSign) {
  auto old_key = vendor_.signers["root"];
  vendor_.rotate("root");
  vendor_.signers["root"] = old_key;
  vendor_.publish({"root"});
  EXPECT_EQ(refresh(), Code::kBadSignature);
  EXPECT_EQ(stored("root"), 1);
}

TEST_F(RootChain, RefusesANewThresholdThatIsNotReached) {
  vendor_.signers["root"].push_back(vendor_.new_key());
  vendor_.trust_signers("root", 2);
  vendor_.signers["root"].pop_back();
  vendor_.publish({"root"});
  EXPECT_EQ(refresh(), Code::kBadSignature);
}

// CVE-2025-2885.
TEST_F(RootChain, RefusesARootOfAnotherVersionThanAskedFor) {
  vendor_.publish_as("root", 3);
  vendor_.files["2.root.json"] = vendor_.files["3.root.json"];
  EXPECT_EQ(refresh(), Code::kMismatch);
  vendor_.files["2.root.json"] = vendor_.files["1.root.json"];
  EXPECT_EQ(refresh(), Code::kRollback);
  EXPECT_EQ(stored("root"), 1);
}

// CVE-2026-23992.
TEST_F(RootChain, RefusesAThresholdBelowOne) {
  for (int threshold : {0, -1}) {
    vendor_.content["root"]["roles"]["snapshot"]["threshold"] = threshold;
    vendor_.publish_as("root", 2);
    EXPECT_EQ(refresh(), Code::kMalformed);
    EXPECT_EQ(stored("root"), 1);
  }
}

TEST_F(RootChain, RefusesAKeyUnderAnotherKeysId) {
  json& keys = vendor_.content["root"]["keys"];
  keys[vendor_.signers["snapshot"][0]->public_key().keyid()] =
      vendor_.signers["targets"][0]->public_key().tuf();
  vendor_.publish({"root"});
  EXPECT_EQ(refresh(), Code::kMalformed);
  EXPECT_EQ(stored("root"), 1);
}

TEST_F(RootChain, RefusesAKeyidTwiceInARole) {
  json& keyids = vendor_.content["root"]["roles"]["snapshot"]["keyids"];
  keyids.push_back(keyids[0]);
  vendor_.publish({"root"});
  EXPECT_EQ(refresh(), Code::kMalformed);
}

TEST_F(RootChain, KeepsAnExpiredRootButGoesNoFurther) {
  vendor_.content["root"]["expires"] = "2026-05-01T00:00:00Z";
  vendor_.publish({"root"});
  EXPECT_EQ(refresh(), Code::kExpired);
  expect_stored(2, 0, 0, 0);
}

TEST_F(RootChain, GoesThroughAnExpiredRootToOneThatIsNot) {
  vendor_.content["root"]["expires"] = "2026-05-01T00:00:00Z";
  vendor_.publish({"root"});
  vendor_.content["root"]["expires"] = "2026-07-01T00:00:00Z";
  vendor_.publish({"root"});
  EXPECT_EQ(refresh(), std::nullopt);
  EXPECT_EQ(stored("root"), 3);
}

TEST_F(RootChain, KeepsEachAcceptedVersionWhenALaterOneIsBad) {
  vendor_.publish({"root"});
  vendor_.rotate("root");
  vendor_.publish({"root"});
  EXPECT_EQ(refresh(), Code::kBadSignature);
  EXPECT_EQ(stored("root"), 2);
}

// "Not found" ends the chain; that a request failed says nothing.
TEST_F(RootChain, TakesOnlyNotFoundForTheEndOfTheChain) {
  vendor_.failure = {"2.root.json", Error{Code::kTimeout, "no answer"}};
  EXPECT_EQ(refresh(), Code::kTimeout);
  EXPECT_EQ(vendor_.requests.size(), 1U);
}

TEST_F(RootChain, RefusesEndlessData) {
  vendor_.files["2.root.json"] = std::string(kMaxRootBytes + 1, ' ');
  EXPECT_EQ(refresh(), Code::kTooLarge);
}

TEST_F(RootChain, EndsAfterManyRotations) {
  for (int i = 0; i < 300; ++i) vendor_.publish({"root"});
  refresh();
  EXPECT_EQ(stored("root"), 257);
}

TEST_F(RootChain, IsAllThatASiteRootNeeds) {
  vendor_.files.erase("timestamp.json");
  vendor_.signers["targets"].push_back(vendor_.new_key());
  vendor_.trust_signers("targets", 2);
  vendor_.publish({"root"});
  Updater client = updater();
  ASSERT_TRUE(client.load().ok());
  ASSERT_TRUE(client.refresh_root().ok());
  auto operators = client.authority("targets");
  ASSERT_TRUE(operators.ok());
  EXPECT_EQ(operators->threshold, 2U);
  EXPECT_EQ(operators->keys.size(), 2U);
  EXPECT_EQ(client.authority("nobody").error().code, Code::kNotFound);
  EXPECT_EQ(client.version("root"), 2);
}

TEST_F(RootChain, SignsWithP256AsWell) {
  TufVendor p256(Scheme::kEcdsaP256Sha256);
  trust(p256.served("root"));
  Updater client(*disk_, dir(), p256, now_);
  ASSERT_TRUE(client.load().ok());
  EXPECT_TRUE(client.refresh().ok());
}

// Fast-forward attack and recovery (5.3.11): an attacker signs a version that nobody can surpass.
class FastForward : public Client, public testing::WithParamInterface<const char*> {};

TEST_P(FastForward, IsUndoneByRotatingTheKey) {
  std::string role = GetParam();
  vendor_.publish_as(role, 1'000'000);
  if (role == "targets") vendor_.publish({"snapshot"});
  if (role != "timestamp") vendor_.publish({"timestamp"});
  ASSERT_EQ(refresh(), std::nullopt);
  ASSERT_EQ(stored(role), 1'000'000);

  if (role == "targets") vendor_.rotate("snapshot");
  vendor_.rotate(role);
  if (role == "snapshot") vendor_.rotate("timestamp");
  vendor_.publish({"root"});
  vendor_.publish_as(role, 2);
  if (role == "targets") vendor_.publish({"snapshot"});
  if (role != "timestamp") vendor_.publish({"timestamp"});
  EXPECT_EQ(refresh(), std::nullopt) << why_;
  EXPECT_EQ(stored(role), 2);
}

INSTANTIATE_TEST_SUITE_P(Roles, FastForward, testing::Values("timestamp", "snapshot", "targets"));

// Two keys, one of them stolen: what the honest one signed beside it still verifies, but must not
// count any more.
TEST_F(RootChain, ForgetsWhatOldKeysSignedEvenIfOneOfThemRemains) {
  vendor_.signers["timestamp"].push_back(vendor_.new_key());
  vendor_.trust_signers("timestamp");
  vendor_.publish({"root"});
  vendor_.publish_as("timestamp", 1'000'000);
  ASSERT_EQ(refresh(), std::nullopt);
  vendor_.signers["timestamp"].pop_back();
  vendor_.trust_signers("timestamp");
  vendor_.publish({"root"});
  vendor_.publish_as("timestamp", 2);
  EXPECT_EQ(refresh(), std::nullopt) << why_;
  EXPECT_EQ(stored("timestamp"), 2);
}

}  // namespace
}  // namespace lineside::trust::tuf

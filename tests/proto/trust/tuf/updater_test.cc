// SPDX-License-Identifier: Apache-2.0
// Sections 5.4 to 5.6: timestamp, snapshot, targets; and what is stored when.
#include "proto/trust/tuf/updater.h"

#include "proto/trust/json.h"
#include "proto/trust/tuf/metadata.h"
#include "tests/proto/trust/tuf/client.h"

namespace lineside::trust::tuf {
namespace {

using nlohmann::json;
using Requests = std::vector<std::string>;

class Refresh : public Client {};

TEST_F(Refresh, AsksForEachFileOnceInOrder) {
  EXPECT_EQ(refresh(), std::nullopt);
  EXPECT_EQ(vendor_.requests,
            (Requests{"2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"}));
}

TEST_F(Refresh, AsksForNoMoreThanItNeeds) {
  ASSERT_EQ(refresh(), std::nullopt);
  EXPECT_EQ(refresh(), std::nullopt);
  EXPECT_EQ(vendor_.requests, (Requests{"2.root.json", "timestamp.json"}));
}

TEST_F(Refresh, UsesPlainNamesWithoutConsistentSnapshots) {
  vendor_.content["root"]["consistent_snapshot"] = false;
  vendor_.publish({"root"});
  vendor_.add_target("dir/a.txt", "hello");
  vendor_.publish(kAllButRoot);
  EXPECT_EQ(download("dir/a.txt"), "hello");
  EXPECT_EQ(vendor_.requests, (Requests{"2.root.json", "3.root.json", "timestamp.json",
                                        "snapshot.json", "targets.json", "dir/a.txt"}));
}

TEST_F(Refresh, StoresTheBytesAsReceived) {
  vendor_.files["timestamp.json"] += " \n";
  EXPECT_EQ(refresh(), std::nullopt);
  EXPECT_EQ(temp_.read("metadata/timestamp.json"), vendor_.files["timestamp.json"]);
  Updater client = updater();
  ASSERT_TRUE(client.load().ok());
  EXPECT_EQ(as_text(*client.bytes("timestamp")), vendor_.files["timestamp.json"]);
  EXPECT_EQ(client.version("targets"), 1);
  EXPECT_EQ(client.version("nobody"), 0);
  EXPECT_EQ(format_utc(*client.expires("snapshot")), "2026-07-01T00:00:00Z");
}

TEST_F(Refresh, TakesListedHashesAndLengths) {
  vendor_.list_hashes = true;
  vendor_.publish(kAllButRoot);
  EXPECT_EQ(refresh(), std::nullopt);
}

// --- signatures, for every role below the root

class EachRole : public Client, public testing::WithParamInterface<const char*> {
 protected:
  // Replaces the newest file of the role, keeping it consistent with those above.
  void replace(const std::string& bytes) {
    std::string role = GetParam();
    vendor_.serve(role, bytes);
    if (role == "targets") vendor_.publish({"snapshot"});
    if (role != "timestamp") vendor_.publish({"timestamp"});
  }
  json file() { return json::parse(vendor_.served(GetParam())); }
  void expect_refused(Code code) {
    std::int64_t before = stored(GetParam());
    EXPECT_EQ(refresh(), code) << why_;
    EXPECT_EQ(stored(GetParam()), before);
  }
};

INSTANTIATE_TEST_SUITE_P(Roles, EachRole, testing::Values("timestamp", "snapshot", "targets"));

TEST_P(EachRole, RefusesNoSignature) {
  json tree = file();
  tree["signatures"] = json::array();
  replace(tree.dump());
  expect_refused(Code::kBadSignature);
}

TEST_P(EachRole, RefusesASignatureOfAnotherKeyUnderTheRightId) {
  json forged = json::parse(fakes::TufVendor::sign(file()["signed"], {vendor_.new_key()}));
  forged["signatures"][0]["keyid"] = vendor_.signers[GetParam()][0]->public_key().keyid();
  replace(forged.dump());
  expect_refused(Code::kBadSignature);
}

TEST_P(EachRole, RefusesTheKeysOfOtherRoles) {
  replace(fakes::TufVendor::sign(file()["signed"], vendor_.signers["root"]));
  expect_refused(Code::kBadSignature);
}

TEST_P(EachRole, RefusesFewerThanTheThreshold) {
  auto& signers = vendor_.signers[GetParam()];
  signers.push_back(vendor_.new_key());
  signers.push_back(vendor_.new_key());
  vendor_.trust_signers(GetParam(), 3);
  vendor_.publish({"root"});
  signers.pop_back();
  replace(fakes::TufVendor::sign(file()["signed"], signers));
  expect_refused(Code::kBadSignature);
  EXPECT_NE(why_.find("2 of 3"), std::string::npos) << why_;
}

// CVE-2020-6174, CVE-2026-6966.
TEST_P(EachRole, RefusesOneKeyIdTwice) {
  json tree = file();
  tree["signatures"].push_back(tree["signatures"][0]);
  replace(tree.dump());
  expect_refused(Code::kMalformed);
}

TEST_P(EachRole, CountsOneKeyUnderTwoIdsOnce) {
  const PrivateKey* key = vendor_.signers[GetParam()][0];
  json twin = key->public_key().tuf();
  twin["note"] = "again";
  auto second = PublicKey::from_tuf(twin);
  ASSERT_TRUE(second.ok());
  vendor_.content["root"]["keys"][second->keyid()] = twin;
  json& role = vendor_.content["root"]["roles"][GetParam()];
  role["keyids"].push_back(second->keyid());
  role["threshold"] = 2;
  vendor_.publish({"root"});
  json tree = file();
  tree["signatures"].push_back(tree["signatures"][0]);
  tree["signatures"][1]["keyid"] = second->keyid();
  replace(tree.dump());
  expect_refused(Code::kBadSignature);
}

TEST_P(EachRole, SkipsBadSignaturesBesideGoodOnes) {
  json tree = file();
  for (const char* bad : {"", "0", "zz", "00"}) {
    tree["signatures"].insert(tree["signatures"].begin(),
                              json{{"keyid", std::string("k") + bad}, {"sig", bad}});
  }
  replace(tree.dump());
  EXPECT_EQ(refresh(), std::nullopt) << why_;
}

TEST_P(EachRole, RefusesTheFileOfAnotherType) {
  json content = file()["signed"];
  content["_type"] = std::string(GetParam()) == "timestamp" ? "snapshot" : "timestamp";
  replace(fakes::TufVendor::sign(content, vendor_.signers[GetParam()]));
  expect_refused(Code::kMalformed);
}

TEST_P(EachRole, RefusesWhatHasExpired) {
  ASSERT_EQ(refresh(), std::nullopt);
  std::string role = GetParam();
  vendor_.content[role]["expires"] = format_utc(now_);  // not after
  vendor_.publish({role});
  if (role == "targets") vendor_.publish({"snapshot"});
  if (role != "timestamp") vendor_.publish({"timestamp"});
  expect_refused(Code::kExpired);
}

TEST_P(EachRole, SignsMembersThatNobodyKnows) {
  json content = file()["signed"];
  content["x-custom"] = {{"b", 1}, {"a", {"é", nullptr, true}}};
  replace(fakes::TufVendor::sign(content, vendor_.signers[GetParam()]));
  EXPECT_EQ(refresh(), std::nullopt) << why_;
}

TEST_P(EachRole, RefusesAnotherMajorVersionOfTheSpecification) {
  json content = file()["signed"];
  content["spec_version"] = "2.0.0";
  replace(fakes::TufVendor::sign(content, vendor_.signers[GetParam()]));
  expect_refused(Code::kUnsupported);
}

TEST_P(EachRole, SaysWhenTheFileIsMissing) {
  ASSERT_EQ(refresh(), std::nullopt);
  std::string role = GetParam();
  std::string gone = role == "timestamp" ? "timestamp.json" : "2." + role + ".json";
  vendor_.publish(kAllButRoot);
  vendor_.files.erase(gone);
  expect_refused(Code::kNotFound);
  EXPECT_EQ(vendor_.requests.back(), gone);
}

// --- timestamp

TEST_F(Refresh, RejectsRolledBackTimestamp) {
  vendor_.publish({"timestamp"});
  ASSERT_EQ(refresh(), std::nullopt);
  vendor_.publish_as("timestamp", 1);
  EXPECT_EQ(refresh(), Code::kRollback);
  EXPECT_EQ(stored("timestamp"), 2);
}

TEST_F(Refresh, DropsATimestampOfTheSameVersionWithOtherContent) {
  ASSERT_EQ(refresh(), std::nullopt);
  std::string before = temp_.read("metadata/timestamp.json");
  vendor_.content["timestamp"]["meta"]["snapshot.json"]["version"] = 100;
  vendor_.publish_as("timestamp", 1);
  EXPECT_EQ(refresh(), std::nullopt);
  EXPECT_EQ(vendor_.requests.back(), "timestamp.json");
  EXPECT_EQ(temp_.read("metadata/timestamp.json"), before);
}

// Freeze: the same old word again and again.
TEST_F(Refresh, RefusesToGoOnWithATrustedTimestampThatHasExpired) {
  ASSERT_EQ(refresh(), std::nullopt);
  vendor_.content["root"]["expires"] = "2027-01-01T00:00:00Z";
  vendor_.publish({"root"});
  now_ += std::chrono::days(60);
  EXPECT_EQ(refresh(), Code::kExpired);
}

TEST_F(Refresh, GoesOnFromALocalTimestampThatHasExpired) {
  vendor_.content["timestamp"]["expires"] = "2026-06-02T00:00:00Z";
  vendor_.publish({"timestamp"});
  ASSERT_EQ(refresh(), std::nullopt);
  now_ += std::chrono::days(10);
  vendor_.content["timestamp"]["expires"] = "2026-07-01T00:00:00Z";
  vendor_.publish(kAllButRoot);
  EXPECT_EQ(refresh(), std::nullopt);
  expect_stored(1, 3, 2, 2);
}

TEST_F(Refresh, HoldsAnExpiredTimestampAgainstARollback) {
  vendor_.content["timestamp"]["expires"] = "2026-06-02T00:00:00Z";
  vendor_.publish({"timestamp"});
  ASSERT_EQ(refresh(), std::nullopt);
  now_ += std::chrono::days(10);
  vendor_.content["timestamp"]["expires"] = "2026-07-01T00:00:00Z";
  vendor_.publish_as("timestamp", 1);
  EXPECT_EQ(refresh(), Code::kRollback);
}

// A client that has stored a new timestamp and then failed must not be stuck.
TEST_F(Refresh, RecoversAfterItFailedBehindTheTimestamp) {
  ASSERT_EQ(refresh(), std::nullopt);
  vendor_.publish(kAllButRoot);
  vendor_.failure = {"2.snapshot.json", Error{Code::kNetwork, "cut"}};
  EXPECT_EQ(refresh(), Code::kNetwork);
  expect_stored(1, 2, 1, 1);
  vendor_.failure.reset();
  EXPECT_EQ(refresh(), std::nullopt);
  expect_stored(1, 2, 2, 2);
}

TEST_F(Refresh, RefusesTimestampsThatListMoreThanTheSnapshot) {
  vendor_.content["timestamp"]["meta"]["other.json"] = {{"version", 1}};
  vendor_.publish({"timestamp"});
  EXPECT_EQ(refresh(), Code::kMalformed);
}

// --- snapshot

class Rollback : public Client, public testing::WithParamInterface<bool> {
 protected:
  Rollback() { vendor_.list_hashes = GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(Hashes, Rollback, testing::Bool());

// CVE-2025-2888: the timestamp must not be stored then either.
TEST_P(Rollback, OfTheSnapshotIsRejected) {
  vendor_.publish({"snapshot", "timestamp"});
  ASSERT_EQ(refresh(), std::nullopt);
  vendor_.publish_as("snapshot", 1);
  vendor_.publish({"timestamp"});
  EXPECT_EQ(refresh(), Code::kRollback);
  expect_stored(1, 2, 2, 1);
}

TEST_P(Rollback, OfTheTargetsIsRejected) {
  vendor_.publish(kAllButRoot);
  ASSERT_EQ(refresh(), std::nullopt);
  vendor_.publish_as("targets", 1);
  vendor_.publish({"snapshot", "timestamp"});
  EXPECT_EQ(refresh(), Code::kRollback);
  EXPECT_EQ(stored("snapshot"), 2);
}

// CVE-2025-2887: every entry counts, not that of the top-level targets alone.
TEST_P(Rollback, OfADelegatedRoleIsRejected) {
  vendor_.delegate("targets", "ml", {"*"});
  vendor_.publish({"ml", "ml", "targets", "snapshot", "timestamp"});
  ASSERT_EQ(refresh(), std::nullopt);
  vendor_.publish_as("ml", 1);
  vendor_.publish({"snapshot", "timestamp"});
  EXPECT_EQ(refresh(), Code::kRollback);
}

TEST_P(Rollback, ByRemovingARoleFromTheSnapshotIsRejected) {
  vendor_.delegate("targets", "ml", {"*"});
  vendor_.publish({"ml", "targets", "snapshot", "timestamp"});
  ASSERT_EQ(refresh(), std::nullopt);
  vendor_.content["snapshot"]["meta"].erase("ml.json");
  vendor_.publish({"snapshot", "timestamp"});
  EXPECT_EQ(refresh(), Code::kRollback);
}

TEST_F(Refresh, RefusesASnapshotOfAnotherVersionThanTheTimestampSays) {
  vendor_.content["timestamp"]["meta"]["snapshot.json"]["version"] = 2;
  vendor_.publish({"timestamp"});
  vendor_.files["2.snapshot.json"] = vendor_.files["1.snapshot.json"];
  EXPECT_EQ(refresh(), Code::kRollback);
  EXPECT_EQ(stored("snapshot"), 0);
}

TEST_F(Refresh, RefusesASnapshotWithAnotherHash) {
  vendor_.list_hashes = true;
  vendor_.publish({"snapshot"});
  vendor_.content["timestamp"]["meta"]["snapshot.json"]["hashes"]["sha256"] = std::string(64, '0');
  vendor_.publish({"timestamp"});
  EXPECT_EQ(refresh(), Code::kMismatch);
  expect_stored(1, 2, 0, 0);
}

TEST_F(Refresh, ReadsNoMoreThanTheListedLength) {
  vendor_.list_hashes = true;
  vendor_.publish({"snapshot", "timestamp"});
  vendor_.files["2.snapshot.json"] += " ";
  EXPECT_EQ(refresh(), Code::kTooLarge);
  vendor_.files["2.snapshot.json"].resize(100);
  EXPECT_EQ(refresh(), Code::kMismatch);
}

TEST_F(Refresh, FetchesAStoredSnapshotAgainThatWasTamperedWith) {
  ASSERT_EQ(refresh(), std::nullopt);
  temp_.write("metadata/snapshot.json", "garbage");
  EXPECT_EQ(refresh(), std::nullopt);
  EXPECT_EQ(temp_.read("metadata/snapshot.json"), vendor_.served("snapshot"));
}

// --- targets

// Mix-and-match: targets of one release, snapshot of another.
TEST_F(Refresh, RefusesTargetsOfAnotherVersionThanTheSnapshotSays) {
  vendor_.publish(kAllButRoot);
  vendor_.files["2.targets.json"] = vendor_.files["1.targets.json"];
  EXPECT_EQ(refresh(), Code::kRollback);
  expect_stored(1, 2, 2, 0);
}

TEST_F(Refresh, RefusesTargetsWithAnotherHash) {
  vendor_.list_hashes = true;
  vendor_.publish({"targets"});
  vendor_.content["snapshot"]["meta"]["targets.json"]["hashes"]["sha256"] = std::string(64, '0');
  vendor_.publish({"snapshot", "timestamp"});
  EXPECT_EQ(refresh(), Code::kMismatch);
  expect_stored(1, 2, 2, 0);
}

TEST_F(Refresh, RefusesASnapshotWithoutTargets) {
  vendor_.content["snapshot"]["meta"] = json::object();
  vendor_.publish({"snapshot", "timestamp"});
  EXPECT_EQ(refresh(), Code::kNotFound);
}

}  // namespace
}  // namespace lineside::trust::tuf

// SPDX-License-Identifier: Apache-2.0
// Sections 5.6.7 and 5.7: which role speaks of a target, and what is taken for it.
#include "tests/proto/trust/tuf/client.h"

namespace lineside::trust::tuf {
namespace {

using nlohmann::json;
using Requests = std::vector<std::string>;

class Find : public Client {
 protected:
  void publish(std::vector<std::string> roles) {
    roles.insert(roles.end(), kAllButRoot.begin(), kAllButRoot.end());
    vendor_.publish(roles);
  }
  // The delegated roles that were asked for, in order.
  Requests visited() {
    Requests out;
    for (const std::string& path : vendor_.requests) {
      if (path.starts_with("1.")) out.push_back(path.substr(2, path.size() - 7));
    }
    return out;
  }
};

TEST_F(Find, DownloadsATarget) {
  vendor_.add_target("vision/2.0.0.json", "{}");
  publish({});
  EXPECT_EQ(download("vision/2.0.0.json"), "{}");
  std::string hash = sha256(as_bytes("{}")).hex();
  EXPECT_EQ(vendor_.requests.back(), "vision/" + hash + ".2.0.0.json");
}

TEST_F(Find, SaysNothingOfATargetThatNobodyNames) {
  publish({});
  EXPECT_EQ(download("vision/2.0.0.json"), "");
}

TEST_F(Find, WorksFromStoredFilesWithoutTheNetwork) {
  vendor_.add_target("a.txt", "hello");
  publish({});
  ASSERT_EQ(refresh(), std::nullopt);
  vendor_.requests.clear();
  Updater client = updater();
  ASSERT_TRUE(client.load().ok());
  auto target = client.find("a.txt");
  ASSERT_TRUE(target.ok() && *target);
  EXPECT_EQ((*target)->sha256(), sha256(as_bytes("hello")));
  EXPECT_EQ(client.targets().size(), 1U);
  EXPECT_TRUE(vendor_.requests.empty());
}

TEST_F(Find, RefusesStoredFilesThatHaveExpired) {
  vendor_.add_target("a.txt", "hello");
  publish({});
  ASSERT_EQ(refresh(), std::nullopt);
  now_ += std::chrono::days(60);
  Updater client = updater();
  ASSERT_TRUE(client.load().ok());
  EXPECT_EQ(client.find("a.txt").error().code, Code::kExpired);
}

TEST_F(Find, RefusesBeforeAnythingIsTrusted) {
  Updater client = updater();
  EXPECT_EQ(client.find("a.txt").error().code, Code::kConflict);
  EXPECT_EQ(client.refresh().error().code, Code::kConflict);
  ASSERT_TRUE(client.load().ok());
  EXPECT_EQ(client.find("a.txt").error().code, Code::kConflict);
}

// --- content

TEST_F(Find, RefusesOtherContentOfTheSameLength) {
  vendor_.add_target("a.txt", "hello");
  publish({});
  vendor_.files[sha256(as_bytes("hello")).hex() + ".a.txt"] = "HELLO";
  EXPECT_EQ(download("a.txt"), "mismatch");
}

TEST_F(Find, RefusesEndlessAndTruncatedContent) {
  vendor_.add_target("a.txt", "hello");
  publish({});
  std::string path = sha256(as_bytes("hello")).hex() + ".a.txt";
  vendor_.files[path] = "hello, and more";
  EXPECT_EQ(download("a.txt"), "too-large");
  vendor_.files[path] = "hell";
  EXPECT_EQ(download("a.txt"), "mismatch");
}

TEST_F(Find, RefusesContentIfOneOfTwoKnownHashesDiffers) {
  vendor_.add_target("a.txt", "hello");
  vendor_.content["targets"]["targets"]["a.txt"]["hashes"]["sha512"] = std::string(128, '0');
  publish({});
  EXPECT_EQ(download("a.txt"), "mismatch");
}

TEST_F(Find, RefusesATargetWithUnknownHashesOnly) {
  vendor_.add_target("a.txt", "hello");
  vendor_.content["targets"]["targets"]["a.txt"]["hashes"] = {{"blake9", "00"}};
  publish({});
  EXPECT_EQ(download("a.txt"), "unsupported");
}

// CVE-2025-67903: an empty hash that counted as "no check".
TEST_F(Find, RefusesEmptyHashes) {
  vendor_.add_target("a.txt", "hello");
  vendor_.content["targets"]["targets"]["a.txt"]["hashes"]["sha256"] = "";
  publish({});
  EXPECT_EQ(download("a.txt"), "malformed");
  vendor_.content["targets"]["targets"]["a.txt"]["hashes"] = json::object();
  publish({});
  EXPECT_EQ(download("a.txt"), "malformed");
}

TEST_F(Find, RefusesNamesThatLeaveTheFolder) {
  for (const char* name : {"../a.txt", "/etc/passwd", "a//b", "./a", "a/.."}) {
    vendor_.content["targets"]["targets"][name] = {{"length", 1},
                                                   {"hashes", {{"sha256", std::string(64, '0')}}}};
    publish({});
    EXPECT_EQ(download(name), "malformed") << name;
  }
}

// --- delegations

TEST_F(Find, WalksDelegationsDepthFirst) {
  vendor_.delegate("targets", "A", {"*"});
  vendor_.delegate("targets", "B", {"*"});
  vendor_.delegate("A", "C", {"*"});
  vendor_.delegate("A", "D", {"*"});
  vendor_.publish({"D", "C", "B", "A"});
  publish({});
  EXPECT_EQ(download("missing"), "");
  EXPECT_EQ(visited(), (Requests{"A", "C", "D", "B"}));
}

// CVE-2025-2886.
TEST_F(Find, StopsBehindATerminatingDelegation) {
  vendor_.delegate("targets", "A", {"*"});
  vendor_.delegate("targets", "B", {"*"});
  vendor_.delegate("A", "C", {"*"}, true);
  vendor_.delegate("A", "D", {"*"});
  vendor_.add_target("t", "from B", "B");
  vendor_.publish({"D", "C", "B", "A"});
  publish({});
  EXPECT_EQ(download("t"), "");
  EXPECT_EQ(visited(), (Requests{"A", "C"}));
}

TEST_F(Find, IgnoresTargetsOutsideTheDelegatedPaths) {
  vendor_.delegate("targets", "ml", {"ml/*"});
  vendor_.add_target("ml/model", "model", "ml");
  vendor_.add_target("firmware/image", "not theirs", "ml");
  publish({"ml"});
  EXPECT_EQ(download("ml/model"), "model");
  EXPECT_EQ(download("firmware/image"), "");
}

TEST_F(Find, RefusesADelegatedRoleSignedByOtherKeys) {
  vendor_.delegate("targets", "ml", {"*"});
  vendor_.signers["ml"] = {vendor_.new_key()};
  vendor_.add_target("t", "forged", "ml");
  publish({"ml"});
  EXPECT_EQ(download("t"), "bad-signature");
  EXPECT_EQ(stored("ml"), 0);
}

// CVE-2026-6967: the checks of targets hold for delegated roles, too.
TEST_F(Find, RefusesAnExpiredDelegatedRole) {
  vendor_.delegate("targets", "ml", {"*"});
  vendor_.content["ml"]["expires"] = "2026-05-01T00:00:00Z";
  vendor_.add_target("t", "old", "ml");
  publish({"ml"});
  EXPECT_EQ(download("t"), "expired");
}

TEST_F(Find, RefusesADelegatedRoleWithAnotherHash) {
  vendor_.list_hashes = true;
  vendor_.delegate("targets", "ml", {"*"});
  vendor_.publish({"ml"});
  vendor_.files["1.ml.json"].back() = ' ';
  publish({});
  EXPECT_EQ(download("t"), "mismatch");
}

TEST_F(Find, EndsTheSearchWhenARoleIsNotInTheSnapshot) {
  vendor_.delegate("targets", "ml", {"*"});
  vendor_.delegate("targets", "other", {"*"});
  vendor_.add_target("t", "from other", "other");
  vendor_.publish({"ml", "other", "targets"});
  vendor_.content["snapshot"]["meta"].erase("ml.json");
  vendor_.publish({"snapshot", "timestamp"});
  EXPECT_EQ(download("t"), "not-found");
  EXPECT_TRUE(visited().empty());
}

TEST_F(Find, KeepsDelegatedRolesAndAsksForThemOnce) {
  vendor_.delegate("targets", "ml", {"*"});
  vendor_.add_target("t", "content", "ml");
  publish({"ml"});
  EXPECT_EQ(download("t"), "content");
  EXPECT_EQ(download("t"), "content");
  EXPECT_TRUE(visited().empty());
}

TEST_F(Find, SurvivesACycleOfDelegations) {
  vendor_.delegate("targets", "A", {"*"});
  vendor_.delegate("A", "B", {"*"});
  json back = vendor_.content["targets"]["delegations"];
  vendor_.content["B"]["delegations"] = back;
  publish({"B", "A"});
  EXPECT_EQ(download("t"), "");
  EXPECT_EQ(visited(), (Requests{"A", "B"}));
}

TEST_F(Find, VisitsNoMoreThanThirtyTwoRoles) {
  Requests roles;
  for (int i = 0; i < 40; ++i) {
    roles.push_back("r" + std::to_string(i));
    vendor_.delegate("targets", roles.back(), {"*"});
  }
  publish(roles);
  EXPECT_EQ(download("t"), "");
  EXPECT_EQ(visited().size(), 32U);
}

// What parent A vouches for says nothing about parent B, although the role has one name.
TEST_F(Find, VerifiesARoleByTheDelegatorThatLedToIt) {
  vendor_.delegate("targets", "A", {"a/*"});
  vendor_.delegate("targets", "B", {"b/*"});
  vendor_.delegate("A", "release", {"a/*"});
  auto trusted = vendor_.signers["release"];
  vendor_.signers["release"] = {vendor_.new_key()};
  vendor_.delegate("B", "release", {"b/*"});
  vendor_.signers["release"] = trusted;
  vendor_.add_target("a/x", "good", "release");
  vendor_.add_target("b/x", "stolen", "release");
  publish({"release", "A", "B"});
  Updater client = updater();
  ASSERT_TRUE(client.load().ok() && client.refresh().ok());
  EXPECT_TRUE(client.find("a/x").ok());
  EXPECT_EQ(client.find("b/x").error().code, Code::kBadSignature);
}

// CVE-2021-41131.
TEST_F(Find, EncodesTheNamesOfRoles) {
  for (const char* role : {"../escape", "/abs", "?", "#", "a b"}) {
    vendor_.delegate("targets", role, {"*"});
    publish({role});
    EXPECT_EQ(download("t"), "");
  }
  EXPECT_TRUE(std::filesystem::exists(dir() / "..%2Fescape.json"));
  EXPECT_TRUE(std::filesystem::exists(dir() / "%3F.json"));
  EXPECT_FALSE(std::filesystem::exists(temp_.path() / "escape.json"));
}

TEST_F(Find, RefusesDelegatedRolesWithTheNameOfATopLevelRole) {
  for (const char* role : {"root", "timestamp", "snapshot", "targets", ""}) {
    json content = vendor_.content["targets"];
    content["delegations"] = {{"keys", json::object()},
                              {"roles",
                               {{{"name", role},
                                 {"keyids", json::array()},
                                 {"threshold", 1},
                                 {"terminating", false},
                                 {"paths", {"*"}}}}}};
    vendor_.serve("targets", fakes::TufVendor::sign(content, vendor_.signers["targets"]));
    EXPECT_EQ(refresh(), Code::kMalformed) << role;
  }
}

}  // namespace
}  // namespace lineside::trust::tuf

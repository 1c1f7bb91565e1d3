// SPDX-License-Identifier: Apache-2.0
#include "seeder/ctl/drafts.h"

#include <gtest/gtest.h>

#include <limits>

#include "seeder/ctl/gateway.h"
#include "tests/fakes/signed_site.h"

namespace lineside::ctl {
namespace {

struct DraftsTest : ::testing::Test {
  fakes::SignedSite site;
  UtcTime now = fakes::at("2026-11-22T12:00:00Z");
  trust::PrivateKey key = fakes::must(trust::PrivateKey::generate(trust::Scheme::kEd25519));

  seeder::PendingRow pending(const std::string& device) {
    // What the gateway says of the fingerprint is never used.
    return {device, "0000-0000-0000-0000", key.public_key().spki(), {"ipc-x86"}, "0.1", now, now};
  }
  Result<trust::Directive> draft(const RolloutWish& wish) {
    return draft_directive(site.roster, site.manifest, site.manifest_digest(), wish, 18, now);
  }
};

TEST_F(DraftsTest, AcceptingAddsTheDeviceWithTheKeyThatItShows) {
  Acceptance wish{"ipc03", key.public_key().fingerprint(), {}, {"line4"}, true, {}};
  auto next = fakes::must(accept_device(site.roster, wish, {pending("ipc03")}, now));
  EXPECT_EQ(next.version, site.roster.version + 1);
  ASSERT_NE(next.find("ipc03"), nullptr);
  EXPECT_TRUE(next.find("ipc03")->key == key.public_key());
  EXPECT_TRUE(trust::parse_roster(trust::serialise(next)).ok());
  auto words = describe_change(site.roster, next);
  EXPECT_NE(words[1].find(key.public_key().fingerprint()), std::string::npos);
}

TEST_F(DraftsTest, AFingerprintMayBeTypedWithoutDashesInLowerCase) {
  std::string typed;
  for (char c : key.public_key().fingerprint()) {
    if (c != '-') typed += static_cast<char>(std::tolower(c));
  }
  EXPECT_TRUE(
      accept_device(site.roster, {"ipc03", typed, {}, {}, false, {}}, {pending("ipc03")}, now)
          .ok());
}

TEST_F(DraftsTest, AGatewayThatShowsAnotherKeyIsFoundOut) {
  Acceptance wish{"ipc03", site.key("cam01").public_key().fingerprint(), {}, {}, false, {}};
  auto next = accept_device(site.roster, wish, {pending("ipc03")}, now);
  ASSERT_FALSE(next.ok());
  EXPECT_EQ(next.error().code, Code::kMismatch);
  wish.fingerprint = "";
  EXPECT_FALSE(accept_device(site.roster, wish, {pending("ipc03")}, now).ok());
}

TEST_F(DraftsTest, AnEnrolledIdIsNotTakenOver) {
  Acceptance wish{"cam01", key.public_key().fingerprint(), {}, {}, false, {}};
  EXPECT_EQ(accept_device(site.roster, wish, {pending("cam01")}, now).error().code, Code::kExists);
}

TEST_F(DraftsTest, RevokingKeepsTheDeviceOnRecord) {
  auto next = fakes::must(revoke_device(site.roster, "cam02", now));
  EXPECT_TRUE(next.find("cam02")->revoked);
  EXPECT_EQ(revoke_device(next, "cam02", now).error().code, Code::kConflict);
  EXPECT_EQ(revoke_device(next, "cam99", now).error().code, Code::kNotFound);
}

TEST_F(DraftsTest, ReadsCommissioningLists) {
  auto wishes = parse_acceptances(
      "# device, "
      "fingerprint\ncam1,AAAA-BBBB,canary,group=line3\r\ncam2,CCCC-DDDD,hardware=jetson\n",
      "list.csv");
  ASSERT_TRUE(wishes.ok());
  ASSERT_EQ(wishes->size(), 2U);
  EXPECT_TRUE(wishes->at(0).canary);
  EXPECT_EQ(wishes->at(0).groups, std::vector<std::string>{"line3"});
  EXPECT_EQ(wishes->at(1).hardware, std::vector<std::string>{"jetson"});
  EXPECT_EQ(wishes->at(1).place, "list.csv:3");
  EXPECT_EQ(parse_acceptances("device,fingerprint,classes\ncam1,AAAA\n", "l")->size(), 1U);
}

TEST_F(DraftsTest, MistakesInACommissioningListNameFileAndLine) {
  struct Case {
    const char* csv;
    const char* said;
  };
  for (const Case& one : {Case{"cam1,AAAA\ncam2\n", "list.csv:2: expected DEVICE,FINGERPRINT"},
                          Case{"cam1,AAAA,surprise\n", "list.csv:1: 'surprise' is unknown"},
                          Case{"cam1,AAAA\n\ncam1,BBBB\n", "list.csv:3: cam1 comes a second time"},
                          Case{"# nobody\n", "list.csv: names no device"}}) {
    auto bad = parse_acceptances(one.csv, "list.csv");
    ASSERT_FALSE(bad.ok()) << one.csv;
    EXPECT_EQ(bad.error().code, Code::kMalformed);
    EXPECT_NE(bad.error().what.find(one.said), std::string::npos) << bad.error().what;
  }
}

TEST_F(DraftsTest, AcceptingTheSameKeyAgainIsKnownToBeDone) {
  Acceptance wish{"cam01", site.key("cam01").public_key().fingerprint(), {}, {}, false, {}};
  EXPECT_TRUE(is_accepted(site.roster, wish));
  wish.fingerprint = key.public_key().fingerprint();
  EXPECT_FALSE(is_accepted(site.roster, wish)) << "re-keyed: pending again";
  auto next = accept_device(site.roster, wish, {pending("cam01")}, now);
  EXPECT_NE(next.error().what.find("lineside revoke cam01"), std::string::npos);
  wish.device = "ipc77";
  next = accept_device(site.roster, wish, {pending("ipc03")}, now);
  EXPECT_EQ(next.error().code, Code::kNotFound);
  EXPECT_NE(next.error().what.find("waiting: ipc03"), std::string::npos) << next.error().what;
}

TEST_F(DraftsTest, TakesOneFlaggedCanaryForEachHardwareClass) {
  auto directive = fakes::must(draft({}));
  EXPECT_EQ(directive.canaries, (std::vector<std::string>{"cam01", "ipc01"}));
  EXPECT_EQ(directive.devices.size(), 5U);
  EXPECT_EQ(directive.manifest, site.manifest_digest());
  EXPECT_TRUE(trust::parse_directive(trust::serialise(directive)).ok());
}

TEST_F(DraftsTest, RefusesARolloutWhoseGateWouldStayShut) {
  RolloutWish wish;
  wish.canaries = {"cam01"};
  EXPECT_EQ(draft(wish).error().code, Code::kGateShut) << "nobody covers ipc-x86";
  wish.canaries = {"cam01", "ipc02"};
  EXPECT_EQ(draft(wish).error().code, Code::kGateShut) << "ipc02 is no canary";
}

TEST_F(DraftsTest, LeavesOutDevicesThatTheBundleDoesNotFit) {
  site.manifest.hardware = {"ipc-x86"};
  auto directive = fakes::must(draft({}));
  EXPECT_EQ(directive.devices, (std::vector<std::string>{"ipc01", "ipc02"}));
  RolloutWish wish;
  wish.devices = {"cam01"};
  EXPECT_EQ(draft(wish).error().code, Code::kWrongHardware);
}

TEST_F(DraftsTest, ValuesThatMakeNoSenseNameTheirFlag) {
  auto refused = [&](const char* flag, auto change) {
    RolloutWish wish;
    change(wish);
    auto made = draft(wish);
    ASSERT_FALSE(made.ok()) << flag;
    EXPECT_EQ(made.error().code, Code::kUsage) << flag;
    EXPECT_EQ(made.error().what.rfind(std::string(flag) + ":", 0), 0U) << made.error().what;
  };
  using std::chrono::seconds;
  refused("--batch", [](RolloutWish& wish) { wish.batch_size = 0; });
  refused("--failure-limit", [](RolloutWish& wish) { wish.failure_limit.percent = 101; });
  refused("--failure-minimum", [](RolloutWish& wish) { wish.failure_limit.minimum_executed = 0; });
  refused("--soak", [](RolloutWish& wish) { wish.soak = std::chrono::days(400); });
  refused("--expires", [](RolloutWish& wish) { wish.expires = seconds(0); });
  refused("--expires", [](RolloutWish& wish) { wish.expires = wish.soak; });
  refused("--deadline", [](RolloutWish& wish) { wish.device_deadline = seconds(0); });
}

TEST_F(DraftsTest, DurationsAndSizesReadAsPeopleWriteThem) {
  EXPECT_EQ(*parse_duration("90s"), std::chrono::seconds(90));
  EXPECT_EQ(*parse_duration("7d"), std::chrono::hours(168));
  for (const char* bad : {"", "s", "-1s", "1w", "1 h", "99999999999d"}) {
    EXPECT_FALSE(parse_duration(bad).ok()) << bad;
  }
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(1234), "1.2 kB");
  EXPECT_EQ(bytes_text(70'000'000), "70 MB");
  EXPECT_EQ(duration_text(std::chrono::seconds(1800)), "30 min");
}

TEST(NextNumber, AGatewayCannotUseUpTheNumbers) {
  EXPECT_EQ(fakes::must(next_number("directive", 0, 0)), 1);
  EXPECT_EQ(fakes::must(next_number("directive", 7, 0)), 8);
  EXPECT_EQ(fakes::must(next_number("directive", 0, 7)), 8) << "of an operator before a rotation";
  EXPECT_EQ(fakes::must(next_number("directive", 5, 5 + kMaxUnsignedStep)), 6 + kMaxUnsignedStep);
  for (std::int64_t named :
       {6 + kMaxUnsignedStep, (std::int64_t{1} << 53) - 1,
        std::numeric_limits<std::int64_t>::max() - 1, std::numeric_limits<std::int64_t>::max()}) {
    Result<std::int64_t> refused = next_number("directive", 5, named);
    ASSERT_FALSE(refused.ok()) << named;
    EXPECT_EQ(refused.error().code, Code::kMismatch);
    EXPECT_NE(refused.error().what.find(std::to_string(named)), std::string::npos);
  }
}

struct WayBackTest : DraftsTest {
  trust::Directive present(std::int64_t sequence, const std::string& bundle) {
    trust::Directive made = fakes::must(draft({}));
    made.sequence = sequence;
    made.bundle = bundle;
    return made;
  }
};

TEST_F(WayBackTest, PassesOverWhatDidNotEndWellAndNamesIt) {
  std::vector<seeder::RolloutSummary> rollouts = {{1, "vision/1.0.0.json", "done", 8, ""},
                                                  {2, "vision/2.0.0.json", "done", 8, ""},
                                                  {3, "vision/3.0.0.json", "failed", 0, ""},
                                                  {4, "vision/3.0.1.json", "done", 8, ""}};
  WayBack way = fakes::must(way_back(rollouts, present(4, "vision/3.0.1.json")));
  EXPECT_EQ(way.to.bundle, "vision/2.0.0.json");
  EXPECT_NE(describe(way).find("passed over: vision/3.0.0.json (rollout 3, failed)"),
            std::string::npos)
      << describe(way);
}

TEST_F(WayBackTest, ABundleThatNobodyConfirmedIsNoWayBack) {
  std::vector<seeder::RolloutSummary> rollouts = {
      {1, "vision/1.0.0.json", "aborted", 3, ""},
      {2, "vision/2.0.0.json", "done", 0, ""},
      {9'000'000, "vision/3.0.0.json", "batches", 1, ""}};
  auto none = way_back(rollouts, present(9'000'000, "vision/3.0.0.json"));
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Code::kNotFound);
  EXPECT_NE(none.error().what.find("--to NAME/VERSION"), std::string::npos);
  EXPECT_NE(none.error().what.find("not vision/1.0.0.json (rollout 1, aborted)"),
            std::string::npos);
}

TEST(SettlePost, AnAnswerThatWasLostDoesNotHideWhatTheGatewayHolds) {
  Error lost{Code::kTimeout, "POST /v1/directive: no answer"};
  Bytes ours(10, 'a');
  EXPECT_TRUE(settle_post(lost, ours, ours).ok());
  Result<void> other = settle_post(lost, Bytes(10, 'b'), ours);
  EXPECT_EQ(other.error().code, Code::kTimeout);
  EXPECT_NE(other.error().what.find("does not hold"), std::string::npos);
  Result<void> none = settle_post(lost, Error{Code::kNotFound, "no directive"}, ours);
  EXPECT_NE(none.error().what.find("does not hold"), std::string::npos);
  Result<void> unknown = settle_post(lost, Error{Code::kNetwork, "refused"}, ours);
  EXPECT_NE(unknown.error().what.find("may hold"), std::string::npos);
}

}  // namespace
}  // namespace lineside::ctl

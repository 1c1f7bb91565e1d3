// SPDX-License-Identifier: Apache-2.0
#include "seeder/rollout_store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "seeder/sqlite.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::seeder {
namespace {

constexpr UtcTime kNow{std::chrono::seconds(1'790'000'000)};

Event event_of(std::string kind, std::string text) {
  Event event;
  event.at = kNow;
  event.kind = std::move(kind);
  event.actor = "gateway";
  event.text = std::move(text);
  return event;
}

struct RolloutStoreTest : ::testing::Test {
  fakes::TempDir dir;
  std::unique_ptr<RolloutStore> store = open();

  std::unique_ptr<RolloutStore> open() {
    auto opened = RolloutStore::open(dir / "site.db");
    EXPECT_TRUE(opened.ok()) << (opened.ok() ? "" : opened.error().describe());
    return std::move(opened).value();
  }
  void reopen() {
    store.reset();
    store = open();
  }
};

TEST_F(RolloutStoreTest, KeepsTheNewestEnvelopeOfEachKind) {
  Bytes one = to_bytes("one"), two = to_bytes("two");
  ASSERT_TRUE(
      store->add_document(DocumentKind::kRoster, 2, sha256(two), two, event_of("r", "")).ok());
  ASSERT_TRUE(
      store->add_document(DocumentKind::kRoster, 1, sha256(one), one, event_of("r", "")).ok());
  reopen();
  EXPECT_EQ(store->newest_document(DocumentKind::kRoster).value(), two);
  EXPECT_EQ(store->document(DocumentKind::kRoster, 1).value(), one);
  EXPECT_EQ(store->newest_document(DocumentKind::kDirective).value(), std::nullopt);
}

TEST_F(RolloutStoreTest, RefusesASecondDocumentOfOneNumber) {
  Bytes one = to_bytes("one"), two = to_bytes("two");
  ASSERT_TRUE(
      store->add_document(DocumentKind::kDirective, 1, sha256(one), one, event_of("d", "")).ok());
  auto again =
      store->add_document(DocumentKind::kDirective, 1, sha256(two), two, event_of("d", ""));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Code::kConflict);
  EXPECT_EQ(store->events(0, 10)->size(), 1U) << "a refused document must leave no event";
}

TEST_F(RolloutStoreTest, KeepsAnAttestationOnce) {
  Bytes envelope = to_bytes("attestation");
  Digest directive = sha256(as_bytes("d"));
  EXPECT_TRUE(*store->add_attestation(sha256(envelope), directive, envelope, event_of("a", "")));
  EXPECT_FALSE(*store->add_attestation(sha256(envelope), directive, envelope, event_of("a", "")));
  EXPECT_EQ(store->attestations(directive).value(), std::vector<Bytes>{envelope});
  EXPECT_TRUE(store->attestations(sha256(as_bytes("other")))->empty());
}

TEST_F(RolloutStoreTest, RemembersTheLastReportUnderEachDirective) {
  ASSERT_TRUE(store->put_report({"cam1", "{\"n\":1}", kNow}, 1).ok());
  ASSERT_TRUE(store->put_report({"cam1", "{\"n\":2}", kNow}, 2).ok());
  reopen();
  EXPECT_EQ(store->reports()->front().json, "{\"n\":2}");
  EXPECT_EQ(store->reports_under(1)->front().json, "{\"n\":1}");
  EXPECT_TRUE(store->reports_under(3)->empty());
}

TEST_F(RolloutStoreTest, QueuesEachKeyOnce) {
  PendingDevice device{"cam1", to_bytes("key"), "7Q2F", {"jetson", "cam-v2"}, "0.1", kNow, kNow};
  EXPECT_TRUE(*store->put_pending(device));
  device.device = "cam2";
  EXPECT_FALSE(*store->put_pending(device));
  ASSERT_EQ(store->pending()->size(), 1U);
  EXPECT_EQ(store->pending()->front().device, "cam2");
  EXPECT_EQ(store->pending()->front().hardware, device.hardware);
  ASSERT_TRUE(store->remove_pending(device.spki).ok());
  EXPECT_TRUE(store->pending()->empty());
}

TEST_F(RolloutStoreTest, CommitsARolloutWithItsDecisions) {
  StoredRollout rollout;
  rollout.state.sequence = 3;
  rollout.state.batches_open = 2;
  rollout.bundle = "vision/2.0.0.json";
  ASSERT_TRUE(store->put_rollout(rollout, {event_of("batch-open", "batch 1")}).ok());
  reopen();
  ASSERT_TRUE(store->rollout(3)->has_value());
  EXPECT_EQ((*store->rollout(3))->state, rollout.state);
  EXPECT_EQ(store->rollouts()->size(), 1U);
  EXPECT_EQ(store->events(0, 10)->front().text, "batch 1");
}

TEST_F(RolloutStoreTest, PagesThroughEvents) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(store->add_event(event_of("e", std::to_string(i))).ok());
  EXPECT_EQ(store->events(0, 2)->size(), 2U);
  EXPECT_EQ(store->events(3, 10)->front().text, "3");
}

TEST_F(RolloutStoreTest, SumsWanBytesOfARelease) {
  ASSERT_TRUE(store->add_wan("vision/2.0.0.json", {100, 10}).ok());
  ASSERT_TRUE(store->add_wan("vision/2.0.0.json", {50, 0}).ok());
  ASSERT_TRUE(store->add_wan("", {0, 7}).ok());
  reopen();
  EXPECT_EQ(store->wan("vision/2.0.0.json")->payload, 150U);
  EXPECT_EQ(store->wan_total()->metadata, 17U);
  EXPECT_EQ(store->wan("other")->payload, 0U);
}

TEST_F(RolloutStoreTest, SumsWhatOperatorsAllowARelease) {
  EXPECT_EQ(*store->wan_allowed("vision/2.0.0.json"), 0U);
  ASSERT_TRUE(store->allow_wan("vision/2.0.0.json", 100, event_of("budget", "a")).ok());
  ASSERT_TRUE(store->allow_wan("vision/2.0.0.json", 50, event_of("budget", "b")).ok());
  reopen();
  EXPECT_EQ(*store->wan_allowed("vision/2.0.0.json"), 150U);
  EXPECT_EQ(*store->wan_allowed("other"), 0U);
  EXPECT_EQ(store->events(0, 10)->size(), 2U);
}

TEST_F(RolloutStoreTest, RemembersTheLastImportsEachOnce) {
  for (const char* name : {"a", "b", "a", "c"}) ASSERT_TRUE(store->add_import(name).ok());
  reopen();
  EXPECT_EQ(*store->imports(2), (std::vector<std::string>{"c", "a"}));
  EXPECT_EQ(*store->imports(9), (std::vector<std::string>{"c", "a", "b"}));
}

TEST_F(RolloutStoreTest, TheEventLogCannotBeRewritten) {
  ASSERT_TRUE(store->add_event(event_of("e", "as it was")).ok());
  auto database = Database::open(dir / "site.db");
  ASSERT_TRUE(database.ok());
  EXPECT_EQ(database->execute("UPDATE events SET text='other'").error().code, Code::kConflict);
  EXPECT_EQ(database->execute("DELETE FROM events").error().code, Code::kConflict);
  EXPECT_EQ(store->events(0, 1)->front().text, "as it was");
}

TEST_F(RolloutStoreTest, RefusesADatabaseOfTheFuture) {
  store.reset();
  ASSERT_TRUE(Database::open(dir / "site.db")->execute("PRAGMA user_version=99").ok());
  auto opened = RolloutStore::open(dir / "site.db");
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Code::kUnsupported);
}

}  // namespace
}  // namespace lineside::seeder

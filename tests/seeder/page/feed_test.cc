// SPDX-License-Identifier: Apache-2.0
#include "seeder/page/feed.h"

#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>

#include "tests/fakes/manual_clock.h"

namespace lineside::seeder {
namespace {

using nlohmann::json;

// One subscriber: what the feed wrote for it.
struct Reader {
  std::shared_ptr<http::EventWriter> writer = std::make_shared<http::EventWriter>();
  std::string seen;

  std::string take() { return seen += writer->take().text; }
  // The data of the first event; the feed looks again as soon as somebody has come.
  json first() {
    take();
    std::size_t at = seen.find("data: ");
    return json::parse(seen.substr(at + 6, seen.find('\n', at) - at - 6));
  }
  std::string id() {
    take();
    std::size_t at = seen.rfind("id: ");
    return at == std::string::npos ? "" : seen.substr(at + 4, seen.find('\n', at) - at - 4);
  }
};

struct FeedTest : ::testing::Test {
  fakes::ManualClock clock{UtcTime(std::chrono::hours(500'000))};
  std::mutex mutex;
  SiteStatus status = three();
  Feed feed{{[this] {
               std::lock_guard lock(mutex);
               return status;
             },
             [] { return std::int64_t{7}; }, &clock, std::chrono::hours(1)}};

  static SiteStatus three() {
    SiteStatus made;
    for (const char* id : {"cam1", "cam2", "cam3"}) {
      NodeRow row;
      row.device = id;
      made.nodes.push_back(row);
    }
    return made;
  }
  void change(const std::function<void(SiteStatus&)>& how) {
    std::lock_guard lock(mutex);
    how(status);
  }
  static bool welcome() { return true; }
};

TEST_F(FeedTest, TheWholeStateHasEveryDeviceAndAnIdToGoOnFrom) {
  json whole = json::parse(feed.whole());
  EXPECT_EQ(whole["nodes"].size(), 3U);
  EXPECT_EQ(whole["newest_event"], 7);
  EXPECT_FALSE(whole["site"].contains("nodes"));
  EXPECT_FALSE(whole["id"].get<std::string>().empty());
}

// All canaries fail at once: that must fit into the stream.
TEST_F(FeedTest, RowsCarryNoStandardError) {
  change([](SiteStatus& site) {
    site.nodes[0].report.emplace();
    site.nodes[0].report->check.emplace();
    site.nodes[0].report->check->cause = "load.model";
    site.nodes[0].report->check->stderr_tail = std::string(4096, 'x');
  });
  std::string whole = feed.whole();
  EXPECT_EQ(whole.find("xxxx"), std::string::npos);
  EXPECT_NE(whole.find("load.model"), std::string::npos);
}

// All devices receive at once, and only one view draws it.
TEST_F(FeedTest, RowsCarryNoPieceMap) {
  change([](SiteStatus& site) {
    site.nodes[0].report.emplace();
    site.nodes[0].report->transfer.emplace();
    site.nodes[0].report->transfer->pieces = 80;
    site.nodes[0].report->transfer->piece_map = Bytes(10, 0xff);
  });
  json row = json::parse(feed.whole())["nodes"][0];
  EXPECT_EQ(row["report"]["transfer"]["pieces"], 80);
  EXPECT_FALSE(row["report"]["transfer"].contains("piece_map"));
}

TEST_F(FeedTest, WhoeverWasAwayGetsWhatChangedSinceAndNothingElse) {
  std::string id = json::parse(feed.whole())["id"];
  change([](SiteStatus& site) { site.nodes[1].why = "hot"; });
  feed.whole();  // somebody else looked meanwhile
  change([](SiteStatus& site) { site.nodes.pop_back(); });
  Reader reader;
  feed.subscribe(reader.writer, id, welcome);
  json news = reader.first();
  ASSERT_EQ(news["nodes"].size(), 1U);
  EXPECT_EQ(news["nodes"][0]["device"], "cam2");
  EXPECT_EQ(news["gone"], json::array({"cam3"}));
  Reader next;
  feed.subscribe(next.writer, reader.id(), welcome);
  EXPECT_TRUE(next.first()["nodes"].empty());
}

TEST_F(FeedTest, AnIdOfAnotherLifeOrOfNoneBeginsAnew) {
  std::string id = json::parse(feed.whole())["id"];
  for (const std::string& other :
       {std::string("0123456789abcdef-1"), std::string(), id + "9999", id + "x"}) {
    Reader reader;
    feed.subscribe(reader.writer, other, welcome);
    EXPECT_NE(reader.take().find("event: reset"), std::string::npos) << other;
    EXPECT_FALSE(reader.writer->open());
  }
}

TEST_F(FeedTest, AChangeThatIsTooLargeForAStreamIsFetchedAsAWhole) {
  std::string id = json::parse(feed.whole())["id"];
  change([](SiteStatus& site) { site.nodes[0].why = std::string(600'000, 'x'); });
  Reader reader;
  feed.subscribe(reader.writer, id, welcome);
  EXPECT_NE(reader.take().find("event: reset"), std::string::npos);
}

TEST_F(FeedTest, WhoeverLogsOutHearsNoMore) {
  std::string id = json::parse(feed.whole())["id"];
  std::promise<void> asked;
  std::atomic<bool> logged_out{false};
  Reader reader;
  feed.subscribe(reader.writer, id, [&, once = std::make_shared<std::once_flag>()] {
    if (logged_out) std::call_once(*once, [&] { asked.set_value(); });
    return !logged_out;
  });
  EXPECT_TRUE(reader.writer->open());
  logged_out = true;
  feed.wake();
  asked.get_future().wait();
  feed.whole();  // the round that asked has ended once this has the lock
  EXPECT_FALSE(reader.writer->open());
}

TEST_F(FeedTest, TheRateOfTheWanIsThatOfTheFetchThatGoesOn) {
  auto fetched = [&](std::uint64_t done) {
    change([&](SiteStatus& site) {
      site.supply.state = "fetching";
      site.supply.done = done;
    });
    clock.advance(std::chrono::seconds(1));
    return json::parse(feed.whole())["site"];
  };
  EXPECT_FALSE(fetched(1000).contains("wan_rate")) << "one look is no rate";
  EXPECT_EQ(fetched(3000)["wan_rate"], 2000);
  EXPECT_FALSE(fetched(500).contains("wan_rate")) << "another fetch began";
}

}  // namespace
}  // namespace lineside::seeder

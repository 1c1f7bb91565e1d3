// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "proto/http/client.h"
#include "tests/fakes/static_origin.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::http {
namespace {

using fakes::Misdeed;

class Download : public testing::Test {
 protected:
  Download() : body_(300'000, 'a') {
    for (std::size_t i = 0; i < body_.size(); ++i) body_[i] = static_cast<char>('a' + i % 23);
    dir_.write("origin/delivery", body_);
    options_.expected_length = body_.size();
  }
  Result<DownloadResult> go() {
    return client_.download("/delivery", *disk_, dir_ / "partial", options_);
  }
  Code failure() {
    auto result = go();
    return result.ok() ? Code::kInternal : result.error().code;
  }
  void expect_whole() { EXPECT_TRUE(dir_.read("partial") == body_); }

  fakes::TempDir dir_;
  std::string body_;
  fakes::StaticOrigin origin_{dir_ / "origin"};
  std::unique_ptr<Disk> disk_ = make_posix_disk();
  DownloadOptions options_;
  Client client_ = Client::make({.base_url = origin_.url()}).value();
};

TEST_F(Download, Fetches) {
  std::uint64_t seen = 0;
  options_.progress = [&](std::uint64_t have) { seen = have; };
  auto result = go();
  ASSERT_TRUE(result.ok()) << result.error().describe();
  EXPECT_EQ(result->resumed_from, 0u);
  EXPECT_GT(result->received, body_.size());
  EXPECT_EQ(seen, body_.size());
  expect_whole();
}

TEST_F(Download, ResumesAfterACut) {
  origin_.misbehave(Misdeed::kCut, 100'000, 1);
  EXPECT_EQ(failure(), Code::kNetwork);
  EXPECT_EQ(dir_.read("partial").size(), 100'000u);
  auto result = go();
  ASSERT_TRUE(result.ok()) << result.error().describe();
  EXPECT_EQ(result->resumed_from, 100'000u);
  EXPECT_LT(result->received, 201'000u);
  EXPECT_LT(client_.bytes_received(), 302'000u);  // nothing crossed twice
  expect_whole();
}

TEST_F(Download, StartsOverWhereRangesAreUnknown) {
  dir_.write("partial", "rubbish");
  origin_.misbehave(Misdeed::kNoRange);
  auto result = go();
  ASSERT_TRUE(result.ok()) << result.error().describe();
  EXPECT_EQ(result->resumed_from, 0u);
  expect_whole();
}

TEST_F(Download, StartsOverWhenTooMuchIsThere) {
  dir_.write("partial", body_ + "x");
  ASSERT_TRUE(go().ok());
  expect_whole();
}

TEST_F(Download, WholeFileIsNotFetchedAgain) {
  dir_.write("partial", body_);
  ASSERT_TRUE(go().ok());
  EXPECT_EQ(origin_.requests(), 0u);
}

TEST_F(Download, SaysWhatIsWrong) {
  origin_.misbehave(Misdeed::kNotFound);
  EXPECT_EQ(failure(), Code::kNotFound);
  origin_.misbehave(Misdeed::kServerError);
  EXPECT_EQ(failure(), Code::kHttp);
  origin_.misbehave(Misdeed::kHtml);
  EXPECT_EQ(failure(), Code::kHttp);
  origin_.misbehave(Misdeed::kWrongLength);
  EXPECT_EQ(failure(), Code::kMismatch);
  origin_.misbehave(Misdeed::kShrunk);
  EXPECT_EQ(failure(), Code::kMismatch);
}

TEST_F(Download, FileThatChangedUnderUsIsNoticedByItsLength) {
  dir_.write("partial", body_.substr(0, 1000));
  dir_.write("origin/delivery", body_ + "more");
  EXPECT_EQ(failure(), Code::kMismatch);
  dir_.write("origin/delivery", "short");
  EXPECT_EQ(failure(), Code::kMismatch);  // 416
}

TEST_F(Download, EndlessBodyWritesNoMoreThanExpected) {
  origin_.misbehave(Misdeed::kEndless);
  EXPECT_EQ(failure(), Code::kMismatch);
  EXPECT_EQ(dir_.read("partial").size(), body_.size());
}

TEST_F(Download, SlowRetrievalIsATimeout) {
  options_.min_bytes_per_second = 1ULL << 50;
  options_.min_rate_window = std::chrono::milliseconds(0);
  auto result = go();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::kTimeout);
  EXPECT_NE(result.error().what.find("slow retrieval"), std::string::npos);
}

TEST_F(Download, ItsOwnRateIsNotCalledSlow) {
  options_.max_bytes_per_second = 3'000'000;
  options_.min_bytes_per_second = 1;
  ASSERT_TRUE(go().ok());
  expect_whole();
}

// At a byte per second the whole takes days: there is always time to stop it, while it pauses.
TEST_F(Download, HoldsItsOwnRateAndStopsMeanwhile) {
  std::atomic<bool> begun = false;
  std::stop_source stop;
  options_.max_bytes_per_second = 1;
  options_.stop = stop.get_token();
  options_.progress = [&](std::uint64_t) {
    begun = true;
    begun.notify_one();
  };
  std::jthread stopper([&] {
    begun.wait(false);
    stop.request_stop();
  });
  EXPECT_EQ(failure(), Code::kCancelled);
  begun = true;  // should it have failed before
  begun.notify_one();
}

TEST_F(Download, StopsOnRequest) {
  std::stop_source stop;
  options_.stop = stop.get_token();
  options_.progress = [&](std::uint64_t) { stop.request_stop(); };
  EXPECT_EQ(failure(), Code::kCancelled);
}

}  // namespace
}  // namespace lineside::http

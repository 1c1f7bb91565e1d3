// SPDX-License-Identifier: Apache-2.0
#include "seeder/origin_queue.h"

#include <gtest/gtest.h>

namespace lineside::seeder {
namespace {

constexpr UtcTime kNow{std::chrono::seconds(1'790'000'000)};
const Error kGone{Code::kHttp, "404 Not Found"};

TEST(OriginQueue, AGoodAnswerAboutTheMetadataEndsAnOlderFailureForPeople) {
  OriginQueue queue;
  EXPECT_TRUE(queue.heard("vision/2.0.0.json", kGone, kNow));
  EXPECT_EQ(queue.row().concerns, "vision/2.0.0.json");
  queue.heard(OriginQueue::kMetadata, ok(), kNow);
  EXPECT_EQ(queue.row().error + queue.row().concerns, "");
  EXPECT_EQ(queue.row().failed, kNow);
  EXPECT_FALSE(queue.heard("vision/2.0.0.json", kGone, kNow)) << "that is no news";
  EXPECT_EQ(queue.row().concerns, "vision/2.0.0.json") << "it goes on failing";
}

TEST(OriginQueue, AFailureOfOneBundleIsNoneOfAnother) {
  OriginQueue queue;
  queue.heard("vision/2.0.0.json", kGone, kNow);
  EXPECT_TRUE(queue.fails("vision/2.0.0.json"));
  EXPECT_FALSE(queue.fails("vision/1.0.0.json"));
  queue.heard(OriginQueue::kMetadata, kGone, kNow);
  EXPECT_TRUE(queue.fails("vision/1.0.0.json"));
  EXPECT_TRUE(queue.heard(OriginQueue::kMetadata, ok(), kNow)) << "the origin answers again";
  EXPECT_FALSE(queue.fails("vision/1.0.0.json"));
}

TEST(OriginQueue, FailuresOfThisMachineAreNoneOfTheOrigins) {
  OriginQueue queue;
  EXPECT_FALSE(queue.heard("vision/2.0.0.json", Error{Code::kNoSpace, "disk full"}, kNow));
  EXPECT_EQ(queue.row().error, "");
}

}  // namespace
}  // namespace lineside::seeder

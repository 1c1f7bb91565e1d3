// SPDX-License-Identifier: Apache-2.0
#include "node/time_floor.h"

#include <gtest/gtest.h>

namespace lineside::node {
namespace {

constexpr std::chrono::hours kDay{24};
constexpr UtcTime kNow = kBuildTime + 30 * kDay;

TEST(TimeFloor, FollowsWhatWasSigned) {
  EXPECT_EQ(raise_floor(kBuildTime, kNow, kNow - kDay), kNow - kDay);
  EXPECT_EQ(raise_floor(kBuildTime, kNow, kNow + kDay), kNow + kDay);
}

TEST(TimeFloor, NeverSinks) {
  EXPECT_EQ(raise_floor(kNow, kNow, kNow - kDay), kNow);
  EXPECT_EQ(raise_floor({}, kNow, {}), kBuildTime);
}

TEST(TimeFloor, ASignersFastClockDoesNotCarryIt) {
  EXPECT_EQ(raise_floor(kBuildTime, kNow, kNow + kDay + std::chrono::seconds(1)), kBuildTime);
}

TEST(TimeFloor, AClockBehindTheBuildIsNotBelieved) {
  EXPECT_EQ(raise_floor(kBuildTime, UtcTime{}, kNow), kNow);
  EXPECT_EQ(raise_floor(kBuildTime, kBuildTime - std::chrono::seconds(1), kNow + 500 * kDay),
            kNow + 500 * kDay);
}

}  // namespace
}  // namespace lineside::node

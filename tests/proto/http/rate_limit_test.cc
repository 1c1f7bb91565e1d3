// SPDX-License-Identifier: Apache-2.0
#include "proto/http/rate_limit.h"

#include <gtest/gtest.h>

namespace lineside::http {
namespace {

using std::chrono::seconds;

TEST(RateLimit, BurstThenRate) {
  RateLimit limit(2, 3);
  SteadyTime now{};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limit.allow("a", now));
  EXPECT_FALSE(limit.allow("a", now));
  EXPECT_TRUE(limit.allow("b", now));
  EXPECT_TRUE(limit.allow("a", now + seconds(1)));
  EXPECT_TRUE(limit.allow("a", now + seconds(1)));
  EXPECT_FALSE(limit.allow("a", now + seconds(1)));
}

TEST(RateLimit, ZeroMeansNone) {
  RateLimit limit(0, 0);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limit.allow("a", {}));
  EXPECT_EQ(limit.size(), 0u);
}

TEST(RateLimit, ForgetsStrangers) {
  RateLimit limit(1, 1);
  SteadyTime now{};
  for (int i = 0; i < 10'000; ++i) limit.allow(std::to_string(i), now + seconds(i));
  EXPECT_LE(limit.size(), 1024u);
}

}  // namespace
}  // namespace lineside::http

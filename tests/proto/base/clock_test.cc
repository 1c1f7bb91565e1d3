// SPDX-License-Identifier: Apache-2.0
#include "proto/base/clock.h"

#include <gtest/gtest.h>

namespace lineside {
namespace {

TEST(Utc, RoundTripsAcrossLeapDaysAndCenturies) {
  for (const char* text : {"1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "2026-11-22T19:13:23Z",
                           "9999-12-31T23:59:59Z"}) {
    auto time = parse_utc(text);
    ASSERT_TRUE(time.ok()) << text;
    EXPECT_EQ(format_utc(*time), text);
  }
}

TEST(Utc, RefusesEveryOtherForm) {
  for (const char* text : {"", "2026-11-22", "2026-11-22T19:13:23", "2026-11-22T19:13:23+00:00",
                           "2026-11-22T19:13:23.5Z", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z",
                           "2026-11-22T24:00:00Z", "2026-11-22t19:13:23Z", "1969-12-31T23:59:59Z",
                           " 2026-11-22T19:13:2Z"}) {
    EXPECT_EQ(parse_utc(text).error().code, Code::kMalformed) << text;
  }
}

}  // namespace
}  // namespace lineside

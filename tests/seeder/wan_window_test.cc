// SPDX-License-Identifier: Apache-2.0
#include "seeder/wan_window.h"

#include <gtest/gtest.h>

namespace lineside::seeder {
namespace {

using std::chrono::minutes;

constexpr MinuteOfDay at(int hour, int minute = 0) {
  return minutes(hour * 60 + minute);
}

WanWindow window(const std::vector<std::string>& spans) {
  auto parsed = WanWindow::parse(spans);
  EXPECT_TRUE(parsed.ok());
  return parsed.ok() ? *parsed : WanWindow();
}

TEST(WanWindowTest, WithoutSpansItIsAlwaysOpen) {
  EXPECT_TRUE(window({}).is_open(at(3)));
  EXPECT_EQ(window({}).opens_in(at(3)), minutes(0));
}

TEST(WanWindowTest, GoesPastMidnight) {
  WanWindow night = window({"22:00-05:30"});
  EXPECT_TRUE(night.is_open(at(22)));
  EXPECT_TRUE(night.is_open(at(0)));
  EXPECT_TRUE(night.is_open(at(5, 29)));
  EXPECT_FALSE(night.is_open(at(5, 30)));
  EXPECT_FALSE(night.is_open(at(21, 59)));
}

TEST(WanWindowTest, TellsWhenItOpensNext) {
  WanWindow two = window({"22:00-05:30", "12:00-13:00"});
  EXPECT_EQ(two.opens_in(at(6)), minutes(6 * 60));
  EXPECT_EQ(two.opens_in(at(13)), minutes(9 * 60));
  EXPECT_EQ(two.opens_in(at(12, 30)), minutes(0));
  EXPECT_EQ(window({"01:00-02:00"}).opens_in(at(23)), minutes(2 * 60));
}

TEST(WanWindowTest, RefusesWhatIsNoSpan) {
  for (const char* text : {"", "22:00", "22:00-", "22-05", "24:00-05:00", "22:60-05:00",
                           "22:00-22:00", "22:00_05:00", "22:00-05:300", " 2:00-05:00"}) {
    EXPECT_FALSE(WanWindow::parse({text}).ok()) << text;
  }
}

}  // namespace
}  // namespace lineside::seeder

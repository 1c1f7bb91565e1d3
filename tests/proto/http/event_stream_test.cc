// SPDX-License-Identifier: Apache-2.0
#include "proto/http/event_stream.h"

#include <gtest/gtest.h>

namespace lineside::http {
namespace {

TEST(EventStream, FormatsEveryLineOfData) {
  EXPECT_EQ(format_event("", "x", ""), "data: x\n\n");
  EXPECT_EQ(format_event("e", "a\nb\r\nc", "7"), "id: 7\nevent: e\ndata: a\ndata: b\ndata: c\n\n");
}

TEST(EventStream, CutsOffASlowSubscriber) {
  EventWriter writer;
  std::string data(100'000, 'x');
  int sent = 0;
  while (writer.send("e", data)) ++sent;
  EXPECT_EQ(sent, 10);
  EXPECT_FALSE(writer.open());
  EXPECT_TRUE(writer.take().ended);
}

TEST(EventStream, NothingWakesAfterDetach) {
  EventWriter writer;
  int woken = 0;
  writer.attach([&] { ++woken; });
  EXPECT_TRUE(writer.send("", "x"));
  writer.detach();
  EXPECT_FALSE(writer.send("", "y"));
  EXPECT_EQ(woken, 1);
}

}  // namespace
}  // namespace lineside::http

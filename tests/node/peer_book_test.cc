// SPDX-License-Identifier: Apache-2.0
#include "node/peer_book.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace lineside::node {
namespace {

std::string address(std::size_t number) {
  return "10.0." + std::to_string(number / 250) + "." + std::to_string(number % 250 + 1) + ":7445";
}

bool holds(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

TEST(PeerBook, TakesAddressesAndNothingElse) {
  PeerBook book({"10.0.0.1:7445", "nonsense"}, 1);
  EXPECT_EQ(book.size(), 1U);
  EXPECT_FALSE(book.add("10.0.0.1:7445"));
  EXPECT_FALSE(book.add("host.example:80"));
  EXPECT_FALSE(book.add("10.0.0.2:0"));
  EXPECT_TRUE(book.add("[fe80::1]:7445"));
}

TEST(PeerBook, StrangersDoNotPushOutWhoAnswered) {
  PeerBook book({address(0)}, 1);
  for (std::size_t i = 1; i < PeerBook::kMaxPeers; ++i) {
    ASSERT_TRUE(book.add(address(i)));
    if (i < 40) book.answered(address(i));
  }
  for (std::size_t i = 100; i < 1000; ++i) book.add(address(i));
  EXPECT_EQ(book.size(), PeerBook::kMaxPeers);
  EXPECT_EQ(book.good().size(), 39U);
  for (std::size_t i = 1; i < 40; ++i) EXPECT_TRUE(holds(book.good(), address(i)));
  // Who answered once and fails now is still better than a stranger.
  book.failed(address(7));
  book.add(address(2000));
  book.answered(address(7));
  EXPECT_TRUE(holds(book.good(), address(7)));
  // When all answer, nobody else is needed.
  for (std::size_t i = 0; i < 3000; ++i) book.answered(address(i));
  EXPECT_FALSE(book.add(address(5000)));
}

TEST(PeerBook, WhoHasNewsIsAskedFirstAndOnce) {
  PeerBook book({}, 1);
  for (std::size_t i = 0; i < 20; ++i) book.add(address(i));
  book.prefer(address(13));
  book.prefer(address(13));
  book.prefer(address(99));  // never introduced
  auto chosen = book.choose(2);
  ASSERT_EQ(chosen.size(), 2U);
  EXPECT_EQ(chosen.front(), address(13));
  EXPECT_NE(chosen.back(), address(13));
}

TEST(PeerBook, WhoFailsIsAskedRarelyButNotNever) {
  PeerBook book({}, 1);
  book.add(address(1));
  book.add(address(2));
  for (int i = 0; i < 50; ++i) book.failed(address(2));
  int good = 0;
  int bad = 0;
  for (int i = 0; i < 1000; ++i) {
    for (const std::string& one : book.choose(2)) ++(one == address(1) ? good : bad);
  }
  EXPECT_EQ(good, 1000);
  EXPECT_GT(bad, 0);
  EXPECT_LT(bad, 200);
}

TEST(PeerBook, WhoEverAnsweredIsWrittenDown) {
  PeerBook book({}, 1);
  book.add(address(1));
  book.add(address(2));
  book.answered(address(2));
  book.failed(address(2));  // the switch is off; it is still known tomorrow
  auto back = parse_peers(book.serialise());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, std::vector<std::string>{address(2)});
}

TEST(PeerBook, ReadsNoMoreThanItHolds) {
  std::string many = R"({"peers":[5,"nonsense")";
  for (std::size_t i = 0; i < 500; ++i) many += ",\"" + address(i) + "\"";
  auto peers = parse_peers(as_bytes(many + "]}"));
  ASSERT_TRUE(peers.ok());
  EXPECT_EQ(peers->size(), PeerBook::kMaxPeers);
  for (const char* bad : {"", "[]", "{}", R"({"peers":1})"}) {
    EXPECT_EQ(parse_peers(as_bytes(bad)).error().code, Code::kMalformed) << bad;
  }
}

}  // namespace
}  // namespace lineside::node

// SPDX-License-Identifier: Apache-2.0
#include "proto/swarm/handout.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace lineside::swarm {
namespace {

using Pieces = std::vector<std::uint32_t>;

TEST(Handout, NothingIsShownTwiceBeforeEverythingWasShownOnce) {
  Handout handout(40, {.ahead = 8, .unshared = 100});
  std::vector<Handout::Peer> peers;
  for (int i = 0; i < 4; ++i) peers.push_back(handout.join());
  std::set<std::uint32_t> seen;
  for (std::size_t turn = 0; seen.size() < 40; ++turn) {
    ASSERT_LT(turn, 100U);
    const Handout::Peer peer = peers[turn % 4];
    for (const std::uint32_t piece : handout.show(peer)) {
      if (seen.size() == 40) break;
      EXPECT_TRUE(seen.insert(piece).second) << piece;
      handout.sent(peer, piece);
    }
  }
}

TEST(Handout, RoomIsSharedAndOpensAsPiecesAreSent) {
  Handout handout(100, {.ahead = 8, .unshared = 100});
  const Handout::Peer a = handout.join();
  const Handout::Peer b = handout.join();
  EXPECT_EQ(handout.show(a), (Pieces{0, 1, 2, 3}));
  EXPECT_EQ(handout.show(b), (Pieces{4, 5, 6, 7}));
  EXPECT_EQ(handout.show(a), Pieces{});
  handout.sent(a, 1);
  EXPECT_EQ(handout.show(a), Pieces{8});
}

TEST(Handout, WhatAPeerAlreadyHasIsNotShown) {
  Handout handout(4, {.ahead = 8, .unshared = 100});
  const Handout::Peer a = handout.join();
  handout.has(a, 0);
  handout.has(a, 2);
  EXPECT_EQ(handout.show(a), (Pieces{1, 3}));
}

TEST(Handout, AfterTheFirstCopiesTheRarestAreShown) {
  Handout handout(3, {.ahead = 8, .unshared = 100});
  const Handout::Peer a = handout.join();
  const Handout::Peer b = handout.join();
  const Handout::Peer c = handout.join();
  handout.has_all(a);
  handout.has(b, 0);
  EXPECT_EQ(handout.show(c), (Pieces{1, 2, 0}));
}

TEST(Handout, WhatOnlyTheLostPeerWasShownIsShownAgain) {
  Handout handout(4, {.ahead = 2, .unshared = 100});
  const Handout::Peer a = handout.join();
  EXPECT_EQ(handout.show(a), (Pieces{0, 1}));
  handout.sent(a, 0);
  EXPECT_EQ(handout.show(a), Pieces{2});
  handout.leave(a);
  const Handout::Peer b = handout.join();
  EXPECT_EQ(handout.show(b), (Pieces{0, 1}));
}

TEST(Handout, WhoPassesNothingOnIsGivenNoMoreUntilHeDoes) {
  Handout handout(100, {.ahead = 4, .unshared = 2});
  const Handout::Peer miser = handout.join();
  const Handout::Peer other = handout.join();
  EXPECT_EQ(handout.show(miser), (Pieces{0, 1}));
  handout.sent(miser, 0);
  handout.sent(miser, 1);
  EXPECT_EQ(handout.show(miser), Pieces{});
  EXPECT_TRUE(handout.held().contains(miser));
  handout.has(other, 0);
  EXPECT_EQ(handout.show(miser), Pieces{2});
}

TEST(Handout, IfNobodyPassesAnythingOnEverybodyIsServed) {
  Handout handout(10, {.ahead = 4, .unshared = 2});
  const Handout::Peer a = handout.join();
  const Handout::Peer b = handout.join();
  std::size_t shown = 0;
  for (int turn = 0; turn < 20; ++turn) {
    for (const Handout::Peer peer : {a, b}) {
      for (const std::uint32_t piece : handout.show(peer)) {
        ++shown;
        handout.sent(peer, piece);
      }
    }
  }
  EXPECT_EQ(shown, 20U);
}

TEST(Handout, StrangersAndPiecesThatAreNoneChangeNothing) {
  Handout handout(2, {.ahead = 8, .unshared = 8});
  const Handout::Peer a = handout.join();
  handout.has(a, 7);
  handout.has(99, 0);
  handout.sent(99, 0);
  handout.leave(99);
  EXPECT_EQ(handout.show(99), Pieces{});
  EXPECT_EQ(handout.show(a), (Pieces{0, 1}));
}

}  // namespace
}  // namespace lineside::swarm

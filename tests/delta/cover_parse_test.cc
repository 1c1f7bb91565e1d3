// SPDX-License-Identifier: Apache-2.0
#include "delta/cover_parse.h"

#include <gtest/gtest.h>

#include "delta/stream_windows.h"
#include "tests/delta/trees.h"

namespace lineside::delta {
namespace {

using testing::edited;
using testing::noise;
using testing::words;

std::vector<Cover> parse(const std::string& before, const std::string& after) {
  auto sorted = SuffixArray::build(as_bytes(before));
  EXPECT_TRUE(sorted.ok());
  return parse_covers(**sorted, as_bytes(before), as_bytes(after), ParseCosts());
}

TEST(CoverParse, CoversAreSortedInsideAndApart) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    std::string before = seed % 2 == 0 ? words(8000, seed) : noise(8000, seed);
    std::string after = edited(before, seed, seed + 1);
    if (seed % 5 == 0) after = after.substr(after.size() / 2) + after;
    if (seed % 7 == 0) before.resize(before.size() / 3);
    std::uint64_t at = 0;
    for (const Cover& cover : parse(before, after)) {
      EXPECT_GT(cover.length, 0U);
      EXPECT_GE(cover.new_position, at);
      EXPECT_LE(cover.old_position + cover.length, before.size());
      at = cover.new_position + cover.length;
    }
    EXPECT_LE(at, after.size());
  }
}

TEST(CoverParse, OfEqualBuffersIsOne) {
  std::string text = noise(5000, 3);
  EXPECT_EQ(parse(text, text), (std::vector<Cover>{{0, 0, 5000}}));
}

TEST(CoverParse, OfNothingAreNone) {
  EXPECT_TRUE(parse("", "text").empty());
  EXPECT_TRUE(parse("text", "").empty());
}

TEST(CoverParse, GoesOnOverChangedBytesAndBehindInsertedOnes) {
  std::string before = noise(6000, 4);
  std::string after = before;
  after[1000] = static_cast<char>(after[1000] ^ 1);
  after.insert(3000, noise(500, 5));
  auto covers = parse(before, after);
  ASSERT_EQ(covers.size(), 2U);
  EXPECT_EQ(covers[0], (Cover{0, 0, 3000}));
  EXPECT_EQ(covers[1], (Cover{3000, 3500, 3000}));
}

TEST(CoverParse, TakesTheNearerOfEqualPlaces) {
  std::string piece = noise(40, 6);
  std::string before = piece + noise(50000, 7) + piece + noise(2000, 8);
  std::string after = before.substr(40, 50000) + noise(100, 9) + piece + before.substr(50080);
  for (const Cover& cover : parse(before, after)) EXPECT_GE(cover.old_position, 40U);
}

TEST(CoverParse, LeavesAShortPieceFromFarAwayInTheGap) {
  std::string before = noise(100000, 10);
  std::string after = before.substr(0, 1000) + noise(20, 11) + before.substr(90000, 5) +
                      noise(20, 12) + before.substr(1000, 1000);
  for (const Cover& cover : parse(before, after)) EXPECT_LT(cover.old_position, 2001U);
}

TEST(CoverParse, FollowsAMatchBackOverChangedBytes) {
  std::string before = noise(20000, 13);
  std::string moved = before.substr(15000, 400);
  moved[12] = static_cast<char>(moved[12] ^ 1);
  moved[25] = static_cast<char>(moved[25] ^ 1);
  std::string after = before.substr(0, 5000) + moved + before.substr(5000, 5000);
  auto covers = parse(before, after);
  ASSERT_EQ(covers.size(), 3U);
  EXPECT_EQ(covers[1], (Cover{15000, 5000, 400}));
}

TEST(StreamWindows, SmallStreamsGetAllTheyCanUse) {
  constexpr std::uint64_t kMemory = 14U << 20;
  std::vector<std::uint64_t> bytes = {0, 5000, 1'800'000, 400'000'000};
  auto windows = share_memory(bytes, kMemory, 64U << 10);
  EXPECT_EQ(windows[1].window_log, 13U);
  EXPECT_EQ(windows[2].window_log, 21U);
  EXPECT_EQ(windows[3].window_log, 23U);
  std::uint64_t lzma = 0;
  std::uint64_t mix = 0;
  for (std::size_t i = 1; i < bytes.size(); ++i) {
    lzma += (1ULL << windows[i].window_log) + (64U << 10);
    if (windows[i].mix_log != 0) mix += (1ULL << windows[i].mix_log) / 4 * 7 + (160U << 10);
  }
  EXPECT_LE(lzma, kMemory);
  EXPECT_LE(mix, kMemory);
}

}  // namespace
}  // namespace lineside::delta

// SPDX-License-Identifier: Apache-2.0
#include "delta/covers.h"

#include <gtest/gtest.h>

#include "delta/plan.h"
#include "delta/similarity.h"
#include "tests/delta/trees.h"

namespace lineside::delta {
namespace {

using testing::edited;
using testing::noise;
using testing::words;

Match longest_by_hand(BytesView data, BytesView wanted) {
  Match best;
  for (std::size_t i = 0; i < data.size(); ++i) {
    std::uint64_t length = 0;
    while (length < wanted.size() && i + length < data.size() &&
           data[i + length] == wanted[length]) {
      ++length;
    }
    if (length > best.length) best = {i, length};
  }
  return best;
}

TEST(SuffixArray, FindsTheLongestMatch) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::string text(random() % 60, 'a');
    for (char& c : text) c = static_cast<char>('a' + random() % 3);
    std::string wanted(random() % 12, 'a');
    for (char& c : wanted) c = static_cast<char>('a' + random() % 4);
    auto sorted = SuffixArray::build(as_bytes(text));
    ASSERT_TRUE(sorted.ok());
    Match match = (*sorted)->find(as_bytes(wanted));
    EXPECT_EQ(match.length, longest_by_hand(as_bytes(text), as_bytes(wanted)).length)
        << text << " " << wanted;
    EXPECT_EQ(text.substr(match.position, match.length), wanted.substr(0, match.length));
  }
}

TEST(SuffixArray, NearestMatchIsTakenAmongEqualOnes) {
  std::string piece = noise(20, 1);
  std::string text = piece + noise(300, 2) + piece + noise(300, 3) + piece;
  auto sorted = SuffixArray::build(as_bytes(text));
  ASSERT_TRUE(sorted.ok());
  for (auto [expected, position] : {std::pair{0, 0}, {250, 320}, {400, 320}, {600, 640}}) {
    auto matches = (*sorted)->find_near(as_bytes(piece), static_cast<std::uint64_t>(expected));
    EXPECT_EQ(matches.longest.length, 20U);
    EXPECT_EQ(matches.longest.position, static_cast<std::uint64_t>(position));
  }
}

TEST(Covers, AreSortedInsideAndApart) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    std::string before = seed % 2 == 0 ? words(8000, seed) : noise(8000, seed);
    std::string after = edited(before, seed, seed + 1);
    if (seed % 5 == 0) after = after.substr(after.size() / 2) + after;
    auto sorted = SuffixArray::build(as_bytes(before));
    ASSERT_TRUE(sorted.ok());
    for (unsigned threshold : {8U, 40U}) {
      std::uint64_t at = 0;
      for (const Cover& cover :
           find_covers(**sorted, as_bytes(before), as_bytes(after), threshold)) {
        EXPECT_GT(cover.length, 0U);
        EXPECT_GE(cover.new_position, at);
        EXPECT_LE(cover.old_position + cover.length, before.size());
        at = cover.new_position + cover.length;
      }
      EXPECT_LE(at, after.size());
    }
  }
}

TEST(Covers, OfEqualBuffersIsOne) {
  std::string text = noise(5000, 3);
  auto sorted = SuffixArray::build(as_bytes(text));
  ASSERT_TRUE(sorted.ok());
  auto covers = find_covers(**sorted, as_bytes(text), as_bytes(text), 8);
  EXPECT_EQ(covers, (std::vector<Cover>{{0, 0, 5000}}));
}

TEST(Covers, OfNothingAreNone) {
  auto sorted = SuffixArray::build({});
  ASSERT_TRUE(sorted.ok());
  EXPECT_TRUE(find_covers(**sorted, {}, as_bytes("text"), 8).empty());
}

Sketch sketch_of(const std::string& text) {
  Sketch sketch;
  sketch.update(as_bytes(text));
  sketch.finish();
  return sketch;
}

TEST(Similarity, GrowsWithWhatIsCommon) {
  std::string text = words(100000, 1);
  EXPECT_EQ(sketch_of(text).similarity(sketch_of(text)), 1.0);
  EXPECT_GT(sketch_of(text).similarity(sketch_of(edited(text, 20, 2))), 0.7);
  EXPECT_LT(sketch_of(text).similarity(sketch_of(words(100000, 3))), 0.05);
  EXPECT_EQ(sketch_of("").similarity(sketch_of("")), 0.0);
}

TEST(Similarity, NamesThatDifferInVersionAreAlike) {
  EXPECT_GT(name_similarity("lib/libx.so.1.2", "lib/libx.so.1.10.3"), 0.5);
  EXPECT_GT(name_similarity("a/run.py", "b/run.py"), 0.3);
  EXPECT_EQ(name_similarity("a/run.py", "a/stop.py"), 0.0);
}

trust::Entry entry(std::string path, const std::string& text) {
  trust::Entry result;
  result.path = std::move(path);
  result.mode = 0644;
  result.length = text.size();
  result.root = sha256(as_bytes(text));
  return result;
}

TEST(Plan, TakesTheBaseFileOfTheSamePathFirst) {
  trust::Listing base{{entry("a", "text"), entry("b", "text"), entry("c", "other")}};
  trust::Listing target{{entry("b", "text"), entry("d", "text"), entry("e", "new"),
                         entry("f", "new"), entry("g", "")}};
  TreePlan plan = plan_tree(base, target);
  EXPECT_EQ(plan.files[0].origin, Origin::kSame);
  EXPECT_EQ(plan.files[0].source, 1U);
  EXPECT_EQ(plan.files[1].source, 0U);
  EXPECT_EQ(plan.files[2].origin, Origin::kCoded);
  EXPECT_EQ(plan.files[3].origin, Origin::kTwin);
  EXPECT_EQ(plan.files[3].source, 2U);
  EXPECT_EQ(plan.files[4].origin, Origin::kEmpty);
  EXPECT_EQ(plan.coded, std::vector<std::uint32_t>{2});
}

// A root does not bind a length: an equal root with another length is another file.
TEST(Plan, EqualRootWithAnotherLengthIsAnotherFile) {
  trust::Entry forged = entry("a", "text");
  forged.length = 64;
  TreePlan plan = plan_tree({{entry("a", "text")}}, {{forged}});
  EXPECT_EQ(plan.files[0].origin, Origin::kCoded);
}

}  // namespace
}  // namespace lineside::delta

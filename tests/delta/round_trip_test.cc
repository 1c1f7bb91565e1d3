// SPDX-License-Identifier: Apache-2.0
// From one tree to another and nowhere else.
#include <gtest/gtest.h>

#include <algorithm>

#include "delta/inspect.h"
#include "proto/trust/merkle.h"
#include "tests/delta/trees.h"

namespace lineside::delta {
namespace {

using testing::edited;
using testing::expect_round_trip;
using testing::file;
using testing::folder;
using testing::link;
using testing::noise;
using testing::Pair;
using testing::Tree;
using testing::words;

const FileCost* cost_of(const DeliverySummary& summary, const std::string& path) {
  auto found = std::find_if(summary.files.begin(), summary.files.end(),
                            [&](const FileCost& cost) { return cost.path == path; });
  return found == summary.files.end() ? nullptr : &*found;
}

TEST(RoundTrip, NothingToNothing) {
  Pair pair({}, {});
  DeliverySummary summary = expect_round_trip(pair);
  EXPECT_LT(summary.length, 200U);
}

TEST(RoundTrip, UnchangedFilesCostNothing) {
  Tree tree{{"a", file(noise(100000, 1))}, {"d", folder()}, {"d/b", file(words(5000, 2), 0755)}};
  Pair pair(tree, tree);
  DeliverySummary summary = expect_round_trip(pair);
  EXPECT_LT(summary.length, 200U);
  EXPECT_EQ(cost_of(summary, "a")->method, "same");
  EXPECT_EQ(cost_of(summary, "a")->bytes, 0U);
}

TEST(RoundTrip, FullDeliveryHasTheEmptyTreeAsBase) {
  Pair pair({}, {{"a", file(words(200000, 1))}, {"b", file(noise(3000, 2))}, {"c", file("")}});
  auto made = make_delivery(Pair::quick(), *pair.disk, std::nullopt,
                            {pair.new_dir(), pair.new_listing}, pair.delivery());
  ASSERT_TRUE(made.ok());
  auto applied =
      apply_delivery(*pair.disk, pair.delivery(), {}, "", pair.new_listing, pair.out(), {});
  ASSERT_TRUE(applied.ok()) << applied.error().describe();
  EXPECT_TRUE(testing::read_tree(pair.out()) == testing::read_tree(pair.new_dir()));
  auto info = inspect(*pair.disk, pair.delivery());
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->base, sha256({}));
}

TEST(RoundTrip, EditedFileCostsItsEdits) {
  std::string text = noise(300000, 3);
  Pair pair({{"lib.so", file(text)}}, {{"lib.so", file(edited(text, 10, 4))}});
  DeliverySummary summary = expect_round_trip(pair);
  EXPECT_LT(summary.length, 1500U);
  EXPECT_EQ(cost_of(summary, "lib.so")->base, "lib.so");
}

TEST(RoundTrip, RenamedFileIsFree) {
  Pair pair({{"old-name", file(noise(50000, 5))}}, {{"new-name", file(noise(50000, 5))}});
  DeliverySummary summary = expect_round_trip(pair);
  EXPECT_EQ(cost_of(summary, "new-name")->method, "same");
  EXPECT_EQ(cost_of(summary, "new-name")->base, "old-name");
}

TEST(RoundTrip, MovedAndEditedFileFindsItsBase) {
  std::string text = words(300000, 6);
  Pair pair({{"lib", folder()}, {"lib/x", file(text)}, {"lib/y", file(words(300000, 7))}},
            {{"opt", folder()}, {"opt/z", file(edited(text, 20, 8))}});
  DeliverySummary summary = expect_round_trip(pair);
  EXPECT_EQ(cost_of(summary, "opt/z")->base, "lib/x");
  EXPECT_LT(summary.length, 4000U);
}

TEST(RoundTrip, EqualNewFilesTravelOnce) {
  std::string text = noise(100000, 9);
  Pair pair({}, {{"a", file(text)}, {"b", file(text, 0755)}, {"c", file(text)}});
  DeliverySummary summary = expect_round_trip(pair);
  EXPECT_LT(summary.length, 101000U);
  EXPECT_EQ(cost_of(summary, "b")->method, "twin");
}

TEST(RoundTrip, SmallChangedFilesArePacked) {
  Tree old_tree;
  Tree new_tree;
  for (unsigned i = 0; i < 30; ++i) {
    std::string text = words(3000, 100 + i);
    old_tree["f" + std::to_string(i)] = file(text);
    new_tree["f" + std::to_string(i)] = file(edited(text, 1, 200 + i));
  }
  Pair pair(old_tree, new_tree);
  DeliverySummary summary = expect_round_trip(pair);
  EXPECT_LT(summary.length, 2500U);
  EXPECT_TRUE(std::any_of(summary.files.begin(), summary.files.end(), [](const FileCost& cost) {
    return cost.method.find("packed") != std::string::npos;
  }));
}

TEST(RoundTrip, TypesChangeInPlace) {
  Pair pair({{"a", file("was a file")},
             {"b", folder()},
             {"b/x", file("inside")},
             {"c", link("a")},
             {"d", folder()},
             {"e", file("linked soon")}},
            {{"a", folder()},
             {"a/x", file("now inside")},
             {"b", link("a/x")},
             {"c", file("was a link")},
             {"d", file("was a folder")},
             {"e", link("d")}});
  expect_round_trip(pair);
}

TEST(RoundTrip, WhatIsKeptReadOnlySharesNoWritableFile) {
  Pair pair({{"a", file("same")}}, {{"a", file("same")}, {"b", file("new", 0755)}});
  ASSERT_TRUE(pair.make().ok());
  ApplyOptions options;
  options.read_only = true;
  auto applied = pair.apply(options);
  ASSERT_TRUE(applied.ok()) << applied.error().describe();
  EXPECT_EQ((*pair.disk->stat(pair.out() / "a"))->mode, 0444U);
  EXPECT_EQ((*pair.disk->stat(pair.out() / "b"))->mode, 0555U);
  EXPECT_EQ((*pair.disk->stat(pair.old_dir() / "a"))->mode, 0644U);
  EXPECT_NE((*pair.disk->stat(pair.out() / "a"))->inode,
            (*pair.disk->stat(pair.old_dir() / "a"))->inode);
  auto differences = verify_tree(*pair.disk, pair.out(), pair.new_listing, 1);
  ASSERT_TRUE(differences.ok());
  EXPECT_TRUE(differences->empty());
  // Other bits count as ever.
  ASSERT_TRUE(pair.disk->set_mode(pair.out() / "b", 0444).ok());
  EXPECT_EQ(verify_tree(*pair.disk, pair.out(), pair.new_listing, 1)->size(), 1U);
}

TEST(RoundTrip, ModeAloneChangesAndTheBaseKeepsItsOwn) {
  Pair pair({{"run.sh", file(words(5000, 1), 0644)}}, {{"run.sh", file(words(5000, 1), 0755)}});
  expect_round_trip(pair);
}

TEST(RoundTrip, ReadOnlyFilesAndFoldersArePossible) {
  Pair pair({{"f", file("one", 0444)}, {"ro", folder(0555)}, {"ro/x", file(words(900, 1), 0400)}},
            {{"f", file("two", 0444)}, {"ro", folder(0555)}, {"ro/x", file(words(901, 1), 0400)}});
  expect_round_trip(pair);
  for (const char* name : {"old/ro", "new/ro", "out/ro"}) {
    std::filesystem::permissions(pair.dir / name, std::filesystem::perms::owner_all);
  }
}

TEST(RoundTrip, EmptyFilesComeAndGo) {
  Pair pair({{"a", file("")}, {"b", file("x")}, {"c", file("")}},
            {{"a", file("x")}, {"b", file("")}, {"c", file("")}, {"d", file("")}});
  expect_round_trip(pair);
}

TEST(RoundTrip, LargeFileHasWindowsWithHashes) {
  std::string text = noise((4 << 20) + 9999, 11);
  Pair pair({{"image", file(text)}}, {{"image", file(edited(text, 40, 12))}});
  DeliverySummary summary = expect_round_trip(pair);
  EXPECT_LT(summary.length, 10000U);
}

TEST(RoundTrip, RandomTrees) {
  for (unsigned seed = 0; seed < 12; ++seed) {
    std::mt19937 random(seed);
    Tree old_tree;
    Tree new_tree;
    for (unsigned i = 0; i < 25; ++i) {
      std::string name = "n" + std::to_string(i);
      std::string text = random() % 2 != 0 ? words(random() % 20000, seed * 100 + i)
                                           : noise(random() % 9000, seed * 100 + i);
      std::uint32_t mode = random() % 2 != 0 ? 0644 : 0755;
      if (random() % 6 != 0) old_tree[name] = file(text, mode);
      switch (random() % 6) {
        case 0:
          break;
        case 1:
          new_tree[name] = file(text, mode);
          break;
        case 2:
          new_tree["moved" + name] = file(edited(text, 2, i));
          break;
        case 3:
          new_tree[name] = link("n1");
          break;
        default:
          new_tree[name] = file(edited(text, random() % 9, i));
          break;
      }
    }
    Pair pair(old_tree, new_tree);
    expect_round_trip(pair);
  }
}

TEST(RoundTrip, EveryEffortAndCodecWorks) {
  std::string text = words(100000, 13);
  for (int effort : {1, 2, 3}) {
    for (bool lzma : {false, true}) {
      Pair pair({{"a", file(text)}, {"s", file(words(900, 1))}}, {{"a", file(edited(text, 50, 14))},
                                                                  {"s", file(words(901, 1))},
                                                                  {"new", file(words(70000, 2))}});
      MakeOptions options;
      options.effort = effort;
      options.lzma = lzma;
      expect_round_trip(pair, options);
    }
  }
}

TEST(RoundTrip, TheSameInputGivesTheSameBytes) {
  std::string text = words(300000, 15);
  Tree old_tree{{"a", file(text)}, {"b", file(noise(400000, 1))}, {"c", file(words(1000, 2))}};
  Tree new_tree{{"a", file(edited(text, 9, 3))},
                {"b", file(edited(noise(400000, 1), 5, 4))},
                {"c", file(words(1001, 2))},
                {"n", file(words(2000, 5))}};
  Pair pair(old_tree, new_tree);
  MakeOptions options = Pair::quick();
  options.threads = 1;
  ASSERT_TRUE(pair.make(options).ok());
  std::string first = pair.dir.read("delivery");
  std::filesystem::remove(pair.delivery());
  options.threads = 4;
  ASSERT_TRUE(pair.make(options).ok());
  EXPECT_EQ(pair.dir.read("delivery"), first);
}

TEST(RoundTrip, SummaryNamesTheRootOfTheDelivery) {
  Pair pair({}, {{"a", file(noise(40000, 1))}});
  auto made = pair.make();
  ASSERT_TRUE(made.ok());
  auto input = pair.disk->open(pair.delivery());
  ASSERT_TRUE(input.ok());
  auto facts = trust::hash_file(**input, 1);
  ASSERT_TRUE(facts.ok());
  EXPECT_EQ(facts->root, made->root);
  EXPECT_EQ(facts->length, made->length);
}

}  // namespace
}  // namespace lineside::delta

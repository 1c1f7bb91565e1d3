// SPDX-License-Identifier: Apache-2.0
// Applying that was cut off, and goes on.
#include <gtest/gtest.h>

#include "tests/delta/trees.h"

namespace lineside::delta {
namespace {

using testing::edited;
using testing::file;
using testing::folder;
using testing::link;
using testing::noise;
using testing::Pair;
using testing::words;

Pair some_pair() {
  return {{{"a", file(noise(300000, 1))}, {"b", file(words(90000, 2))}, {"same", file("same")}},
          {{"a", file(edited(noise(300000, 1), 9, 3))},
           {"b", file(edited(words(90000, 2), 9, 4))},
           {"d", folder(0555)},
           {"d/l", link("../a")},
           {"same", file("same")}}};
}

TEST(Resume, StoppedApplyLeavesNothingAndGoesOn) {
  Pair pair = some_pair();
  ASSERT_TRUE(pair.make().ok());
  std::stop_source stop;
  Progress stop_midway = [&](std::uint64_t done, std::uint64_t total) {
    if (done > total / 2) stop.request_stop();
  };
  auto applied = apply_delivery(*pair.disk, pair.delivery(), pair.old_listing, pair.old_dir(),
                                pair.new_listing, pair.out(), {}, stop_midway, stop.get_token());
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code, Code::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(pair.out()));
  auto again = pair.apply();
  ASSERT_TRUE(again.ok()) << again.error().describe();
  EXPECT_TRUE(testing::read_tree(pair.out()) == testing::read_tree(pair.new_dir()));
  std::filesystem::permissions(pair.out() / "d", std::filesystem::perms::owner_all);
  std::filesystem::permissions(pair.new_dir() / "d", std::filesystem::perms::owner_all);
}

TEST(Resume, WholeFilesAreKeptAndDamagedOnesAreMadeAgain) {
  Pair pair = some_pair();
  ASSERT_TRUE(pair.make().ok());
  Path partial = partial_path(pair.out());
  std::filesystem::create_directories(partial / "extra/deep");
  std::filesystem::copy(pair.new_dir() / "a", partial / "a");
  pair.dir.write(".out.partial/b", "cut");
  pair.dir.write(".out.partial/extra/deep/file", "of another version");
  auto applied = pair.apply();
  ASSERT_TRUE(applied.ok()) << applied.error().describe();
  EXPECT_EQ(applied->kept_files, 1U);
  EXPECT_TRUE(testing::read_tree(pair.out()) == testing::read_tree(pair.new_dir()));
}

TEST(Resume, FinishedTreeThatWasNotRenamedIsOnlyVerified) {
  Pair pair = some_pair();
  ASSERT_TRUE(pair.make().ok());
  ASSERT_TRUE(pair.apply().ok());
  std::filesystem::rename(pair.out(), partial_path(pair.out()));
  auto applied = pair.apply();
  ASSERT_TRUE(applied.ok()) << applied.error().describe();
  EXPECT_EQ(applied->kept_files, applied->files);
  EXPECT_EQ(applied->coded_bytes, 0U);
}

TEST(Resume, ExistingOutputIsNotTouched) {
  Pair pair = some_pair();
  ASSERT_TRUE(pair.make().ok());
  pair.dir.write("out/precious", "mine");
  auto applied = pair.apply();
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code, Code::kExists);
  EXPECT_EQ(pair.dir.read("out/precious"), "mine");
}

TEST(Resume, CancelledMakingLeavesNoFile) {
  Pair pair = some_pair();
  std::stop_source stop;
  stop.request_stop();
  auto made =
      make_delivery(Pair::quick(), *pair.disk, TreeOnDisk{pair.old_dir(), pair.old_listing},
                    {pair.new_dir(), pair.new_listing}, pair.delivery(), {}, stop.get_token());
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, Code::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(pair.delivery()));
  EXPECT_FALSE(std::filesystem::exists(partial_path(pair.delivery())));
}

TEST(Make, FileThatIsNotAsListedIsRefused) {
  Pair pair = some_pair();
  pair.dir.write("new/a", noise(300000, 77));
  auto made = pair.make();
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, Code::kMismatch);
}

TEST(Make, ExistingOutputIsNotOverwritten) {
  Pair pair = some_pair();
  pair.dir.write("delivery", "mine");
  auto made = pair.make();
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, Code::kExists);
}

TEST(Make, ProgressEndsAtTheTotal) {
  Pair pair = some_pair();
  std::uint64_t last = 0;
  std::uint64_t whole = 1;
  auto made = make_delivery(Pair::quick(), *pair.disk, TreeOnDisk{pair.old_dir(), pair.old_listing},
                            {pair.new_dir(), pair.new_listing}, pair.delivery(),
                            [&](std::uint64_t done, std::uint64_t total) {
                              EXPECT_GE(done, last);
                              last = done;
                              whole = total;
                            });
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(last, whole);
}

}  // namespace
}  // namespace lineside::delta

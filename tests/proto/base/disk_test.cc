// SPDX-License-Identifier: Apache-2.0
#include "proto/base/disk.h"

#include <gtest/gtest.h>

#include "tests/fakes/temp_dir.h"

namespace lineside {
namespace {

class PosixDiskTest : public ::testing::Test {
 protected:
  fakes::TempDir dir_;
  std::unique_ptr<Disk> disk_ = make_posix_disk();
};

TEST_F(PosixDiskTest, ReplaceLeavesNothingButTheFile) {
  dir_.write("a", "old");
  ASSERT_TRUE(disk_->replace(dir_ / "a", as_bytes("new"), 0600).ok());
  EXPECT_EQ(dir_.read("a"), "new");
  EXPECT_EQ(disk_->list(dir_.path())->size(), 1U);
  EXPECT_EQ((*disk_->stat(dir_ / "a"))->mode, 0600U);
}

TEST_F(PosixDiskTest, ReplaceInAMissingFolderNamesThePath) {
  auto done = disk_->replace(dir_ / "no/a", as_bytes("x"));
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, Code::kNotFound);
  EXPECT_NE(done.error().what.find("no/a"), std::string::npos);
}

TEST_F(PosixDiskTest, ReadRefusesMoreThanAsked) {
  dir_.write("a", "12345");
  EXPECT_EQ(disk_->read(dir_ / "a", 4).error().code, Code::kTooLarge);
  EXPECT_EQ(as_text(*disk_->read(dir_ / "a", 5)), "12345");
}

TEST_F(PosixDiskTest, DoesNotFollowALinkInTheLastComponent) {
  dir_.write("secret", "x");
  ASSERT_TRUE(disk_->make_link("secret", dir_ / "link").ok());
  EXPECT_EQ(disk_->open(dir_ / "link").error().code, Code::kDenied);
  EXPECT_EQ((*disk_->stat(dir_ / "link"))->type, FileType::kLink);
}

TEST_F(PosixDiskTest, CreateRefusesAnExistingName) {
  dir_.write("a", "x");
  EXPECT_EQ(disk_->create(dir_ / "a", 0644).error().code, Code::kExists);
}

TEST_F(PosixDiskTest, ReplaceLinkSwitchesInOneStep) {
  ASSERT_TRUE(disk_->make_link("slots/a", dir_ / "current").ok());
  ASSERT_TRUE(disk_->replace_link("slots/b", dir_ / "current").ok());
  EXPECT_EQ(*disk_->read_link(dir_ / "current"), "slots/b");
  EXPECT_EQ(disk_->list(dir_.path())->size(), 1U);
}

TEST_F(PosixDiskTest, ExchangeGivesEachTheOthersName) {
  dir_.write("a/file", "one");
  dir_.write("b/file", "other");
  ASSERT_TRUE(disk_->exchange(dir_ / "a", dir_ / "b").ok());
  EXPECT_EQ(dir_.read("a/file"), "other");
  EXPECT_EQ(dir_.read("b/file"), "one");
  EXPECT_EQ(disk_->exchange(dir_ / "a", dir_ / "c").error().code, Code::kNotFound);
  EXPECT_EQ(dir_.read("a/file"), "other");
}

TEST_F(PosixDiskTest, ShareGivesTheSameBytesUnderANewName) {
  dir_.write("a", "shared");
  ASSERT_TRUE(disk_->share(dir_ / "a", dir_ / "b").ok());
  EXPECT_EQ(dir_.read("b"), "shared");
  EXPECT_EQ(disk_->share(dir_ / "a", dir_ / "b").error().code, Code::kExists);
}

TEST_F(PosixDiskTest, ShareNeitherTouchesATakenNameNorLeavesAnythingElse) {
  dir_.write("a", "new");
  dir_.write("d/b", "old");
  EXPECT_EQ(disk_->share(dir_ / "a", dir_ / "d/b").error().code, Code::kExists);
  EXPECT_EQ(dir_.read("d/b"), "old");
  EXPECT_EQ(disk_->share(dir_ / "none", dir_ / "d/c").error().code, Code::kNotFound);
  EXPECT_EQ(disk_->share(dir_ / "a", dir_ / "no/c").error().code, Code::kNotFound);
  EXPECT_EQ(disk_->list(dir_ / "d")->size(), 1U);
}

TEST_F(PosixDiskTest, ShareKeepsTheMode) {
  dir_.write("a", "x");
  ASSERT_TRUE(disk_->set_mode(dir_ / "a", 0555).ok());
  ASSERT_TRUE(disk_->share(dir_ / "a", dir_ / "b").ok());
  EXPECT_EQ((*disk_->stat(dir_ / "b"))->mode, 0555U);
}

TEST_F(PosixDiskTest, RemoveTreeTakesReadOnlyFolders) {
  dir_.write("t/ro/file", "x");
  ASSERT_TRUE(disk_->set_mode(dir_ / "t/ro", 0555).ok());
  ASSERT_TRUE(disk_->remove_tree(dir_ / "t").ok());
  EXPECT_FALSE((*disk_->stat(dir_ / "t")).has_value());
  EXPECT_TRUE(disk_->remove_tree(dir_ / "t").ok());
}

TEST_F(PosixDiskTest, WritesBeyondFourGibibytes) {
  constexpr std::uint64_t kFar = 5ULL << 30;
  {
    auto file = disk_->create(dir_ / "sparse", 0644);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->write_at(kFar, as_bytes("end")).ok());
  }
  auto file = disk_->open(dir_ / "sparse");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->size(), kFar + 3);
  Bytes tail(8);
  auto count = (*file)->read_at(kFar, tail);
  ASSERT_TRUE(count.ok());
  EXPECT_EQ(*count, 3U);
}

}  // namespace
}  // namespace lineside

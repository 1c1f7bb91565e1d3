// SPDX-License-Identifier: Apache-2.0
#include "proto/base/state_lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>

#include "tests/fakes/temp_dir.h"

namespace lineside {
namespace {

TEST(StateLock, IsForOneAtATime) {
  fakes::TempDir dir;
  auto disk = make_posix_disk();
  auto first = StateLock::take(*disk, dir / "state");
  ASSERT_TRUE(first.ok()) << first.error().what;
  auto second = StateLock::take(*disk, dir / "state");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Code::kConflict);
  for (const std::string& word :
       {(dir / "state").string(), std::to_string(::getpid()), std::string("stop that one first")}) {
    EXPECT_NE(second.error().what.find(word), std::string::npos) << second.error().what;
  }
  EXPECT_TRUE(StateLock::take(*disk, dir / "other").ok());
  { std::optional<StateLock> moved(std::move(*first)); }
  EXPECT_TRUE(StateLock::take(*disk, dir / "state").ok());
}

TEST(StateLock, WhatTheFileSaysGoesToNoTerminal) {
  fakes::TempDir dir;
  auto disk = make_posix_disk();
  auto held = StateLock::take(*disk, dir / "state");
  ASSERT_TRUE(held.ok());
  dir.write("state/lock", "\x1b[2J7");
  auto refused = StateLock::take(*disk, dir / "state");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().what.find('\x1b'), std::string::npos);
  EXPECT_NE(refused.error().what.find("another process"), std::string::npos);
}

TEST(StateLock, WhetherItIsTakenIsSeenWithoutTakingIt) {
  fakes::TempDir dir;
  auto disk = make_posix_disk();
  auto taken = [&dir] {
    auto answer = StateLock::is_taken(dir / "state");
    EXPECT_TRUE(answer.ok());
    return answer.ok() && *answer;
  };
  EXPECT_FALSE(taken());
  EXPECT_FALSE(std::filesystem::exists(dir / "state"));
  {
    auto held = StateLock::take(*disk, dir / "state");
    ASSERT_TRUE(held.ok());
    EXPECT_TRUE(taken());
  }
  EXPECT_FALSE(taken()) << "the file that stays is no lock";
}

TEST(StateLock, ALinkInItsPlaceIsNotFollowed) {
  fakes::TempDir dir;
  auto disk = make_posix_disk();
  const Path other = dir.write("other", "kept");
  std::filesystem::create_directories(dir / "state");
  std::filesystem::create_symlink(other, dir / "state/lock");
  EXPECT_FALSE(StateLock::take(*disk, dir / "state").ok());
  EXPECT_EQ(dir.read("other"), "kept");
}

}  // namespace
}  // namespace lineside

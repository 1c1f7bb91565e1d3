// SPDX-License-Identifier: Apache-2.0
#include "seeder/page/sessions.h"

#include <gtest/gtest.h>

#include "tests/fakes/manual_clock.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::seeder {
namespace {

struct SessionsTest : ::testing::Test {
  fakes::TempDir dir;
  std::unique_ptr<Disk> disk = make_posix_disk();
  fakes::ManualClock clock{UtcTime(std::chrono::hours(500'000))};
  Users users{*disk, dir / "users"};
  Sessions sessions = open();

  void SetUp() override {
    ASSERT_TRUE(add_user(*disk, dir / "users", "anna", "correct horse battery").ok());
  }
  Sessions open() { return {*disk, dir / "page/sessions", users, clock, std::chrono::hours(12)}; }
  std::string log_in() {
    auto token = sessions.log_in("anna", "correct horse battery");
    EXPECT_TRUE(token.ok() && *token);
    return token.ok() && *token ? **token : "";
  }
};

TEST_F(SessionsTest, ATokenIsForItsUserAndUnlikeAnyOther) {
  std::string first = log_in();
  std::string second = log_in();
  EXPECT_EQ(first.size(), 64U);
  EXPECT_NE(first, second);
  EXPECT_EQ(sessions.user_of(first), "anna");
  EXPECT_FALSE(sessions.user_of(std::string(64, '0')));
  EXPECT_FALSE(sessions.user_of(""));
}

TEST_F(SessionsTest, RefusesWrongPassphrasesAndStrangersAlike) {
  EXPECT_FALSE(*sessions.log_in("anna", "correct horse batterz"));
  EXPECT_FALSE(*sessions.log_in("mallory", "correct horse battery"));
  EXPECT_FALSE(*sessions.log_in("", ""));
}

TEST_F(SessionsTest, OutlivesARestartButTheFileHoldsNoToken) {
  std::string token = log_in();
  Sessions again = open();
  EXPECT_EQ(again.user_of(token), "anna");
  EXPECT_EQ(dir.read("page/sessions").find(token), std::string::npos);
  EXPECT_EQ((*disk->stat(dir / "page/sessions"))->mode & 0777U, 0600U);
}

TEST_F(SessionsTest, EndsWithItsTime) {
  std::string token = log_in();
  clock.advance(std::chrono::hours(12) - std::chrono::seconds(1));
  EXPECT_TRUE(sessions.user_of(token));
  clock.advance(std::chrono::seconds(1));
  EXPECT_FALSE(sessions.user_of(token));
}

TEST_F(SessionsTest, EndsWithTheUserAndWithANewPassphrase) {
  std::string token = log_in();
  ASSERT_TRUE(add_user(*disk, dir / "users", "anna", "another passphrase").ok());
  EXPECT_FALSE(sessions.user_of(token));
  std::string fresh = **sessions.log_in("anna", "another passphrase");
  ASSERT_TRUE(remove_user(*disk, dir / "users", "anna").ok());
  EXPECT_FALSE(sessions.user_of(fresh));
}

TEST_F(SessionsTest, EndsAtLogoutAndStaysEndedAfterARestart) {
  std::string token = log_in();
  std::string other = log_in();
  ASSERT_TRUE(sessions.log_out(token).ok());
  EXPECT_FALSE(sessions.user_of(token));
  EXPECT_TRUE(sessions.user_of(other));
  EXPECT_FALSE(open().user_of(token));
}

TEST_F(SessionsTest, ADamagedFileIsNoSession) {
  std::string token = log_in();
  dir.write("page/sessions", "zz " + dir.read("page/sessions"));
  EXPECT_FALSE(open().user_of(token));
}

}  // namespace
}  // namespace lineside::seeder

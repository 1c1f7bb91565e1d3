// SPDX-License-Identifier: Apache-2.0
#include "seeder/page/users.h"

#include <gtest/gtest.h>

#include "tests/fakes/temp_dir.h"

namespace lineside::seeder {
namespace {

// Argon2id of "correct horse battery" that is cheap enough for a test.
constexpr const char* kHash =
    "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$Y2hlYXBoYXNoY2hlYXBoYXNoY2hlYXBoYXNoY2g";

std::string what(std::string_view text) {
  auto users = parse_users(text, "users");
  return users.ok() ? "" : users.error().what;
}

TEST(Users, ReadsNamesAndHashesAndLeavesCommentsAlone) {
  std::string text =
      std::string("# people of plant 7\n\nanna ") + kHash + "\nbert " + kHash + "\r\n";
  auto users = parse_users(text, "users");
  ASSERT_TRUE(users.ok()) << users.error().describe();
  EXPECT_EQ(users->size(), 2U);
  EXPECT_EQ(users->at("bert"), kHash);
}

TEST(Users, NamesFileAndLineOfEveryMistake) {
  std::string good = std::string("anna ") + kHash + "\n";
  EXPECT_EQ(what(good + "Bert x\n").substr(0, 8), "users:2:");
  EXPECT_NE(what("\n# x\nbert\n").find("users:3: expected an Argon2id hash"), std::string::npos);
  EXPECT_NE(what(good + good).find("users:2: a second line for 'anna'"), std::string::npos);
}

TEST(Users, RefusesHashesThatAreWeakerFormsOrAskForTooMuch) {
  for (const char* hash :
       {"$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$Y2hlYXBoYXNo", "plain-passphrase",
        "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$Y2hlYXBoYXNo",
        "$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$Y2hlYXBoYXNo", "$argon2id$v=19$m=64,t=1,p=1$$",
        "$argon2id$v=16$m=64,t=1,p=1$a$b"}) {
    EXPECT_NE(what(std::string("anna ") + hash), "") << hash;
    EXPECT_FALSE(passphrase_matches(hash, "plain-passphrase")) << hash;
  }
}

TEST(Users, EditingChangesOneLineAndNothingElse) {
  std::string text = std::string("# staff\nanna ") + kHash + "\nbert " + kHash + "\n";
  EXPECT_EQ(edit_users(text, "anna", "new"),
            std::string("# staff\nanna new\nbert ") + kHash + "\n");
  EXPECT_EQ(edit_users(text, "anna", std::nullopt), std::string("# staff\nbert ") + kHash + "\n");
  EXPECT_EQ(edit_users(text, "carl", "new"), text + "carl new\n");
}

TEST(Users, AHashFitsItsOwnPassphraseOnly) {
  auto hash = hash_passphrase("correct horse battery");
  ASSERT_TRUE(hash.ok());
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=65536,t=3,p=4$"));
  EXPECT_TRUE(passphrase_matches(*hash, "correct horse battery"));
  EXPECT_FALSE(passphrase_matches(*hash, "correct horse batterz"));
  EXPECT_FALSE(passphrase_matches(*hash, ""));
}

TEST(Users, RefusesAShortPassphraseAndSaysWhatToTake) {
  auto hash = hash_passphrase("short");
  ASSERT_FALSE(hash.ok());
  EXPECT_EQ(hash.error().code, Code::kUsage);
  EXPECT_NE(hash.error().what.find("12"), std::string::npos);
}

TEST(Users, AddedAndRemovedUsersAreSeenWithoutARestart) {
  fakes::TempDir dir;
  auto disk = make_posix_disk();
  Users users(*disk, dir / "page/users");
  EXPECT_FALSE(*users.hash_of("anna"));
  ASSERT_TRUE(add_user(*disk, dir / "page/users", "anna", "correct horse battery").ok());
  EXPECT_TRUE(*users.hash_of("anna"));
  EXPECT_EQ((*disk->stat(dir / "page/users"))->mode & 0777U, 0600U);
  ASSERT_TRUE(remove_user(*disk, dir / "page/users", "anna").ok());
  EXPECT_FALSE(*users.hash_of("anna"));
  EXPECT_EQ(remove_user(*disk, dir / "page/users", "anna").error().code, Code::kNotFound);
}

TEST(Users, ADamagedFileLetsNobodyInAndIsNotOverwritten) {
  fakes::TempDir dir;
  auto disk = make_posix_disk();
  dir.write("users", "anna secret\n");
  Users users(*disk, dir / "users");
  EXPECT_EQ(users.hash_of("anna").error().code, Code::kMalformed);
  EXPECT_EQ(users.hash_of("anna").error().code, Code::kMalformed) << "nor at the second look";
  EXPECT_FALSE(add_user(*disk, dir / "users", "bert", "correct horse battery").ok());
  EXPECT_EQ(dir.read("users"), "anna secret\n");
}

}  // namespace
}  // namespace lineside::seeder

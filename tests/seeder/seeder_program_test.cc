// SPDX-License-Identifier: Apache-2.0
// `lineside-seeder` as a shell sees it.
#include <gtest/gtest.h>

#include "tests/seeder/programs.h"

namespace lineside::seeder {
namespace {

Ended run(const std::string& arguments) {
  return run_program("lineside-seeder", arguments);
}

TEST(SeederProgram, WhatIsMissingIsSaidInOneLineOfItsOwnWords) {
  for (const char* verb : {"add", "remove"}) {
    Ended ended = run(std::string("user ") + verb);
    EXPECT_EQ(ended.status, 2);
    std::string command = std::string("lineside-seeder user ") + verb;
    EXPECT_EQ(ended.text, "lineside-seeder: usage: " + command + ": expected a NAME; " + command +
                              " --help says more\n");
  }
  Ended user = run("user");
  EXPECT_EQ(user.status, 2);
  EXPECT_NE(user.text.find("expected a command: add, remove"), std::string::npos) << user.text;
  EXPECT_NE(run("").text.find("expected a command: run, key, user"), std::string::npos);
}

TEST(SeederProgram, HelpIsNoError) {
  EXPECT_EQ(run("--help").status, 0);
  EXPECT_EQ(run("user add --help").status, 0);
  Ended unknown = run("usr");
  EXPECT_EQ(unknown.status, 2);
  EXPECT_NE(unknown.text.find("no command 'usr'"), std::string::npos) << unknown.text;
}

}  // namespace
}  // namespace lineside::seeder

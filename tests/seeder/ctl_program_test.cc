// SPDX-License-Identifier: Apache-2.0
// `lineside` as a shell sees it: exit status, standard output, standard error.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "seeder/ctl/exit_status.h"
#include "tests/seeder/programs.h"

namespace lineside::ctl {
namespace {

Ended run(const std::string& arguments) {
  return run_program("lineside", arguments);
}

TEST(CtlProgram, AnUnknownCommandIsNamedWithThoseThatExist) {
  Ended top = run("rolout");
  EXPECT_EQ(top.status, kExitUsage);
  EXPECT_NE(top.text.find("no command 'rolout'"), std::string::npos) << top.text;
  EXPECT_NE(top.text.find("rollout"), std::string::npos);
  Ended below = run("rollout strat");
  EXPECT_NE(below.text.find("no command 'strat'"), std::string::npos) << below.text;
  EXPECT_NE(below.text.find("start, rollback"), std::string::npos) << below.text;
}

TEST(CtlProgram, EveryErrorIsJsonIfJsonWasAskedFor) {
  for (const char* arguments :
       {"--json rolout", "rollout start --json", "--site /nonexistent status --json",
        "--json plan vision/1.0.0 --soak never --site /nonexistent"}) {
    Ended ended = run(arguments);
    EXPECT_NE(ended.status, kExitOk);
    auto document = nlohmann::json::parse(ended.text, nullptr, false);
    ASSERT_FALSE(document.is_discarded()) << arguments << ": " << ended.text;
    EXPECT_TRUE(document["error"]["code"].is_string());
    EXPECT_FALSE(document["error"]["message"].get<std::string>().empty());
  }
}

TEST(CtlProgram, SaysItsVersionAndWhatItsExitStatusMeans) {
  Ended version = run("--version");
  EXPECT_EQ(version.status, kExitOk);
  EXPECT_EQ(version.text.rfind("lineside 0.", 0), 0U) << version.text;
  Ended help = run("--help");
  EXPECT_EQ(help.status, kExitOk);
  EXPECT_NE(help.text.find(kExitStatusHelp), std::string::npos) << help.text;
}

TEST(CtlProgram, TheSameKindOfErrorEndsWithTheSameStatus) {
  EXPECT_EQ(exit_status(Code::kUsage), kExitUsage);
  EXPECT_EQ(exit_status(Code::kNetwork), exit_status(Code::kTimeout));
  EXPECT_EQ(exit_status(Code::kConflict), kExitRefused);
  EXPECT_EQ(exit_status(Code::kBadSignature), kExitDistrusted);
}

}  // namespace
}  // namespace lineside::ctl

// SPDX-License-Identifier: Apache-2.0
// lineside-delta as a program: what it makes, what it answers, and with which exit status.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/delta/trees.h"

namespace lineside::delta {
namespace {

using testing::edited;
using testing::file;
using testing::folder;
using testing::link;
using testing::words;

class Program : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string text = words(40000, 1);
    testing::write_tree(dir / "old", {{"a", file(text)}, {"b", file("same")}});
    testing::write_tree(dir / "new", {{"a", file(edited(text, 5, 2), 0755)},
                                      {"b", file("same")},
                                      {"d", folder()},
                                      {"d/l", link("../a")}});
  }
  // The exit status; standard output and error are in "out.txt" and "err.txt".
  int run(const std::string& arguments) {
    std::string command = "cd '" + dir.path().string() +
                          "' && '" LINESIDE_BIN_DIR "/lineside-delta' " + arguments +
                          " >out.txt 2>err.txt";
    int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  fakes::TempDir dir;
};

TEST_F(Program, TakesATreeToAnother) {
  ASSERT_EQ(run("diff --effort 1 old new delivery"), 0) << dir.read("err.txt");
  ASSERT_EQ(run("apply old delivery made"), 0) << dir.read("err.txt");
  EXPECT_TRUE(testing::read_tree(dir / "made") == testing::read_tree(dir / "new"));
}

TEST_F(Program, TakesAFileToAnotherAndKeepsItExecutable) {
  ASSERT_EQ(run("diff --effort 1 old/a new/a delivery"), 0) << dir.read("err.txt");
  std::filesystem::permissions(dir / "old/a", std::filesystem::perms::owner_all);
  ASSERT_EQ(run("apply old/a delivery made"), 0) << dir.read("err.txt");
  EXPECT_EQ(dir.read("made"), dir.read("new/a"));
  EXPECT_EQ(std::filesystem::status(dir / "made").permissions(), std::filesystem::perms{0755});
}

TEST_F(Program, NullDeviceIsTheEmptyTree) {
  ASSERT_EQ(run("diff --effort 1 /dev/null new delivery"), 0) << dir.read("err.txt");
  ASSERT_EQ(run("apply /dev/null delivery made"), 0) << dir.read("err.txt");
  EXPECT_TRUE(testing::read_tree(dir / "made") == testing::read_tree(dir / "new"));
}

TEST_F(Program, InfoSaysWhatEachFileCosts) {
  ASSERT_EQ(run("diff --effort 1 old new delivery"), 0);
  ASSERT_EQ(run("info --json --old old delivery"), 0) << dir.read("err.txt");
  auto info = nlohmann::json::parse(dir.read("out.txt"));
  EXPECT_EQ(info["length"], std::filesystem::file_size(dir / "delivery"));
  ASSERT_EQ(info["files"].size(), 2U);
  EXPECT_EQ(info["files"][1]["method"], "same");
  EXPECT_GT(info["files"][0]["bytes"], 0);
  for (const auto& method : info["methods"]) {
    std::uint64_t sum = 0;
    for (const auto& stream : method["streams"]) sum += stream["coded_bytes"].get<std::uint64_t>();
    EXPECT_EQ(sum, method["coded_bytes"].get<std::uint64_t>());
  }
  ASSERT_EQ(run("info delivery"), 0);
  EXPECT_NE(dir.read("out.txt").find("target"), std::string::npos);
}

TEST_F(Program, OtherBaseIsRefusedWithStatusTwo) {
  ASSERT_EQ(run("diff --effort 1 old new delivery"), 0);
  EXPECT_EQ(run("apply new delivery made"), 2);
  EXPECT_NE(dir.read("err.txt").find("mismatch: "), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(dir / "made"));
}

TEST_F(Program, WhatIsNoDeliveryIsRefusedWithStatusTwo) {
  EXPECT_EQ(run("apply old new/a made"), 2);
  EXPECT_EQ(run("info new/a"), 2);
}

TEST_F(Program, DiskAndUsageHaveStatusesOfTheirOwn) {
  EXPECT_EQ(run("diff old nowhere delivery"), 3);
  dir.write("taken", "mine");
  EXPECT_EQ(run("diff --effort 1 old new taken"), 3);
  EXPECT_EQ(dir.read("taken"), "mine");
  EXPECT_EQ(run("diff old"), 1);
  EXPECT_EQ(run("diff old new/a delivery"), 1);
  EXPECT_EQ(run("--help"), 0);
  EXPECT_NE(dir.read("out.txt").find("Exit status"), std::string::npos);
}

TEST_F(Program, FailureLeavesNothingBehind) {
  ASSERT_EQ(run("diff --effort 1 old new delivery"), 0);
  std::string whole = dir.read("delivery");
  dir.write("delivery", whole.substr(0, whole.size() / 2));
  EXPECT_EQ(run("apply old delivery made"), 2);
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    EXPECT_NE(entry.path().filename().string()[0], '.') << entry.path();
  }
}

}  // namespace
}  // namespace lineside::delta

// SPDX-License-Identifier: Apache-2.0
// `lineside-tuf` as a shell sees it: exit status, and which files it leaves.
#include <sys/wait.h>

#include <cstdlib>

#include "tests/proto/trust/tuf/client.h"

namespace lineside::trust::tuf {
namespace {

class TufProgram : public testing::Test {
 protected:
  TufProgram() {
    vendor_.content["root"]["expires"] = "2100-01-01T00:00:00Z";
    for (const char* role : {"targets", "snapshot", "timestamp"}) {
      vendor_.content[role]["expires"] = "2100-01-01T00:00:00Z";
    }
    vendor_.add_target("dir/a.txt", "hello");
    vendor_.publish({"root", "targets", "snapshot", "timestamp"});
    root_ = temp_.write("root.json", vendor_.served("root")).string();
    std::filesystem::create_directory(temp_ / "got");
    serve();
  }
  void serve() {
    std::filesystem::remove_all(temp_ / "origin");
    for (const auto& [path, bytes] : vendor_.files) temp_.write("origin/" + path, bytes);
  }
  int run(const std::string& arguments) {
    std::string command = "cd '" + temp_.path().string() +
                          "' && '" LINESIDE_BIN_DIR "/lineside-tuf' --metadata-dir trusted " +
                          arguments + " 2>err.txt";
    int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  int download(const std::string& name) {
    return run("--metadata-url '" + (temp_ / "origin").string() + "' --target-name '" + name +
               "' --target-dir got --target-base-url '" + (temp_ / "origin").string() +
               "' download");
  }
  int refresh() { return run("--metadata-url '" + (temp_ / "origin").string() + "' refresh"); }

  fakes::TempDir temp_;
  fakes::TufVendor vendor_;
  std::string root_;
};

TEST_F(TufProgram, GoesFromRootToTarget) {
  EXPECT_EQ(run("init '" + root_ + "'"), 0) << temp_.read("err.txt");
  EXPECT_EQ(refresh(), 0) << temp_.read("err.txt");
  EXPECT_EQ(download("dir/a.txt"), 0) << temp_.read("err.txt");
  EXPECT_EQ(temp_.read("got/dir%2Fa.txt"), "hello") << "no name leaves the folder";
}

TEST_F(TufProgram, EveryFailureIsStatusOne) {
  EXPECT_EQ(refresh(), 1) << "nothing is trusted";
  EXPECT_EQ(run("init /nonexistent"), 1);
  EXPECT_EQ(run("nonsense"), 1);
  EXPECT_EQ(run("init '" + root_ + "'"), 0);
  EXPECT_EQ(run("refresh"), 1) << "no URL";
  EXPECT_EQ(download("nobody"), 1);
}

TEST_F(TufProgram, BeginsWithNoRootThatItsKeysDidNotSign) {
  auto root = nlohmann::json::parse(vendor_.served("root"));
  root["signatures"] = nlohmann::json::array();
  temp_.write("unsigned.json", root.dump());
  EXPECT_EQ(run("init unsigned.json"), 1);
  EXPECT_FALSE(std::filesystem::exists(temp_ / "trusted/root.json"));
}

// The artifact cache: what is there and matches is not asked for again.
TEST_F(TufProgram, KeepsATargetThatIsThereAndMatches) {
  ASSERT_EQ(run("init '" + root_ + "'"), 0);
  ASSERT_EQ(download("dir/a.txt"), 0);
  std::filesystem::remove_all(temp_ / "origin/dir");
  EXPECT_EQ(download("dir/a.txt"), 0) << "the origin was asked: " << temp_.read("err.txt");
  temp_.write("got/dir%2Fa.txt", "jello");
  EXPECT_EQ(download("dir/a.txt"), 1) << "other content was taken for it";
}

TEST_F(TufProgram, AFailedDownloadLeavesNothing) {
  ASSERT_EQ(run("init '" + root_ + "'"), 0);
  for (auto& [path, bytes] : vendor_.files) {
    if (path.find("a.txt") != std::string::npos) bytes = "jello";
  }
  serve();
  EXPECT_EQ(download("dir/a.txt"), 1);
  EXPECT_TRUE(std::filesystem::is_empty(temp_ / "got"));
}

}  // namespace
}  // namespace lineside::trust::tuf

// SPDX-License-Identifier: Apache-2.0
// lineside-node as a shell sees it: exit status, standard output, standard error.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "node/commands.h"
#include "node/life.h"
#include "proto/base/state_lock.h"
#include "tests/fakes/signed_site.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::node {
namespace {

using nlohmann::json;

class NodeProgram : public testing::Test {
 protected:
  void SetUp() override { configure("127.0.0.1:0"); }
  void configure(const std::string& listen) {
    dir_.write("node.toml",
               "[device]\nid = \"cam01\"\nhardware = [\"ipc-x86\"]\nstate = \"state\"\n"
               "[site]\nname = \"plant-7\"\nroot = \"1.root.json\"\n[vendor]\nroot = \"v.json\"\n"
               "[gateway]\naddresses = [\"https://127.0.0.1:1\"]\n[swarm]\nlisten = \"" +
                   listen + "\"\nlocal_discovery = false\n");
  }
  // The exit status; standard output and error are in out_ and err_.
  int run(const std::string& arguments) {
    const std::string command = "cd '" + dir_.path().string() +
                                "' && timeout 60 '" LINESIDE_BIN_DIR "/lineside-node' " +
                                arguments + " >out.txt 2>err.txt";
    const int status = std::system(command.c_str());
    out_ = dir_.read("out.txt");
    err_ = dir_.read("err.txt");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  void save(const Life& life) {
    std::filesystem::create_directories(dir_ / "state");
    ASSERT_TRUE(save_life(*disk_, dir_ / "state", life).ok());
  }
  static Life dead() {
    Life life;
    life.state = State::kConfirmed;
    life.sequence = 4;
    life.confirmed = {"vision/2.0.0.json", "2.0.0", sha256(as_bytes("m")), sha256(as_bytes("t")),
                      20};
    life.inferring_cause = "infer.case.speech: differs by 0.5";
    life.inferring_since = fakes::at("2026-11-22T10:00:00Z");
    return life;
  }

  fakes::TempDir dir_;
  std::unique_ptr<Disk> disk_ = make_posix_disk();
  std::string out_, err_;
};

TEST_F(NodeProgram, SaysItsVersionAndWhatItsExitStatusMeans) {
  EXPECT_EQ(run("--version"), kGood);
  EXPECT_EQ(out_.rfind("lineside-node 0.", 0), 0U) << out_;
  EXPECT_EQ(run("--help"), kGood);
  EXPECT_NE(out_.find("Exit status"), std::string::npos) << out_;
}

TEST_F(NodeProgram, AnUnknownCommandIsNamedWithThoseThatExist) {
  EXPECT_EQ(run("statsu"), kUsage);
  EXPECT_NE(err_.find("no command 'statsu'; there are run, status, verify, check, key"),
            std::string::npos)
      << err_;
  EXPECT_EQ(run(""), kUsage);
  EXPECT_NE(err_.find("verify"), std::string::npos) << err_;
}

TEST_F(NodeProgram, AWrongConfigurationNamesFileAndLine) {
  EXPECT_EQ(run("status -c missing.toml"), kUsage);
  EXPECT_NE(err_.find("missing.toml"), std::string::npos) << err_;
  dir_.write("bad.toml", "[device]\nid = 5\n");
  EXPECT_EQ(run("status -c bad.toml"), kUsage);
  EXPECT_NE(err_.find("bad.toml:2:"), std::string::npos) << err_;
}

TEST_F(NodeProgram, EveryErrorIsJsonIfJsonWasAskedFor) {
  for (const char* arguments : {"statsu --json", "status --json --colour", "status --json -c no",
                                "verify --json -c node.toml", "key show --json -c node.toml"}) {
    EXPECT_GE(run(arguments), kUsage) << arguments;
    EXPECT_EQ(out_, "") << arguments;
    auto error = json::parse(err_, nullptr, false);
    ASSERT_FALSE(error.is_discarded()) << arguments << ": " << err_;
    EXPECT_TRUE(error["error"]["code"].is_string());
    EXPECT_FALSE(error["error"]["message"].get<std::string>().empty());
  }
}

TEST_F(NodeProgram, LookingMakesNothing) {
  EXPECT_EQ(run("status -c node.toml"), kBad);
  EXPECT_EQ(run("status --json -c node.toml"), kBad);
  EXPECT_EQ(run("verify -c node.toml"), kFailed);
  EXPECT_EQ(run("key show -c node.toml"), kFailed);
  EXPECT_NE(err_.find("no key yet"), std::string::npos) << err_;
  EXPECT_FALSE(std::filesystem::exists(dir_ / "state"));
  EXPECT_EQ(run("key -c node.toml"), kGood);
  const std::string made = out_;
  EXPECT_EQ(run("key show -c node.toml"), kGood);
  EXPECT_EQ(out_, made);
}

TEST_F(NodeProgram, WhatIsNotThereYetIsNull) {
  EXPECT_EQ(run("status --json -c node.toml"), kBad);
  EXPECT_EQ(out_.find("1970"), std::string::npos) << out_;
  EXPECT_EQ(out_.find(std::string(64, '0')), std::string::npos) << out_;
  const json status = json::parse(out_);
  for (const char* name : {"fingerprint", "current", "confirmed", "read_back", "read_back_at",
                           "directive", "roster_floor", "not_inferring", "inferring_since"}) {
    ASSERT_TRUE(status.contains(name)) << name;
    EXPECT_TRUE(status[name].is_null()) << name;
  }
}

TEST_F(NodeProgram, DeadInferenceIsShoutedWithItsCauseAndTime) {
  save(dead());
  EXPECT_EQ(run("status -c node.toml"), kBad);
  EXPECT_NE(
      out_.find("NOT INFERRING since 2026-11-22T10:00:00Z: infer.case.speech: differs by 0.5"),
      std::string::npos)
      << out_;
  EXPECT_EQ(run("status --json -c node.toml"), kBad);
  const json status = json::parse(out_);
  EXPECT_EQ(status["inferring"], false);
  EXPECT_EQ(status["not_inferring"]["cause"], "infer.case.speech: differs by 0.5");
  EXPECT_EQ(status["not_inferring"]["since"], "2026-11-22T10:00:00Z");
}

TEST_F(NodeProgram, ALiveDeviceIsWell) {
  Life life = dead();
  life.inferring = true;
  life.inferring_cause.clear();
  save(life);
  EXPECT_EQ(run("status -c node.toml"), kBad);  // what was confirmed is not there
  EXPECT_NE(out_.find("NOT INFERRING: `current` does not lead to"), std::string::npos) << out_;
  const Path slot = dir_ / "state/slots" / life.confirmed->tree.hex();
  std::filesystem::create_directories(slot);
  std::filesystem::create_directory_symlink(Path("slots") / slot.filename(),
                                            dir_ / "state/current");
  EXPECT_EQ(run("status -c node.toml"), kGood) << out_;
  EXPECT_EQ(out_.find("NOT INFERRING"), std::string::npos);
  EXPECT_EQ(run("status --json -c node.toml"), kGood);
  EXPECT_TRUE(json::parse(out_)["not_inferring"].is_null());
}

TEST_F(NodeProgram, AnAgentThatDoesNotRunIsMissed) {
  save(dead());
  run("status -c node.toml");
  EXPECT_NE(out_.find("agent      DOES NOT RUN"), std::string::npos) << out_;
  run("status --json -c node.toml");
  EXPECT_EQ(json::parse(out_)["agent_runs"], false);
  auto running = StateLock::take(*disk_, dir_ / "state");
  ASSERT_TRUE(running.ok());
  run("status -c node.toml");
  EXPECT_EQ(out_.find("DOES NOT RUN"), std::string::npos) << out_;
  run("status --json -c node.toml");
  EXPECT_EQ(json::parse(out_)["agent_runs"], true);
}

TEST_F(NodeProgram, WordsOfOthersDoNotReachTheTerminalAsTheyAre) {
  Life life = dead();
  life.state = State::kFailed;
  life.code = "http";
  life.error = "/v1/roster: the gateway answers 403: \x1b[2J\rall is well";
  life.inferring_cause = "deps.import: \x1b]0;owned\x07";
  save(life);
  EXPECT_EQ(run("status -c node.toml"), kBad);
  EXPECT_NE(out_.find("all is well"), std::string::npos) << out_;
  for (const char bad : {'\x1b', '\x07', '\r'}) EXPECT_EQ(out_.find(bad), std::string::npos);
}

TEST_F(NodeProgram, ASecondAgentOnTheSameStateIsRefused) {
  auto first = StateLock::take(*disk_, dir_ / "state");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(run("run -c node.toml"), kFailed);
  EXPECT_NE(err_.find("the state folder state is in use by process"), std::string::npos) << err_;
  EXPECT_FALSE(std::filesystem::exists(dir_ / "state/device.key"));
}

TEST_F(NodeProgram, APortThatIsTakenIsNamed) {
  const int taken = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(::bind(taken, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(taken, 1), 0);
  ASSERT_EQ(::getsockname(taken, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string listen = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  configure(listen);
  EXPECT_EQ(run("run -c node.toml"), kFailed);
  EXPECT_NE(err_.find(listen), std::string::npos) << err_;
  EXPECT_NE(err_.find("in use"), std::string::npos) << err_;
  ::close(taken);
}

}  // namespace
}  // namespace lineside::node

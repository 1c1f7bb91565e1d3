// SPDX-License-Identifier: Apache-2.0
#include "node/swarm_transport.h"

#include <gtest/gtest.h>

#include "node/patience.h"
#include "proto/trust/merkle.h"
#include "tests/fakes/file_size_limit.h"
#include "tests/fakes/signed_site.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::node {
namespace {

using fakes::must;

class SwarmTransportTest : public testing::Test {
 protected:
  std::unique_ptr<SwarmTransport> start(std::chrono::milliseconds patience = Patience{}.transfer) {
    swarm::SwarmOptions options;
    options.listen = {"127.0.0.1:0"};
    options.local_discovery = false;
    return must(SwarmTransport::start(*disk_, options, "https://127.0.0.1:1", patience));
  }

  fakes::TempDir dir_;
  std::unique_ptr<Disk> disk_ = make_posix_disk();
};

TEST_F(SwarmTransportTest, ATransferThatAFullDiskStoppedBeginsAgain) {
  const std::string bytes(4U << 20, 'g');
  Path file = dir_.write("whole", bytes);
  auto facts = must(trust::hash_file(*must(disk_->open(file)), 1, trust::KeepLeaves::kYes));
  auto giver = start();
  ASSERT_TRUE(giver->seed({facts.root, facts.length, file}, facts.leaves).ok());
  auto taker = start();
  const Carried wanted{facts.root, facts.length, dir_ / "fetched"};
  {
    const fakes::FileSizeLimit full(1U << 20);
    ASSERT_TRUE(taker->fetch(wanted, facts.leaves).ok());
    taker->meet(facts.root, giver->endpoint(), {});
    auto stopped = taker->wait(facts.root, {});
    ASSERT_FALSE(stopped.ok());
    EXPECT_EQ(stopped.error().code, Code::kNoSpace);
  }
  ASSERT_TRUE(taker->fetch(wanted, facts.leaves).ok());
  taker->meet(facts.root, giver->endpoint(), {});
  auto arrived = taker->wait(facts.root, {});
  ASSERT_TRUE(arrived.ok()) << arrived.error().describe();
  EXPECT_TRUE(dir_.read("fetched") == bytes);
  // Carried and whole: asking again disturbs nothing.
  ASSERT_TRUE(taker->fetch(wanted, facts.leaves).ok());
  EXPECT_TRUE(taker->wait(facts.root, {}).ok());
}

TEST_F(SwarmTransportTest, TheReportNamesWhoSentABadBlock) {
  const std::string bytes(300'000, 'g');
  Path file = dir_.write("whole", bytes);
  auto facts = must(trust::hash_file(*must(disk_->open(file)), 1, trust::KeepLeaves::kYes));
  auto giver = start();
  auto liar = start();
  const Carried copy{facts.root, facts.length, dir_ / "copy"};
  ASSERT_TRUE(giver->seed({facts.root, facts.length, file}, facts.leaves).ok());
  ASSERT_TRUE(liar->fetch(copy, facts.leaves).ok());
  liar->meet(facts.root, giver->endpoint(), {});
  ASSERT_TRUE(liar->wait(facts.root, {}).ok());
  dir_.write("copy", std::string(bytes.size(), 'b'));  // behind its back

  auto taker = start(std::chrono::milliseconds(1));
  ASSERT_TRUE(taker->fetch({facts.root, facts.length, dir_ / "fetched"}, facts.leaves).ok());
  taker->meet(facts.root, "", {liar->endpoint()});
  for (int i = 0; i < 60 && taker->transfer(facts.root)->culprits.empty(); ++i) {
    (void)taker->wait(facts.root, {}).ok();
  }
  EXPECT_EQ(taker->transfer(facts.root)->culprits, std::vector<std::string>{"127.0.0.1"});
  EXPECT_EQ(taker->transfer(facts.root)->have, 0U);
  EXPECT_GT(taker->transfer(facts.root)->wasted, 0U);
}

TEST_F(SwarmTransportTest, MeetsNoMorePeersThanItNeeds) {
  Path file = dir_.write("whole", std::string(100'000, 'g'));
  auto facts = must(trust::hash_file(*must(disk_->open(file)), 1, trust::KeepLeaves::kYes));
  std::vector<std::unique_ptr<SwarmTransport>> others;
  std::vector<std::string> endpoints;
  for (int i = 0; i < 12; ++i) {
    others.push_back(start());
    const Carried own{facts.root, facts.length, dir_ / ("own" + std::to_string(i))};
    ASSERT_TRUE(others.back()->fetch(own, facts.leaves).ok());
    endpoints.push_back(others.back()->endpoint());
  }
  auto node = start(std::chrono::milliseconds(1));
  ASSERT_TRUE(node->fetch({facts.root, facts.length, dir_ / "fetched"}, facts.leaves).ok());
  node->meet(facts.root, "", endpoints);
  std::uint32_t connected = 0;
  for (int i = 0; i < 60 && connected < 8; ++i) {
    (void)node->wait(facts.root, {}).ok();
    connected = node->transfer(facts.root)->peers;
    node->meet(facts.root, "", endpoints);
  }
  EXPECT_EQ(connected, 8U);
}

TEST_F(SwarmTransportTest, ATransferWithoutPeersIsNotAwaitedForEver) {
  Path file = dir_.write("whole", std::string(100'000, 'g'));
  auto facts = must(trust::hash_file(*must(disk_->open(file)), 1, trust::KeepLeaves::kYes));
  auto taker = start(std::chrono::milliseconds(1));
  ASSERT_TRUE(taker->fetch({facts.root, facts.length, dir_ / "fetched"}, facts.leaves).ok());
  EXPECT_EQ(taker->wait(facts.root, {}).error().code, Code::kTimeout);
  // It goes on as soon as somebody has it.
  auto giver = start();
  ASSERT_TRUE(giver->seed({facts.root, facts.length, file}, facts.leaves).ok());
  taker->meet(facts.root, giver->endpoint(), {});
  Result<void> arrived = taker->wait(facts.root, {});
  for (int i = 0; i < 60 && !arrived.ok(); ++i) arrived = taker->wait(facts.root, {});
  EXPECT_TRUE(arrived.ok());
}

}  // namespace
}  // namespace lineside::node

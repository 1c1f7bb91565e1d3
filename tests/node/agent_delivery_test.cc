// SPDX-License-Identifier: Apache-2.0
// How deliveries are chosen, awaited and given up.
#include <gtest/gtest.h>

#include "tests/fakes/failing_disk.h"
#include "tests/node/agent_site.h"

namespace lineside::node {
namespace {

using fakes::must;

class AgentDeliveryTest : public AgentSite {};

TEST_F(AgentDeliveryTest, ALyingDeliveryWastesTimeButChangesNothing) {
  auto& offer = gateway_->offers.at({sha256({}), manifests_.at("1.0.0").tree});
  Path lie = dir_.write("lie", std::string(30'000, 'x'));
  gateway_->offer(sha256({}), offer.target, lie);
  direct(1, "1.0.0");
  Life life = run_until(State::kFailed);
  EXPECT_EQ(life.state, State::kFailed);
  EXPECT_EQ(current(), "");
}

TEST_F(AgentDeliveryTest, OnlyThePresentDeliveryKeepsItsFiles) {
  std::string old = sha256(as_bytes("old")).hex();
  for (const char* suffix : {"", ".resume", ".leaves"}) {
    dir_.write("state/deliveries/" + old + suffix, "half");
  }
  direct(1, "1.0.0");
  Life life = run_until(State::kConfirmed);
  ASSERT_EQ(life.state, State::kConfirmed) << life.error;
  std::size_t kept = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir_ / "state/deliveries")) {
    EXPECT_EQ(entry.path().filename().string().find(life.delivery->root.hex()), 0U);
    ++kept;
  }
  EXPECT_GE(kept, 1U);
}

TEST_F(AgentDeliveryTest, ADeliveryThatStandsStillGivesWayToAnother) {
  auto& offer = gateway_->offers.at({sha256({}), manifests_.at("1.0.0").tree});
  const api::DeliveryOffer good = offer;
  const Path lost = dir_.write("lost", std::string(30'000, 'x'));
  gateway_->offer(sha256({}), good.target, lost);
  const Digest root = offer.root;
  transport_->still = {root};
  direct(1, "1.0.0");
  EXPECT_EQ(run_until(State::kStaging).state, State::kFetching);
  EXPECT_EQ(transport_->carried.count(root), 1U);  // no other is offered
  gateway_->offers[{good.base, good.target}] = good;
  Life life = run_until(State::kConfirmed);
  EXPECT_EQ(life.state, State::kConfirmed) << life.error;
  EXPECT_EQ(life.delivery->root, good.root);
  EXPECT_EQ(transport_->carried.count(root), 0U);
}

TEST_F(AgentDeliveryTest, ADeliveryThatIsBeingPreparedIsAwaited) {
  const auto pair = std::pair{sha256({}), tree("1.0.0")};
  gateway_->prepared = {pair};
  direct(1, "1.0.0");
  auto one = agent(*disk_);
  must_ok(one->start());
  rounds(*one, 10);
  EXPECT_EQ(one->life().state, State::kFetching);
  EXPECT_EQ(gateway_->reports.back().error, "the gateway prepares a delivery from nothing");
  gateway_->prepared.clear();
  drive_to(*one, State::kConfirmed, 1);
  EXPECT_EQ(one->life().state, State::kConfirmed) << one->life().error;
}

TEST_F(AgentDeliveryTest, AMissingDeliveryIsAwaitedUntilTheDirectiveEnds) {
  gateway_->offers.clear();
  direct(1, "1.0.0");
  auto one = agent(*disk_);
  must_ok(one->start());
  rounds(*one, 10);
  EXPECT_EQ(one->life().state, State::kFetching);
  EXPECT_NE(gateway_->reports.back().error.find("no delivery"), std::string::npos);
  clock_.advance(std::chrono::hours(100));
  drive_to(*one, State::kFailed, 1);
  EXPECT_EQ(one->life().state, State::kFailed);
  EXPECT_EQ(one->life().code, "expired");
  EXPECT_NE(one->life().error.find("no delivery"), std::string::npos) << one->life().error;
}

TEST_F(AgentDeliveryTest, AnAwaitedDeliveryGivesWayToANewerDirective) {
  gateway_->prepared = {{sha256({}), tree("1.0.0")}};
  direct(1, "1.0.0");
  auto one = agent(*disk_);
  must_ok(one->start());
  rounds(*one, 5);
  direct(2, "2.0.0");
  drive_to(*one, State::kConfirmed, 2);
  EXPECT_EQ(current(), "version = '2.0.0'");
}

TEST_F(AgentDeliveryTest, AFullDeliveryIsNotHurriedForWhileADeltaIsMade) {
  direct(1, "1.0.0");
  auto one = agent(*disk_);
  must_ok(one->start());
  drive_to(*one, State::kConfirmed, 1);
  const auto delta = std::pair{tree("1.0.0"), tree("2.0.0")};
  gateway_->prepared = {delta};
  direct(2, "2.0.0");
  rounds(*one, 10);
  EXPECT_EQ(one->life().state, State::kFetching);
  EXPECT_NE(gateway_->reports.back().error.find(tree("1.0.0").hex().substr(0, 12)),
            std::string::npos);
  offer_delta("1.0.0", "2.0.0");
  gateway_->prepared.clear();
  drive_to(*one, State::kConfirmed, 2);
  ASSERT_EQ(one->life().state, State::kConfirmed) << one->life().error;
  EXPECT_EQ(one->life().delivery->base, tree("1.0.0"));
}

TEST_F(AgentDeliveryTest, ADeltaIsNotAwaitedForEver) {
  direct(1, "1.0.0");
  auto one = agent(*disk_);
  must_ok(one->start());
  drive_to(*one, State::kConfirmed, 1);
  gateway_->prepared = {{tree("1.0.0"), tree("2.0.0")}};
  direct(2, "2.0.0");
  drive_to(*one, State::kFetching, 2);
  rounds(*one, 5);
  clock_.advance(std::chrono::seconds(200));
  drive_to(*one, State::kConfirmed, 2);
  ASSERT_EQ(one->life().state, State::kConfirmed) << one->life().error;
  EXPECT_EQ(one->life().delivery->base, sha256({}));
}

class AgentRebuildTest : public AgentSite {
 protected:
  // 2.0.0 runs, made from 1.0.0, with which it shares the model's file.
  void SetUp() override {
    offer_delta("1.0.0", "2.0.0");
    direct(1, "1.0.0");
    one_ = agent(*disk_);
    must_ok(one_->start());
    drive_to(*one_, State::kConfirmed, 1);
    direct(2, "2.0.0");
    drive(*one_, [](const Life& life) { return life.attested_sequence == 2; });
    ASSERT_EQ(one_->life().state, State::kConfirmed) << one_->life().error;
    settle(*one_);
  }
  FileInfo model() { return *must(disk_->stat(dir_ / "state/current/models/vad.onnx")); }
  void damage() {
    std::filesystem::permissions(dir_ / "state/current/models/vad.onnx",
                                 std::filesystem::perms::owner_all);
    dir_.write("state/current/models/vad.onnx", "moDel");
  }
  std::unique_ptr<Agent> one_;
};

TEST_F(AgentRebuildTest, WhatSlotsShareCannotBeWritten) {
  for (const std::string name : {"models/vad.onnx", "firmware/image", "runtime/numpy.py"}) {
    EXPECT_EQ(must(disk_->stat(dir_ / ("state/current/" + name)))->mode & 0222U, 0U) << name;
  }
  EXPECT_EQ(one_->life().read_back, tree("2.0.0"));  // and it is what the listing says all the same
}

TEST_F(AgentRebuildTest, ADamagedRunningTreeIsMadeAnew) {
  damage();
  const std::uint64_t damaged = model().inode;
  direct(3, "2.0.0");
  drive(*one_, [](const Life& life) { return life.attested_sequence == 3; });
  settle(*one_);
  EXPECT_EQ(one_->life().state, State::kConfirmed) << one_->life().error;
  EXPECT_EQ(dir_.read("state/current/models/vad.onnx"), "model");
  EXPECT_NE(model().inode, damaged);
  EXPECT_EQ(model().mode & 0222U, 0U);
  EXPECT_EQ(must(slots_->current()), tree("2.0.0"));
  EXPECT_EQ(one_->life().previous, tree("1.0.0"));
  std::size_t slots = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir_ / "state/slots")) {
    EXPECT_EQ(entry.path().filename().string().size(), 64U) << entry.path();
    ++slots;
  }
  EXPECT_EQ(slots, 2U);
}

TEST_F(AgentRebuildTest, ItAwaitsADeliveryThatIsBeingPrepared) {
  damage();
  gateway_->prepared = {{sha256({}), tree("2.0.0")}, {tree("1.0.0"), tree("2.0.0")}};
  direct(3, "2.0.0");
  rounds(*one_, 10);
  EXPECT_TRUE(before_switch(one_->life().state)) << state_name(one_->life().state);
  EXPECT_NE(gateway_->reports.back().error.find("prepares"), std::string::npos);
  EXPECT_EQ(dir_.read("state/current/runtime/numpy.py"), "version = '2.0.0'");
  gateway_->prepared.clear();
  drive(*one_, [](const Life& life) { return life.attested_sequence == 3; });
  EXPECT_EQ(dir_.read("state/current/models/vad.onnx"), "model");
}

// The running tree stays in its place whatever instant the power goes.
TEST_F(AgentRebuildTest, APowerCutLeavesATreeThatRuns) {
  damage();
  direct(3, "2.0.0");
  one_.reset();
  save_state();
  bool whole = false;
  for (std::uint64_t cut = 4; !whole && cut < 200; cut += 3) {
    restore_state();
    gateway_->envelopes.clear();
    gateway_->reply.attestations = 0;
    auto done = [](const Life& life) { return life.attested_sequence == 3; };
    {
      fakes::FailingDisk failing(*disk_);
      failing.fail_from(cut);
      auto first = agent(failing);
      whole = first->start().ok() && drive(*first, done) && done(first->life());
    }
    EXPECT_EQ(current(), "version = '2.0.0'") << cut;
    auto second = agent(*disk_);
    must_ok(second->start());
    drive(*second, [](const Life& life) { return at_rest(life.state) && life.sequence == 3; });
    if (second->life().state == State::kConfirmed) {
      EXPECT_EQ(dir_.read("state/current/models/vad.onnx"), "model") << cut;
    }
    EXPECT_EQ(current(), "version = '2.0.0'") << cut;
  }
  EXPECT_TRUE(whole);
}

}  // namespace
}  // namespace lineside::node

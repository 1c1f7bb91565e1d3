// SPDX-License-Identifier: Apache-2.0
// Power cuts and full disks.
#include <gtest/gtest.h>

#include "tests/fakes/failing_disk.h"
#include "tests/node/agent_site.h"

namespace lineside::node {
namespace {

using fakes::must;

class AgentDiskTest : public AgentSite {};

// The power is cut at every write from the first directive to its confirmation, and then again once
// more a few writes later. Every time the device comes up with a whole tree and gets there.
TEST_F(AgentDiskTest, APowerCutAtAnyWriteLosesNothing) {
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  direct(2, "2.0.0");
  save_state();
  auto done = [](const Life& life) {
    return life.state == State::kConfirmed && life.sequence == 2 && life.attested_sequence == 2;
  };
  bool whole = false;
  for (std::uint64_t cut = 0; !whole && cut < 200; ++cut) {
    restore_state();
    gateway_->envelopes.clear();
    fakes::FailingDisk failing(*disk_);
    failing.fail_from(cut);
    {
      auto first = agent(failing);
      whole = first->start().ok() && drive(*first, done) && done(first->life());
    }
    std::string tree = current();
    EXPECT_TRUE(tree == "version = '1.0.0'" || tree == "version = '2.0.0'") << cut << ": " << tree;
    auto second = agent(*disk_);
    must_ok(second->start());
    drive(*second, [&](const Life& life) { return at_rest(life.state) && life.sequence == 2; });
    Life life = second->life();
    // A step that met the dying disk may have been given up; never is there anything between.
    EXPECT_TRUE(at_rest(life.state)) << cut << ": " << state_name(life.state) << life.error;
    std::string expected = life.state == State::kConfirmed ? "2.0.0" : "1.0.0";
    for (int i = 0; i < 5; ++i) {
      must_ok(second->tick());
      second->wait(std::chrono::milliseconds(5), {});
    }
    EXPECT_EQ(current(), "version = '" + expected + "'") << cut << " " << state_name(life.state);
  }
  EXPECT_TRUE(whole);
}

// The disk takes no writes from any instant on, and later does again, while the agent lives on.
TEST_F(AgentDiskTest, AFullDiskIsOutlived) {
  direct(1, "1.0.0");
  ASSERT_EQ(run_until(State::kConfirmed).state, State::kConfirmed);
  direct(2, "2.0.0");
  save_state();
  bool whole = false;
  for (std::uint64_t full = 3; !whole && full < 200; full += 5) {
    restore_state();
    gateway_->envelopes.clear();
    fakes::FailingDisk failing(*disk_);
    auto one = agent(failing);
    must_ok(one->start());
    failing.fail_from(failing.writes() + full);
    auto done = [](const Life& life) { return at_rest(life.state) && life.sequence == 2; };
    whole = true;
    while (!drive(*one, done) || !done(one->life())) {
      ASSERT_TRUE(whole) << "a disk that is well again fails";
      whole = false;
      failing.fail_from(std::numeric_limits<std::uint64_t>::max());
      EXPECT_GT(one->recover({Code::kNoSpace, "full"}).count(), 0);
    }
    whole = whole && !failing.failed();
    failing.fail_from(std::numeric_limits<std::uint64_t>::max());
    EXPECT_TRUE(done(one->life())) << full << ": " << state_name(one->life().state);
    std::string expected = one->life().state == State::kConfirmed ? "2.0.0" : "1.0.0";
    for (int i = 0; i < 5; ++i) {
      if (auto next = one->tick(); !next.ok()) one->recover(next.error());
      one->wait(std::chrono::milliseconds(5), {});
      clock_.advance(std::chrono::seconds(10));
    }
    EXPECT_EQ(current(), "version = '" + expected + "'") << full;
  }
  EXPECT_TRUE(whole);
}

// The disk has no room for the new tree; what runs and what is written down stay whole, and with
// room the next directive gets there.
TEST_F(AgentDiskTest, AFullDiskWhileStagingLeavesTheOldTree) {
  direct(1, "1.0.0");
  fakes::FailingDisk failing(*disk_);
  auto one = agent(failing);
  must_ok(one->start());
  drive_to(*one, State::kConfirmed, 1);
  settle(*one);
  failing.fail_at("slots/." + tree("2.0.0").hex(), Code::kNoSpace);
  direct(2, "2.0.0");
  drive_to(*one, State::kFailed, 2);
  EXPECT_EQ(one->life().state, State::kFailed);
  EXPECT_EQ(one->life().code, "no-space");
  EXPECT_EQ(current(), "version = '1.0.0'");
  failing.fail_at("", Code::kNoSpace);
  direct(3, "2.0.0");
  drive_to(*one, State::kConfirmed, 3);
  EXPECT_EQ(current(), "version = '2.0.0'");
}

// What cannot be written down is not done.
TEST_F(AgentDiskTest, AFullDiskForTheStateBeginsNothing) {
  direct(1, "1.0.0");
  fakes::FailingDisk failing(*disk_);
  auto one = agent(failing);
  must_ok(one->start());
  drive_to(*one, State::kConfirmed, 1);
  settle(*one);
  gateway_->reply.paused = true;
  direct(2, "2.0.0");
  settle(*one);
  failing.fail_at("life.json", Code::kNoSpace);
  gateway_->reply.paused = false;
  std::optional<Error> error;
  for (int i = 0; i < 5; ++i) {
    auto next = one->tick();
    if (next.ok()) continue;
    error = next.error();
    EXPECT_EQ(one->recover(next.error()), config_.patience.disk);
  }
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Code::kNoSpace);
  EXPECT_EQ(one->life().sequence, 1);
  EXPECT_EQ(must(load_life(*disk_, config_.state)).sequence, 1);
  failing.fail_at("", Code::kNoSpace);
  drive_to(*one, State::kConfirmed, 2);
  EXPECT_EQ(current(), "version = '2.0.0'");
}

// The way back fails for its disk, and a newer directive comes before it is well.
TEST_F(AgentDiskTest, ABadTreeNeverBecomesTheWayBack) {
  publish("3.0.0", 3);
  direct(1, "1.0.0");
  fakes::FailingDisk failing(*disk_);
  auto one = agent(failing);
  must_ok(one->start());
  drive_to(*one, State::kConfirmed, 1);
  settle(*one);
  checker_.bad_version = "2.0.0";
  checker_.only_when_current = true;
  checker_.when_bad = [&failing] { failing.fail_at("state/current", Code::kIo); };
  direct(2, "2.0.0");
  drive_to(*one, State::kRolledBack, 2);
  ASSERT_EQ(one->life().state, State::kRolledBack) << one->life().error;
  direct(3, "3.0.0");
  rounds(*one, 10);
  EXPECT_EQ(current(), "version = '2.0.0'");
  EXPECT_EQ(one->life().sequence, 2);
  failing.fail_at("", Code::kIo);
  drive(*one, [](const Life& life) { return life.attested_sequence == 3; });
  EXPECT_EQ(one->life().state, State::kConfirmed);
  EXPECT_EQ(current(), "version = '3.0.0'");
  EXPECT_EQ(one->life().previous, tree("1.0.0"));
}

}  // namespace
}  // namespace lineside::node

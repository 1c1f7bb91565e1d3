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
    while (!drive(*one, done)) {
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

}  // namespace
}  // namespace lineside::node

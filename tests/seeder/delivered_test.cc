// SPDX-License-Identifier: Apache-2.0
#include "seeder/delivered.h"

#include <gtest/gtest.h>

namespace lineside::seeder {
namespace {

// An agent as it counts: finished transfers on its disk, the running one in its memory.
struct Agent {
  std::uint64_t finished_gateway = 0, finished_peers = 0;
  api::Transfer running{};
  api::NodeReport last{};
  Carried carried{};

  void receive(std::uint64_t gateway, std::uint64_t peers) {
    running.from_gateway += gateway;
    running.from_peers += peers;
  }
  void restart() { running.from_gateway = running.from_peers = 0; }
  void finish() {
    finished_gateway += running.from_gateway;
    finished_peers += running.from_peers;
    running = {};
  }
  // What the gateway has for it after the report.
  api::NodeReport report(const char* state = "fetching", std::int64_t sequence = 7) {
    api::NodeReport now;
    now.state = state;
    now.directive_sequence = sequence;
    bool counts = now.state == "fetching";
    now.delivered_from_gateway = finished_gateway + (counts ? running.from_gateway : 0);
    now.delivered_from_peers = finished_peers + (counts ? running.from_peers : 0);
    now.transfer = running;
    carried = carry(carried, last, now);
    last = now;
    return with_carried(now, carried);
  }
};

TEST(Delivered, BytesFromBeforeARestartAreNotLost) {
  Agent agent;
  agent.receive(300, 100);
  agent.report();
  agent.restart();
  agent.receive(10, 0);
  api::NodeReport seen = agent.report();
  EXPECT_EQ(seen.delivered_from_gateway, 310U);
  EXPECT_EQ(seen.delivered_from_peers, 100U);
  agent.restart();
  agent.receive(4, 20);
  agent.report();
  agent.receive(36, 0);
  agent.finish();
  seen = agent.report("staging");
  EXPECT_EQ(seen.delivered_from_gateway, 350U);
  EXPECT_EQ(seen.delivered_from_peers, 120U);
}

TEST(Delivered, AReportThatComesTwiceAndATransferThatEndsWellCarryNothing) {
  Agent agent;
  agent.receive(300, 100);
  agent.report();
  agent.report();
  agent.receive(50, 0);
  agent.report();
  agent.finish();
  agent.report("staging");
  api::NodeReport seen = agent.report("confirmed");
  EXPECT_EQ(agent.carried, Carried{});
  EXPECT_EQ(seen.delivered_from_gateway, 350U);
}

TEST(Delivered, ATransferThatWasGivenUpCounts) {
  Agent agent;
  agent.receive(300, 0);
  agent.report();
  agent.running = {};
  agent.running.root = sha256(as_bytes("another"));
  agent.receive(500, 0);
  EXPECT_EQ(agent.report().delivered_from_gateway, 800U);
}

TEST(Delivered, OneCounterThatFallsMeansThatBothBeganAnew) {
  Agent agent;
  agent.receive(300, 10);
  agent.report();
  agent.restart();
  agent.receive(0, 50);
  api::NodeReport seen = agent.report();
  EXPECT_EQ(seen.delivered_from_gateway, 300U);
  EXPECT_EQ(seen.delivered_from_peers, 60U);
}

TEST(Delivered, AnotherDirectiveBeginsAtNothing) {
  Agent agent;
  agent.receive(300, 0);
  agent.report();
  agent.restart();
  agent.receive(5, 0);
  EXPECT_EQ(agent.report("fetching", 8).delivered_from_gateway, 5U);
}

TEST(Delivered, IsKeptBesideTheReport) {
  Agent agent;
  agent.receive(300, 0);
  api::NodeReport report = agent.report();
  report.device = "cam1";
  std::string text = serialise(report, {12, 34});
  EXPECT_TRUE(api::parse_node_report(as_bytes(text)).ok());
  EXPECT_EQ(*parse_carried(as_bytes(text)), (Carried{12, 34}));
  EXPECT_EQ(*parse_carried(as_bytes("{}")), Carried{});
  EXPECT_FALSE(parse_carried(as_bytes("{\"carried\":7}")).ok());
}

}  // namespace
}  // namespace lineside::seeder

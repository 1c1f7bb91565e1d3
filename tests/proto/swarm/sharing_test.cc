// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/proto/swarm/site.h"

namespace lineside::swarm {
namespace {

class SharingSizes : public testing::TestWithParam<std::size_t> {};

TEST_P(SharingSizes, ArrivesWholeFromOneSeeder) {
  Member gateway(1);
  Member node(2);
  const Payload payload = make_payload(GetParam());
  gateway.seed(payload);
  const std::vector<std::string> gateways{gateway.address()};
  ASSERT_TRUE(node.swarm().mark_gateway(gateways).ok());
  node.fetch(payload);
  node.meet(payload, gateway);
  const Status done = node.await(payload, State::kSeeding);
  EXPECT_EQ(node.content(), payload.bytes);
  EXPECT_EQ(done.pieces_have, done.pieces.size());
  EXPECT_EQ(done.bytes_done, payload.facts.length);
  EXPECT_EQ(done.bytes_from_gateway, payload.facts.length);
  EXPECT_EQ(done.bytes_from_peers, 0U);
  EXPECT_EQ(done.bytes_wasted, 0U);
  EXPECT_TRUE(done.culprits.empty());
}
INSTANTIATE_TEST_SUITE_P(Edges, SharingSizes,
                         testing::Values(1, 16384, 16385, 32768, 1000003, (64U << 20) + 12345));

// What the seeder alone had is spread over four nodes before it goes away; they finish among
// themselves.
TEST(Sharing, NodesFinishAmongThemselvesWhenTheSeederIsGone) {
  const Payload payload = make_payload(8U << 20);
  auto seeder = std::make_unique<Member>(1);
  seeder->seed(payload);
  std::vector<std::unique_ptr<Member>> nodes;
  for (unsigned i = 0; i < 4; ++i) {
    SwarmOptions options;
    options.download_limit = 512U << 10;  // else one is done before the next is asked
    nodes.push_back(std::make_unique<Member>(10 + i, options));
    nodes.back()->fetch(payload);
    nodes.back()->meet(payload, *seeder);
  }
  const auto spread = [&] {
    std::vector<bool> any(piece_count(payload.facts.length));
    bool partial = false;
    for (const auto& node : nodes) {
      const Status now = node->status(payload);
      for (std::size_t i = 0; i < any.size(); ++i) any[i] = any[i] || now.pieces[i];
      partial = partial || now.state == State::kFetching;
    }
    EXPECT_TRUE(partial) << "all were done before the seeder could go";
    return std::ranges::count(any, true) == static_cast<std::ptrdiff_t>(any.size());
  };
  // The first node's changes are the beat at which all of them are looked at.
  nodes[0]->await(payload,
                  [&](const Status& now) { return spread() || now.state == State::kSeeding; });
  seeder.reset();
  for (const auto& node : nodes) {
    node->swarm().set_limits(0, 0);
    for (const auto& other : nodes) {
      if (node != other) node->meet(payload, *other);
    }
  }
  for (const auto& node : nodes) {
    const Status done = node->await(payload, State::kSeeding);
    EXPECT_EQ(node->content(), payload.bytes);
    EXPECT_GT(done.bytes_from_peers, 0U);
  }
}

// The gateway goes as soon as every piece is with somebody; by then it has sent hardly anything
// twice.
TEST(Sharing, GatewaySendsOneCopyAndTheSiteFinishesWithoutIt) {
  const Payload payload = make_payload(8U << 20);
  SwarmOptions gateway_options;
  gateway_options.gateway = true;
  gateway_options.upload_limit = 2U << 20;  // the narrowest place, as on a site
  auto gateway = std::make_unique<Member>(1, gateway_options);
  gateway->seed(payload);
  std::vector<std::unique_ptr<Member>> nodes;
  for (unsigned i = 0; i < 4; ++i) {
    nodes.push_back(std::make_unique<Member>(10 + i));
    nodes.back()->fetch(payload);
    for (unsigned k = 0; k < i; ++k) nodes.back()->meet(payload, *nodes[k]);
  }
  for (const auto& node : nodes) node->meet(payload, *gateway);
  const auto one_copy = [&](const Status&) {
    std::vector<bool> any(piece_count(payload.facts.length));
    for (const auto& node : nodes) {
      const Status now = node->status(payload);
      for (std::size_t i = 0; i < any.size(); ++i) any[i] = any[i] || now.pieces[i];
    }
    return std::ranges::count(any, false) == 0;
  };
  nodes[0]->await(payload, one_copy);
  EXPECT_LE(gateway->status(payload).bytes_uploaded, payload.facts.length * 5 / 4);
  gateway.reset();
  for (const auto& node : nodes) {
    const Status done = node->await(payload, State::kSeeding);
    EXPECT_EQ(node->content(), payload.bytes);
    EXPECT_GT(done.bytes_from_peers, payload.facts.length / 2);
  }
}

TEST(Sharing, PeersAreListedWithTheirNames) {
  const Payload payload = make_payload(2U << 20);
  SwarmOptions named;
  named.name = "press-7";
  named.download_limit = 256U << 10;
  Member seeder(1);
  Member node(2, named);
  seeder.seed(payload);
  node.fetch(payload);
  node.meet(payload, seeder);
  node.await(payload, [](const Status& now) { return now.pieces_have > 0; });
  const auto peers = seeder.swarm().peers(payload.facts.root);
  ASSERT_TRUE(peers.ok());
  ASSERT_EQ(peers->size(), 1U);
  EXPECT_EQ(peers->front().endpoint.address, node.address());
  EXPECT_GT(peers->front().bytes_sent, 0U);
  const auto others = node.swarm().peers(payload.facts.root);
  ASSERT_TRUE(others.ok());
  ASSERT_EQ(others->size(), 1U);
  EXPECT_EQ(others->front().endpoint, seeder.endpoint());
}

TEST(Sharing, RemovedDeliveryIsServedNoMore) {
  const Payload payload = make_payload(200000);
  Member seeder(1);
  seeder.seed(payload);
  ASSERT_TRUE(seeder.swarm().remove(payload.facts.root, false).ok());
  EXPECT_EQ(seeder.swarm().status(payload.facts.root).error().code, Code::kNotFound);
  EXPECT_EQ(seeder.content(), payload.bytes);
  seeder.seed(payload);
  ASSERT_TRUE(seeder.swarm().remove(payload.facts.root, true).ok());
  EXPECT_FALSE(std::filesystem::exists(seeder.file()));
}

}  // namespace
}  // namespace lineside::swarm

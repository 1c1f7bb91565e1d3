// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "proto/swarm/swarm.h"
#include "tests/proto/swarm/site.h"

namespace lineside::swarm {
namespace {

Result<std::unique_ptr<Swarm>> start_at(Disk& disk, std::string address) {
  SwarmOptions options;
  options.listen = {std::move(address)};
  options.local_discovery = false;
  return Swarm::start(disk, std::move(options));
}

TEST(SwarmStart, TakenPortIsAConflictThatNamesTheAddress) {
  Member first(1);
  const auto disk = make_posix_disk();
  const std::string port = std::to_string(first.endpoint().port);
  const auto second = start_at(*disk, first.address() + ":" + port);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Code::kConflict);
  EXPECT_NE(second.error().what.find(first.address()), std::string::npos) << second.error().what;
  EXPECT_NE(second.error().what.find(port), std::string::npos) << second.error().what;
}

TEST(SwarmStart, AddressOfAnotherMachineIsRefused) {
  const auto disk = make_posix_disk();
  const auto swarm = start_at(*disk, "192.0.2.1:0");
  ASSERT_FALSE(swarm.ok());
  EXPECT_EQ(swarm.error().code, Code::kNetwork);
  EXPECT_NE(swarm.error().what.find("192.0.2.1"), std::string::npos) << swarm.error().what;
}

TEST(SwarmStart, WhatIsNoAddressIsAUsageError) {
  const auto disk = make_posix_disk();
  for (const char* bad : {"", "127.0.0.1", "localhost:1", "127.0.0.1:99999", "::1:80",
                          "[1.2.3.4]:1", "127.0.0.1:80s"}) {
    const auto swarm = start_at(*disk, bad);
    ASSERT_FALSE(swarm.ok()) << bad;
    EXPECT_EQ(swarm.error().code, Code::kUsage) << bad;
  }
}

TEST(SwarmStart, WildcardListensSomewhere) {
  const auto disk = make_posix_disk();
  const auto swarm = start_at(*disk, "0.0.0.0:0");
  ASSERT_TRUE(swarm.ok()) << swarm.error().describe();
  EXPECT_NE((*swarm)->port(), 0);
}

TEST(SwarmFacts, LeavesOfAnotherFileAreRefused) {
  Member member(1);
  const Payload payload = make_payload(100000);
  Payload wrong = payload;
  wrong.leaves[2].bytes[0] ^= 1;
  member.dir().write("delivery", payload.bytes);
  EXPECT_EQ(member.swarm().seed(wrong.facts, member.file(), wrong.leaves).error().code,
            Code::kMismatch);
  EXPECT_EQ(member.swarm().fetch(wrong.facts, member.file(), wrong.leaves).error().code,
            Code::kMismatch);
}

TEST(SwarmFacts, LengthThatIsNotTheFilesIsRefused) {
  Member member(1);
  const Payload payload = make_payload(100000);
  member.dir().write("delivery", payload.bytes);
  for (const std::uint64_t lie :
       {payload.facts.length - 1, payload.facts.length + 1, payload.facts.length + 16384}) {
    const DeliveryFacts facts{payload.facts.root, lie};
    EXPECT_EQ(member.swarm().seed(facts, member.file(), payload.leaves).error().code,
              Code::kMismatch);
  }
  for (const std::uint64_t absurd : {std::uint64_t{0}, kMaxLength + 1}) {
    const DeliveryFacts facts{payload.facts.root, absurd};
    EXPECT_EQ(member.swarm().fetch(facts, member.file(), payload.leaves).error().code,
              Code::kUsage);
  }
}

// The classic second preimage of a Merkle tree: the two halves below the root, as a file.
TEST(SwarmFacts, InnerNodesAsAFileAreASwarmOfTheirOwn) {
  Member member(1);
  const Payload payload = make_payload(2 * 16384);
  const std::string forged =
      std::string(as_text(payload.leaves[0].bytes)) + std::string(as_text(payload.leaves[1].bytes));
  member.dir().write("delivery", forged);
  const DeliveryFacts facts{payload.facts.root, forged.size()};
  EXPECT_TRUE(member.swarm().seed(facts, member.file(), {sha256(as_bytes(forged))}).ok());
  EXPECT_NE(info_hash(facts), info_hash(payload.facts))
      << "nobody who trusts the signed length meets it";
}

TEST(SwarmFacts, ARootIsCarriedOnce) {
  Member member(1);
  const Payload payload = make_payload(50000);
  member.seed(payload);
  EXPECT_EQ(
      member.swarm().fetch(payload.facts, member.dir() / "again", payload.leaves).error().code,
      Code::kExists);
}

TEST(SwarmFacts, UnknownRootIsNotFound) {
  Member member(1);
  const Digest root = sha256(as_bytes("unknown"));
  EXPECT_EQ(member.swarm().status(root).error().code, Code::kNotFound);
  EXPECT_EQ(member.swarm().peers(root).error().code, Code::kNotFound);
  EXPECT_EQ(member.swarm().add_peers(root, {}).error().code, Code::kNotFound);
  EXPECT_EQ(member.swarm().remove(root, true).error().code, Code::kNotFound);
}

TEST(SwarmFacts, PeerThatIsNoAddressIsAUsageError) {
  Member member(1);
  const Payload payload = make_payload(50000);
  member.seed(payload);
  const std::vector<Endpoint> peers{{"gateway.local", 1}};
  EXPECT_EQ(member.swarm().add_peers(payload.facts.root, peers).error().code, Code::kUsage);
  const std::vector<std::string> names{"10.0.0.1", "x"};
  EXPECT_EQ(member.swarm().mark_gateway(names).error().code, Code::kUsage);
}

}  // namespace
}  // namespace lineside::swarm

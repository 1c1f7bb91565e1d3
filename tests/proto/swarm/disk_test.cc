// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/fakes/failing_disk.h"
#include "tests/fakes/file_size_limit.h"
#include "tests/proto/swarm/site.h"

namespace lineside::swarm {
namespace {

TEST(SwarmDisk, FullDiskFailsTheDeliveryWithNoSpaceAndCanBeTriedAgain) {
  const Payload payload = make_payload(4U << 20);
  Member seeder(1);
  Member node(2);
  seeder.seed(payload);
  {
    const fakes::FileSizeLimit full(1U << 20);
    node.fetch(payload);
    node.meet(payload, seeder);
    const Status failed = node.await(payload, State::kFailed);
    ASSERT_TRUE(failed.error);
    EXPECT_EQ(failed.error->code, Code::kNoSpace);
    EXPECT_NE(failed.error->what.find("delivery"), std::string::npos) << failed.error->what;
    EXPECT_TRUE(failed.culprits.empty()) << "the disk is not a peer's fault";
  }
  ASSERT_TRUE(node.swarm().remove(payload.facts.root, false).ok());
  node.fetch(payload);
  node.meet(payload, seeder);
  node.await(payload, State::kSeeding);
  EXPECT_EQ(node.content(), payload.bytes);
}

TEST(SwarmDisk, MoreThanTheDiskHasIsRefusedAtOnce) {
  const fakes::TempDir dir;
  const auto disk = make_posix_disk();
  fakes::FailingDisk small(*disk);
  small.set_free(1U << 20);
  SwarmOptions options;
  options.listen = {"127.0.0.1:0"};
  options.local_discovery = false;
  const Result<std::unique_ptr<Swarm>> swarm = Swarm::start(small, options);
  ASSERT_TRUE(swarm.ok()) << swarm.error().describe();
  const DeliveryFacts facts{sha256(as_bytes("large")), 2U << 20};
  EXPECT_EQ((*swarm)->fetch(facts, dir / "delivery", {}).error().code, Code::kNoSpace);
}

TEST(SwarmDisk, RestartGoesOnWhereItStoppedAndReadsNothingAgain) {
  const Payload payload = make_payload(8U << 20);
  Member seeder(1);
  seeder.seed(payload);
  SwarmOptions slow;
  slow.download_limit = 2U << 20;
  Member node(2, slow);
  node.fetch(payload);
  node.meet(payload, seeder);
  const std::size_t half = piece_count(payload.facts.length) / 2;
  node.await(payload, [half](const Status& now) { return now.pieces_have >= half; });
  node.stop();
  ASSERT_TRUE(std::filesystem::exists(node.dir() / "delivery.resume"));

  // Spoiled behind its back: a start that read the file again would notice.
  const std::string kept = node.content();
  std::string spoiled = kept;
  for (char& byte : spoiled) byte = static_cast<char>(~byte);
  node.dir().write("delivery", spoiled);
  node.start();
  node.fetch(payload);
  const Status resumed = node.await(payload, State::kFetching);
  EXPECT_GE(resumed.pieces_have, half);
  node.stop();

  node.dir().write("delivery", kept);
  node.start();
  node.fetch(payload);
  node.swarm().set_limits(0, 0);
  node.meet(payload, seeder);
  const Status done = node.await(payload, State::kSeeding);
  EXPECT_EQ(node.content(), payload.bytes);
  EXPECT_LE(done.bytes_from_peers, payload.facts.length - half * 16384);
}

TEST(SwarmDisk, WithoutResumeDataTheFileIsCheckedAndKept) {
  const Payload payload = make_payload(1U << 20);
  Member seeder(1);
  Member node(2);
  seeder.seed(payload);
  std::string part = payload.bytes.substr(0, 600000);
  part[5] ^= 1;  // one block of it is bad
  node.dir().write("delivery", part);
  node.dir().write("delivery.resume", "no resume data");
  node.fetch(payload);
  node.meet(payload, seeder);
  const Status done = node.await(payload, State::kSeeding);
  EXPECT_EQ(node.content(), payload.bytes);
  EXPECT_LE(done.bytes_from_peers, payload.facts.length - 600000 + 2 * 16384);
}

TEST(SwarmDisk, CompleteFileSeedsAfterARestartWithoutAPeer) {
  const Payload payload = make_payload(500000);
  Member seeder(1);
  Member node(2);
  Member late(3);
  seeder.seed(payload);
  node.fetch(payload);
  node.meet(payload, seeder);
  node.await(payload, State::kSeeding);
  seeder.stop();
  node.stop();
  node.start();
  node.fetch(payload);
  node.await(payload, State::kSeeding);
  late.fetch(payload);
  late.meet(payload, node);
  late.await(payload, State::kSeeding);
  EXPECT_EQ(late.content(), payload.bytes);
}

TEST(SwarmDisk, ShorterFileThanResumeDataSayIsCheckedAgain) {
  const Payload payload = make_payload(500000);
  Member seeder(1);
  Member node(2);
  seeder.seed(payload);
  node.fetch(payload);
  node.meet(payload, seeder);
  node.await(payload, State::kSeeding);
  node.stop();
  std::filesystem::resize_file(node.file(), 100000);
  node.start();
  node.fetch(payload);
  node.meet(payload, seeder);
  node.await(payload, State::kSeeding);
  EXPECT_EQ(node.content(), payload.bytes);
}

TEST(SwarmDisk, WhatIsNoPartOfTheDeliveryIsLeftAlone) {
  const Payload payload = make_payload(50000);
  Member node(1);
  node.dir().write("delivery", std::string(50001, 'x'));
  EXPECT_EQ(node.swarm().fetch(payload.facts, node.file(), payload.leaves).error().code,
            Code::kConflict);
  std::filesystem::remove(node.file());
  std::filesystem::create_symlink("/etc/hostname", node.file());
  EXPECT_EQ(node.swarm().fetch(payload.facts, node.file(), payload.leaves).error().code,
            Code::kConflict);
  EXPECT_EQ(node.swarm().seed(payload.facts, node.file(), payload.leaves).error().code,
            Code::kMismatch);
}

}  // namespace
}  // namespace lineside::swarm

// SPDX-License-Identifier: Apache-2.0
#include "proto/swarm/resume.h"

#include <gtest/gtest.h>

namespace lineside::swarm {
namespace {

const DeliveryFacts kFacts{sha256(as_bytes("delivery")), 11 * 16384 - 5};

Pieces some() {
  Pieces pieces(11);
  for (const std::size_t i : {0, 3, 7, 8, 10}) pieces[i] = true;
  return pieces;
}

TEST(Resume, ComesBackAsWritten) {
  const Bytes bytes = encode_resume(kFacts, some());
  EXPECT_EQ(bytes.size(), resume_bytes(kFacts));
  const Result<Pieces> read = decode_resume(bytes, kFacts);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, some());
}

TEST(Resume, OfAnotherDeliveryIsRefused) {
  const Bytes bytes = encode_resume(kFacts, some());
  const DeliveryFacts longer{kFacts.root, kFacts.length + 1};
  const DeliveryFacts other{sha256(as_bytes("other")), kFacts.length};
  EXPECT_EQ(decode_resume(bytes, longer).error().code, Code::kMismatch);
  EXPECT_EQ(decode_resume(bytes, other).error().code, Code::kMismatch);
}

TEST(Resume, AnyFlippedBitIsRefused) {
  const Bytes good = encode_resume(kFacts, some());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(decode_resume(bad, kFacts).ok()) << bit;
  }
}

TEST(Resume, EveryOtherLengthIsRefused) {
  const Bytes good = encode_resume(kFacts, some());
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(decode_resume(BytesView(good).first(size), kFacts).ok()) << size;
  }
  // With a checksum that is right for a map that is too short.
  EXPECT_EQ(decode_resume(encode_resume(kFacts, Pieces(3)), kFacts).error().code, Code::kMalformed);
}

}  // namespace
}  // namespace lineside::swarm

// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/leaves.h"

#include <gtest/gtest.h>

#include "proto/trust/merkle.h"

namespace lineside::trust {
namespace {

std::vector<Digest> two_leaves() {
  return {sha256(as_bytes("first")), sha256(as_bytes("second"))};
}

TEST(Leaves, AreWholeBlocksAndTheRest) {
  EXPECT_EQ(leaf_count(0), 0U);
  EXPECT_EQ(leaf_count(1), 1U);
  EXPECT_EQ(leaf_count(kLeafBytes), 1U);
  EXPECT_EQ(leaf_count(kLeafBytes + 1), 2U);
  EXPECT_EQ(leaf_count(~0ULL), (1ULL << 50));  // no overflow
}

TEST(Leaves, SurviveTheDisk) {
  const Bytes bytes = serialise_leaves(two_leaves());
  EXPECT_EQ(bytes.size(), 64U);
  auto back = parse_leaves(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, two_leaves());
  EXPECT_TRUE(parse_leaves({})->empty());
}

TEST(Leaves, ABrokenOffLeafIsRefused) {
  Bytes bytes = serialise_leaves(two_leaves());
  bytes.pop_back();
  EXPECT_EQ(parse_leaves(bytes).error().code, Code::kMalformed);
}

TEST(Leaves, OfAnotherLengthOrRootAreRefused) {
  const Digest root = root_of(two_leaves());
  EXPECT_TRUE(verify_leaves(two_leaves(), kLeafBytes + 1, root).ok());
  EXPECT_EQ(verify_leaves(two_leaves(), kLeafBytes, root).error().code, Code::kMismatch);
  EXPECT_EQ(verify_leaves(two_leaves(), kLeafBytes + 1, sha256({})).error().code, Code::kMismatch);
}

}  // namespace
}  // namespace lineside::trust

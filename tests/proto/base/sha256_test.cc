// SPDX-License-Identifier: Apache-2.0
#include "proto/base/sha256.h"

#include <gtest/gtest.h>

namespace lineside {
namespace {

// FIPS 180-4 examples.
TEST(Sha256, MatchesThePublishedVectors) {
  EXPECT_EQ(sha256({}).hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256(as_bytes("abc")).hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, StreamsInAnyPortions) {
  std::string text(100'000, 'x');
  Sha256 hash;
  for (std::size_t at = 0; at < text.size(); at += 777) {
    hash.update(as_bytes(std::string_view(text).substr(at, 777)));
  }
  EXPECT_EQ(hash.finish(), sha256(as_bytes(text)));
}

TEST(Digest, ParsesOnlySixtyFourHexDigits) {
  std::string hex(64, 'a');
  ASSERT_TRUE(Digest::parse(hex).ok());
  EXPECT_EQ(Digest::parse(hex)->hex(), hex);
  EXPECT_FALSE(Digest::parse("").ok());
  EXPECT_FALSE(Digest::parse(std::string(63, 'a')).ok());
  EXPECT_FALSE(Digest::parse(std::string(64, 'z')).ok());
}

}  // namespace
}  // namespace lineside

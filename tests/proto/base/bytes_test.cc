// SPDX-License-Identifier: Apache-2.0
#include "proto/base/bytes.h"

#include <gtest/gtest.h>

namespace lineside {
namespace {

TEST(Hex, RoundTripsEveryByte) {
  Bytes all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  auto back = from_hex(to_hex(all));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, all);
}

TEST(Hex, RefusesOddLengthAndForeignCharacters) {
  EXPECT_EQ(from_hex("abc").error().code, Code::kMalformed);
  EXPECT_EQ(from_hex("0g").error().code, Code::kMalformed);
}

// RFC 4648 section 10.
TEST(Base64, MatchesTheVectorsOfTheRfc) {
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(to_base64(as_bytes(plain)), coded);
    auto back = from_base64(coded);
    ASSERT_TRUE(back.ok()) << coded;
    EXPECT_EQ(as_text(*back), plain);
  }
}

TEST(Base64, TakesTheUrlSafeAlphabetAndMissingPadding) {
  auto standard = from_base64("+/+/");
  auto safe = from_base64("-_-_");
  ASSERT_TRUE(standard.ok() && safe.ok());
  EXPECT_EQ(*standard, *safe);
  EXPECT_TRUE(from_base64("Zg").ok());
}

TEST(Base64, RefusesWhiteSpaceStrayBitsAndBadLength) {
  for (const char* bad : {"Zm 9", "Zh==", "Z", "Zg=", "Zm9v=", "===="}) {
    EXPECT_FALSE(from_base64(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace lineside

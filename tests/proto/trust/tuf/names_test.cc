// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/tuf/names.h"

#include <gtest/gtest.h>

namespace lineside::trust::tuf {
namespace {

TEST(Names, EncodeEverythingButUnreservedCharacters) {
  EXPECT_EQ(percent_encode("Az09-._~"), "Az09-._~");
  EXPECT_EQ(percent_encode("a/b?c#d%é "), "a%2Fb%3Fc%23d%25%C3%A9%20");
  EXPECT_EQ(percent_encode("a/b", "/"), "a/b");
}

TEST(Names, DecodeWhatTheyEncode) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  auto back = percent_decode(percent_encode(all));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, all);
  for (const char* bad : {"%", "%2", "%zz", "a%"}) {
    EXPECT_EQ(percent_decode(bad).error().code, Code::kMalformed) << bad;
  }
}

TEST(Names, StayInTheirFolder) {
  for (const char* name : {"..", ".", "", "../x", "/x", "a/b", "a\0b"}) {
    std::string file = file_name(name);
    EXPECT_EQ(file.find('/'), std::string::npos) << name;
    EXPECT_FALSE(file.empty() || file == "." || file == "..") << name;
  }
  EXPECT_EQ(role_file(".."), "...json");
}

TEST(Names, PutTheHashBeforeTheLastPart) {
  TargetInfo target{"dir/sub/a.txt", 1, {{"sha256", "ab"}, {"sha512", "cd"}}};
  EXPECT_EQ(*served_name(target, true), "dir/sub/ab.a.txt");
  EXPECT_EQ(*served_name(target, false), "dir/sub/a.txt");
  target.hashes.erase("sha256");
  EXPECT_EQ(*served_name(target, true), "dir/sub/cd.a.txt");
  target.hashes = {{"md5", "00"}};
  EXPECT_EQ(served_name(target, true).error().code, Code::kUnsupported);
}

}  // namespace
}  // namespace lineside::trust::tuf

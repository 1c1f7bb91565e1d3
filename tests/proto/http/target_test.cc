// SPDX-License-Identifier: Apache-2.0
#include "proto/http/target.h"

#include <gtest/gtest.h>

namespace lineside::http {
namespace {

TEST(Target, DecodesPathAndQuery) {
  auto target = parse_target("/a%20b/c+d/?x=1%2F2&y=a+b&z");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->path, "/a b/c+d/");
  EXPECT_EQ(target->query["x"], "1/2");
  EXPECT_EQ(target->query["y"], "a b");
  EXPECT_EQ(target->query["z"], "");
}

TEST(Target, TakesTheAbsoluteForm) {
  EXPECT_EQ(parse_target("http://host:80/a?b=1")->path, "/a");
  EXPECT_EQ(parse_target("HTTP://host")->path, "/");
}

TEST(Target, CollapsesSlashes) {
  EXPECT_EQ(parse_target("//a///b")->path, "/a/b");
}

TEST(Target, RefusesEveryWayUp) {
  for (const char* text : {"/..",      "/../etc/passwd", "/a/../b", "/%2e%2e/x", "/.%2E/x",
                           "/a/%2e/b", "/..%2fetc",      "/a%2fb",  "/a%5cb",    "/a\\..\\b",
                           "/%00",     "/a%0ab",         "/a%7f",   "",          "a",
                           "*",        "/a#b",           "/%",      "/%4",       "/%zz",
                           "/a b",     "http:/a",        "/?a=%00"}) {
    EXPECT_FALSE(parse_target(text).ok()) << text;
  }
}

TEST(Target, RefusesAmbiguousAndHugeQueries) {
  EXPECT_EQ(parse_target("/?a=1&a=2").error().code, Code::kMalformed);
  std::string many = "/?";
  for (int i = 0; i < 65; ++i) many += "k" + std::to_string(i) + "&";
  EXPECT_EQ(parse_target(many).error().code, Code::kTooLarge);
  EXPECT_EQ(parse_target("/" + std::string(9000, 'a')).error().code, Code::kTooLarge);
}

TEST(Target, EncodedPathsComeBack) {
  std::string path = "/a b/%41/\xc3\xa9?#&+";
  EXPECT_EQ(parse_target(encode_path(path))->path, path);
}

TEST(ParseUrl, FillsInTheDefaults) {
  auto url = parse_url("https://origin.example");
  ASSERT_TRUE(url.ok());
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->authority(), "origin.example:443");
  EXPECT_EQ(url->target, "/");
  EXPECT_EQ(parse_url("http://h/a/b?c#d")->target, "/a/b?c");
  EXPECT_EQ(parse_url("http://[::1]:8080/x")->origin(), "http://[::1]:8080");
}

TEST(ParseUrl, RefusesWhatItCannotMean) {
  for (const char* text : {"", "ftp://a/", "http://", "http:///x", "http://u:p@h/", "http://h:0/",
                           "http://h:65536/", "http://h:x/", "http://h /", "http://[::1/",
                           "http://[]/", "http://h\n/", "http://[::1]x/"}) {
    EXPECT_EQ(parse_url(text).error().code, Code::kMalformed) << text;
  }
  EXPECT_EQ(parse_url("http://u:secret@h/").error().what.find("secret"), std::string::npos);
}

TEST(ParseEndpoint, TakesBothFamilies) {
  EXPECT_EQ(parse_endpoint("0.0.0.0:7443")->port, 7443);
  EXPECT_EQ(parse_endpoint("[::1]:0")->text(), "[::1]:0");
  for (const char* text : {"", "1.2.3.4", "1.2.3.4:", ":80", "1.2.3.4:99999", "[::1]"}) {
    EXPECT_EQ(parse_endpoint(text).error().code, Code::kUsage) << text;
  }
}

struct RangeCase {
  const char* header;
  RangeChoice::Kind kind;
  std::uint64_t offset, length;
};

TEST(ChooseRange, CoversRfc9110) {
  using Kind = RangeChoice::Kind;
  for (const RangeCase& c : {RangeCase{"bytes=0-0", Kind::kPart, 0, 1},
                             {"bytes=0-99", Kind::kPart, 0, 10},
                             {"bytes=9-", Kind::kPart, 9, 1},
                             {"bytes=-3", Kind::kPart, 7, 3},
                             {"bytes=-99", Kind::kPart, 0, 10},
                             {"BYTES=2-3", Kind::kPart, 2, 2},
                             {"bytes=10-", Kind::kUnsatisfiable, 0, 0},
                             {"bytes=-0", Kind::kUnsatisfiable, 0, 0},
                             {"bytes=18446744073709551615-", Kind::kUnsatisfiable, 0, 0},
                             {"bytes=18446744073709551616-", Kind::kWhole, 0, 10},
                             {"bytes=3-2", Kind::kWhole, 0, 10},
                             {"bytes=0-1,3-4", Kind::kWhole, 0, 10},
                             {"bytes=+1-2", Kind::kWhole, 0, 10},
                             {"bytes=-", Kind::kWhole, 0, 10},
                             {"lines=0-1", Kind::kWhole, 0, 10},
                             {"", Kind::kWhole, 0, 10}}) {
    RangeChoice choice = choose_range(c.header, 10);
    EXPECT_EQ(choice.kind, c.kind) << c.header;
    EXPECT_EQ(choice.offset, c.offset) << c.header;
    EXPECT_EQ(choice.length, c.length) << c.header;
  }
  EXPECT_EQ(choose_range("bytes=0-", 0).kind, Kind::kUnsatisfiable);
}

TEST(ParseContentRange, ChecksItself) {
  EXPECT_EQ(parse_content_range("bytes 5-9/10")->first, 5u);
  EXPECT_FALSE(parse_content_range("bytes 5-9/*")->total.has_value());
  for (const char* text : {"", "bytes 5-9", "bytes 9-5/10", "bytes 5-9/9", "bytes */10",
                           "bytes 5-9/x", "bytes -5/10"}) {
    EXPECT_FALSE(parse_content_range(text).ok()) << text;
  }
}

}  // namespace
}  // namespace lineside::http

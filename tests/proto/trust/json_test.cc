// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace lineside::trust {
namespace {

Error refusal(std::string_view text) {
  auto parsed = parse_json(as_bytes(text), "input");
  EXPECT_FALSE(parsed.ok()) << text;
  return parsed.ok() ? Error{} : parsed.error();
}

std::string canonical(std::string_view text) {
  auto parsed = parse_json(as_bytes(text), "input");
  if (!parsed.ok()) return parsed.error().describe();
  auto bytes = canonical_json(*parsed);
  return bytes.ok() ? std::string(as_text(*bytes)) : bytes.error().describe();
}

TEST(Json, RefusesAMemberTwiceAndSaysWhere) {
  Error error = refusal(R"({"threshold":2,"threshold":0})");
  EXPECT_EQ(error.code, Code::kMalformed);
  EXPECT_NE(error.what.find("input: byte 2"), std::string::npos) << error.what;
  EXPECT_NE(error.what.find("\"threshold\" twice"), std::string::npos) << error.what;
}

TEST(Json, RefusesAMemberTwiceHoweverItIsEscaped) {
  EXPECT_EQ(refusal(R"({"a":1,"\u0061":2})").code, Code::kMalformed);
}

TEST(Json, TakesTheSameNameInDifferentObjects) {
  EXPECT_TRUE(parse_json(as_bytes(R"({"a":{"a":1},"b":[{"a":2},{"a":3}]})"), "input").ok());
}

TEST(Json, RefusesFractionsAndExponents) {
  for (std::string_view text : {"1.0", "1e3", "-0.5", "[1E0]", "1e999"}) {
    EXPECT_EQ(refusal(text).code, Code::kMalformed) << text;
  }
}

TEST(Json, RefusesIntegersOutside64Bits) {
  for (std::string_view text :
       {"9223372036854775808", "-9223372036854775809", "18446744073709551616"}) {
    EXPECT_EQ(refusal(text).code, Code::kMalformed) << text;
  }
  EXPECT_EQ(canonical("9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(canonical("-9223372036854775808"), "-9223372036854775808");
}

TEST(Json, RefusesWhatIsNotUtf8) {
  for (std::string_view text : {"\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", R"("\ud800")"}) {
    EXPECT_EQ(refusal(text).code, Code::kMalformed);
  }
}

TEST(Json, RefusesTextAfterTheValueButTakesWhiteSpace) {
  EXPECT_EQ(refusal("{} {}").code, Code::kMalformed);
  EXPECT_EQ(refusal("{}x").code, Code::kMalformed);
  EXPECT_TRUE(parse_json(as_bytes(" {} \r\n\t"), "input").ok());
}

TEST(Json, RefusesANulAndWhatItWouldHide) {
  EXPECT_EQ(refusal(std::string_view("{}\0{\"more\":1}", 13)).code, Code::kMalformed);
  EXPECT_EQ(refusal(std::string_view("{}\0", 3)).code, Code::kMalformed);
}

TEST(Json, RefusesAByteOrderMarkCommentsAndNothing) {
  for (std::string_view text : {"\xEF\xBB\xBF{}", "{} // more", "/**/{}", "", "   ", "{", "[1,]",
                                "{\"a\"}", "nul", "'a'", "NaN"}) {
    EXPECT_EQ(refusal(text).code, Code::kMalformed) << text;
  }
}

TEST(Json, RefusesTooManyBytesAndTooMuchDepth) {
  JsonLimits limits;
  limits.max_bytes = 4;
  EXPECT_EQ(parse_json(as_bytes("[1,2]"), "input", limits).error().code, Code::kTooLarge);
  EXPECT_TRUE(parse_json(as_bytes("[12]"), "input", limits).ok());

  std::string deepest = std::string(32, '[') + std::string(32, ']');
  EXPECT_TRUE(parse_json(as_bytes(deepest), "input").ok());
  EXPECT_EQ(refusal("[" + deepest + "]").code, Code::kTooLarge);
  EXPECT_EQ(refusal(std::string(1'000'000, '[')).code, Code::kTooLarge);
}

TEST(Json, SaysAtWhichByteItStumbled) {
  Error error = refusal(R"({"a": tru})");
  EXPECT_NE(error.what.find("input: byte "), std::string::npos) << error.what;
}

struct CanonicalCase {
  std::string_view json;
  std::string_view canonical_hex;
};

class CanonicalVectors : public testing::TestWithParam<CanonicalCase> {};

TEST_P(CanonicalVectors, HaveTheExpectedBytes) {
  EXPECT_EQ(to_hex(as_bytes(canonical(GetParam().json))), GetParam().canonical_hex);
}

// Agree with securesystemslib; all but the last also with the JavaScript implementation, which
// sorts by UTF-16 units.
INSTANTIATE_TEST_SUITE_P(
    Olpc, CanonicalVectors,
    testing::Values(
        CanonicalCase{R"({"b": 12, "a": "qwerty"})", "7b2261223a22717765727479222c2262223a31327d"},
        CanonicalCase{R"({"x": 3, "y": null})", "7b2278223a332c2279223a6e756c6c7d"},
        CanonicalCase{"[1, 2, 3]", "5b312c322c335d"}, CanonicalCase{"{}", "7b7d"},
        CanonicalCase{R"({"A": [99]})", "7b2241223a5b39395d7d"},
        CanonicalCase{R"("a\"b\\c")", "22615c22625c5c6322"},
        CanonicalCase{R"("tab\there\nnl\u0001")", "2274616209686572650a6e6c0122"},
        CanonicalCase{R"("\u00e9\u20ac")", "22c3a9e282ac22"},
        CanonicalCase{R"("slash/")", "22736c6173682f22"},
        CanonicalCase{
            R"({"a": true, "B": false, "a.b": -5, "10": 1, "9": 2})",
            "7b223130223a312c2239223a322c2242223a66616c73652c2261223a747275652c22612e62223"
            "a2d357d"},
        CanonicalCase{R"({"\uffff": 1, "\ud800\udc00": 2})",
                      "7b22efbfbf223a312c22f0908080223a327d"}));

TEST(CanonicalJson, RefusesFloatsThatNeverWereText) {
  EXPECT_EQ(canonical_json(nlohmann::json(0.5)).error().code, Code::kMalformed);
}

TEST(CanonicalJson, TakesUnsignedNumbersOfTheProgram) {
  EXPECT_EQ(as_text(*canonical_json(nlohmann::json{{"length", std::uint64_t{1} << 63}})),
            R"({"length":9223372036854775808})");
}

}  // namespace
}  // namespace lineside::trust

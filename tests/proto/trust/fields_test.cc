// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/fields.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace lineside::trust {
namespace {

using nlohmann::json;

TEST(Fields, ReadsEveryType) {
  json tree = json::parse(R"({"t":"x","i":-3,"b":true,"u":"2026-11-22T19:13:23Z","l":["a","b"],
    "d":"06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9",
    "o":{"t":"y"},"a":[{"n":1},{"n":2}],"m":{"k":"v"},"c":{"one":1},"p":{"q":{"t":"z"}}})");
  Fields fields(tree, "doc");
  EXPECT_EQ(fields.text("t"), "x");
  EXPECT_EQ(fields.integer("i", -5, 5), -3);
  EXPECT_TRUE(fields.boolean("b"));
  EXPECT_EQ(format_utc(fields.utc("u")), "2026-11-22T19:13:23Z");
  EXPECT_EQ(fields.texts("l"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(fields.digest("d").hex().substr(0, 4), "06e3");
  EXPECT_EQ(fields.object("o").text("t"), "y");
  std::int64_t sum = 0;
  for (Fields& item : fields.list("a")) sum += item.integer("n", 0, 9);
  EXPECT_EQ(sum, 3);
  EXPECT_EQ(fields.text_map("m").at("k"), "v");
  EXPECT_EQ(fields.integer_map("c").at("one"), 1);
  EXPECT_EQ(fields.object_map("p").at("q").text("t"), "z");
  EXPECT_FALSE(fields.optional_text("absent").has_value());
  EXPECT_TRUE(fields.finish().ok());
}

std::string error_of(const Fields& fields) {
  auto result = fields.finish();
  return result.ok() ? "" : result.error().what;
}

TEST(Fields, NamesThePathOfTheFirstError) {
  json tree = json::parse(R"({"devices":[{"id":"a"},{"id":7}],"site":1})");
  Fields fields(tree, "roster");
  for (Fields& device : fields.list("devices")) device.text("id");
  fields.text("site");
  EXPECT_EQ(error_of(fields), "roster.devices[1].id: expected a string");
}

TEST(Fields, RefusesWhatIsMissing) {
  json tree = json::object();
  Fields fields(tree, "doc");
  EXPECT_EQ(fields.text("site"), "");
  EXPECT_EQ(error_of(fields), "doc.site: missing");
}

TEST(Fields, RefusesUnknownMembersAtEveryDepth) {
  json tree = json::parse(R"({"o":{"known":"x","unless":"y"}})");
  Fields fields(tree, "doc");
  fields.object("o").text("known");
  EXPECT_EQ(error_of(fields), "doc.o.unless: unknown member");
}

TEST(Fields, AllowsUnknownMembersWhereASpecificationDoes) {
  json tree = json::parse(R"({"o":{"known":"x","more":"y"},"more":1})");
  Fields fields(tree, "doc", UnknownMembers::kAllowed);
  fields.object("o").text("known");
  EXPECT_TRUE(fields.finish().ok());
}

TEST(Fields, RefusesWrongTypesOfOptionalMembers) {
  json tree = json::parse(R"({"a":null})");
  Fields fields(tree, "doc");
  EXPECT_FALSE(fields.optional_text("a").has_value());
  EXPECT_EQ(error_of(fields), "doc.a: expected a string");
}

TEST(Fields, RefusesNumbersOutsideTheirRange) {
  json tree = json::parse(R"({"low":0,"high":11,"text":"5","huge":18446744073709551615})");
  for (const char* name : {"low", "high", "text", "huge"}) {
    Fields fields(tree, "doc", UnknownMembers::kAllowed);
    fields.integer(name, 1, 10);
    EXPECT_EQ(error_of(fields), std::string("doc.") + name + ": expected an integer from 1 to 10");
  }
}

TEST(Fields, RefusesDigestsAndTimesInOtherSpellings) {
  json tree = {{"empty", ""},
               {"upper", std::string(64, 'A')},
               {"short", std::string(62, 'a')},
               {"offset", "2026-11-22T19:13:23+00:00"}};
  for (const char* name : {"empty", "upper", "short"}) {
    Fields fields(tree, "doc", UnknownMembers::kAllowed);
    fields.digest(name);
    EXPECT_FALSE(fields.finish().ok()) << name;
  }
  Fields fields(tree, "doc", UnknownMembers::kAllowed);
  fields.utc("offset");
  EXPECT_FALSE(fields.finish().ok());
}

TEST(Fields, SurvivesWrongTypesEverywhere) {
  json tree = json::parse(R"({"a":[],"o":3})");
  Fields fields(tree, "doc");
  EXPECT_TRUE(fields.object("a").list("x").empty());
  EXPECT_TRUE(fields.list("o").empty());
  EXPECT_TRUE(fields.texts("o").empty());
  EXPECT_TRUE(fields.text_map("a").empty());
  EXPECT_TRUE(fields.raw("none").is_null());
  EXPECT_FALSE(fields.finish().ok());

  json array = json::array();
  EXPECT_EQ(error_of(Fields(array, "doc")), "doc: expected an object");
}

TEST(Fields, TakesTheCallersOwnErrors) {
  json tree = json::parse(R"({"result":"MAYBE"})");
  Fields fields(tree, "doc");
  if (fields.text("result") != "PASSED") fields.fail("result", "expected PASSED");
  EXPECT_EQ(error_of(fields), "doc.result: expected PASSED");
}

}  // namespace
}  // namespace lineside::trust

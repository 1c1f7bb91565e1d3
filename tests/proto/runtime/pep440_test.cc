// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/pep440.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace lineside::runtime {
namespace {

bool holds(std::string_view spec, std::string_view version) {
  return pep440_line(std::string(spec) + "\t" + std::string(version)) == "true";
}

TEST(Version, NormalisesEverySpelling) {
  EXPECT_EQ(Version::parse(" v1!01.0-ALPHA_2.rev.dev+Ubuntu-01 ")->str(),
            "1!1.0a2.post0.dev0+ubuntu.1");
  EXPECT_EQ(Version::parse("1.0-1")->str(), "1.0.post1");
  EXPECT_EQ(Version::parse("1.0c")->str(), "1.0rc0");
}

TEST(Version, RefusesWhatIsNotOne) {
  for (std::string_view text : {"", ".", "1.", "1..0", "1.0+", "1.0+a..b", "1.0x", "!1", "1 .0",
                                "1.0-1-1", "\xD9\xA1.0", "1.0+\xC5\xBF", "french toast"}) {
    EXPECT_EQ(Version::parse(text).error().code, Code::kMalformed) << text;
  }
}

TEST(Version, SortsAsPep440Says) {
  const std::vector<std::string> sorted = {
      "1.0.dev0",  "1.0a1.dev0", "1.0a1",      "1.0a1.post0", "1.0b1",  "1.0rc1",
      "1.0",       "1.0+a",      "1.0+a.1",    "1.0+1",       "1.0+10", "1.0.post0.dev1",
      "1.0.post0", "1.0.post1",  "1.0.1.dev3", "1.1",         "1.10",   "1!0.1"};
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    for (std::size_t k = 0; k < sorted.size(); ++k) {
      EXPECT_EQ(*Version::parse(sorted[i]) <=> *Version::parse(sorted[k]), i <=> k)
          << sorted[i] << " " << sorted[k];
    }
  }
  EXPECT_EQ(*Version::parse("1"), *Version::parse("1.0.0"));
}

TEST(Version, ComparesNumbersBeyond64Bits) {
  EXPECT_LT(*Version::parse("18446744073709551615"), *Version::parse("18446744073709551616"));
  EXPECT_EQ(*Version::parse("000000000000000000000000000000000001"), *Version::parse("1"));
}

TEST(SpecifierSet, TheIncidentIsOutsideItsRange) {
  EXPECT_FALSE(holds(">=1.20", "1.19.5"));
  EXPECT_TRUE(holds(">=1.20", "1.21.6"));
}

TEST(SpecifierSet, CompatibleReleaseHoldsThePrefix) {
  EXPECT_TRUE(holds("~=1.19.2", "1.19.5"));
  EXPECT_FALSE(holds("~=1.19.2", "1.20"));
  EXPECT_TRUE(holds("~=1.4.5a4", "1.4.6"));
  EXPECT_EQ(pep440_line("~=1\t1"), "invalid");
}

TEST(SpecifierSet, WildcardsMatchPadded) {
  EXPECT_TRUE(holds("==1.0.*", "1"));
  EXPECT_TRUE(holds("==1.1.*", "1.1.dev1"));
  EXPECT_FALSE(holds("!=1.1.*", "1.1.post1"));
  EXPECT_FALSE(holds("==1.1.*", "1.10"));
}

TEST(SpecifierSet, OrderedOperatorsLeaveOutTheFamilyOfTheirVersion) {
  EXPECT_FALSE(holds(">1.7", "1.7.0.post1"));
  EXPECT_TRUE(holds(">1.7.post1", "1.7.post2"));
  EXPECT_FALSE(holds(">1.7", "1.7+local"));
  EXPECT_FALSE(holds("<1.7", "1.7rc1"));
  EXPECT_TRUE(holds("<1.7rc2", "1.7rc1"));
  EXPECT_TRUE(holds("<=1.7", "1.7+local"));
}

TEST(SpecifierSet, LocalVersionsAreIgnoredUnlessAskedFor) {
  EXPECT_TRUE(holds("==1.0", "1.0+cu118"));
  EXPECT_FALSE(holds("==1.0+cpu", "1.0+cu118"));
  EXPECT_FALSE(holds("==1.0+cpu", "1.0"));
}

TEST(SpecifierSet, ArbitraryEqualityComparesText) {
  EXPECT_TRUE(holds("===1.0A1", "1.0a1"));
  EXPECT_FALSE(holds("===1.0", "1.0.0"));
  EXPECT_FALSE(holds("===1.0", " 1.0"));
}

TEST(SpecifierSet, EmptyTakesEveryVersion) {
  EXPECT_TRUE(holds("", "1.0.dev1"));
  EXPECT_TRUE(holds(" , ", "0"));
}

TEST(Pep440Line, NamesWhatIsInvalid) {
  for (std::string_view line :
       {"", "1.0", ">=1.0\tfrench", ">=french\t1.0", "=>1\t1", ">=1.*\t1", "~=1.0+a\t1",
        "==1.0a1.*\t1", "===a;b\t1", "===\t1", "(~=1.19.2)\t1.19.2", ">=1.0\t1.0\t2"}) {
    EXPECT_EQ(pep440_line(line), "invalid") << line;
  }
}

}  // namespace
}  // namespace lineside::runtime

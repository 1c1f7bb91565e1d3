// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/tuf/delegation.h"

#include <gtest/gtest.h>

namespace lineside::trust::tuf {
namespace {

TEST(Pattern, MatchesPartByPart) {
  EXPECT_TRUE(matches_pattern("*", "a"));
  EXPECT_TRUE(matches_pattern("targets/*.tgz", "targets/foo.tgz"));
  EXPECT_TRUE(matches_pattern("foo-version-?.tgz", "foo-version-a.tgz"));
  EXPECT_TRUE(matches_pattern("*.doc", ".doc"));
  EXPECT_TRUE(matches_pattern("a*b*c", "aXbYbZc"));
  EXPECT_TRUE(matches_pattern("*/*", "a/b"));
  EXPECT_TRUE(matches_pattern("**", "abc"));
}

TEST(Pattern, DoesNotMatchOtherThings) {
  EXPECT_FALSE(matches_pattern("*", "a/b"));
  EXPECT_FALSE(matches_pattern("*/*", "a"));
  EXPECT_FALSE(matches_pattern("targets/*.tgz", "targets/foo.txt"));
  EXPECT_FALSE(matches_pattern("foo-version-?.tgz", "foo-version-alpha.tgz"));
  EXPECT_FALSE(matches_pattern("*.md", "README.MD"));
  EXPECT_FALSE(matches_pattern("a", ""));
  EXPECT_FALSE(matches_pattern("", "a"));
  EXPECT_FALSE(matches_pattern("dir/", "dir"));
}

TEST(Pattern, TakesBracketsAndBackslashesForThemselves) {
  EXPECT_FALSE(matches_pattern("[ab]", "a"));
  EXPECT_TRUE(matches_pattern("[ab]", "[ab]"));
  EXPECT_FALSE(matches_pattern("\\*", "*"));
}

TEST(Pattern, EndsSoonOnHostilePatterns) {
  std::string pattern;
  for (int i = 0; i < 1000; ++i) pattern += "a*";
  EXPECT_FALSE(matches_pattern(pattern + "b", std::string(10'000, 'a')));
}

TEST(Delegation, MatchesPrefixesOfTheHashOfThePath) {
  DelegatedRole role;
  std::string hash = sha256(as_bytes("a/b")).hex();
  role.path_hash_prefixes = {"ffffffffff", hash.substr(0, 4)};
  EXPECT_TRUE(matches(role, "a/b"));
  EXPECT_FALSE(matches(role, "a/c"));
  role.path_hash_prefixes = {};
  EXPECT_FALSE(matches(role, "a/b"));
}

Targets delegating_to(std::initializer_list<std::pair<const char*, bool>> roles) {
  Targets out;
  for (const auto& [name, terminating] : roles) {
    DelegatedRole role;
    role.name = name;
    role.terminating = terminating;
    role.paths = {"*"};
    out.roles.push_back(role);
  }
  return out;
}

TEST(Delegation, WalksInTheOrderOfPriority) {
  DelegationWalk walk;
  walk.descend({"targets"}, delegating_to({{"A", false}, {"B", false}}), "t");
  auto first = walk.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, (RolePath{"targets", "A"}));
  walk.descend(*first, delegating_to({{"C", true}, {"D", false}}), "t");
  EXPECT_EQ(*walk.next(), (RolePath{"targets", "A", "C"}));
  EXPECT_EQ(walk.next(), std::nullopt);
}

}  // namespace
}  // namespace lineside::trust::tuf

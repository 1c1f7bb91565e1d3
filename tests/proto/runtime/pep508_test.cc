// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/pep508.h"

#include <gtest/gtest.h>

#include "proto/runtime/pep503.h"

namespace lineside::runtime {
namespace {

Requirement parsed(std::string_view line) {
  auto out = Requirement::parse(line);
  EXPECT_TRUE(out.ok()) << line << ": " << (out.ok() ? "" : out.error().what);
  return out.ok() ? *out : Requirement{};
}

bool holds(std::string_view marker, const Environment& environment) {
  auto out = Marker::parse(marker);
  EXPECT_TRUE(out.ok()) << marker;
  return out.ok() && *out->holds(environment);
}

TEST(NormalizeName, OneNameForEverySpelling) {
  EXPECT_EQ(normalize_name("Typing_Extensions"), "typing-extensions");
  EXPECT_EQ(normalize_name("zope.interface"), "zope-interface");
  EXPECT_EQ(normalize_name("a-_.b"), "a-b");
  EXPECT_FALSE(valid_name("-a"));
  EXPECT_FALSE(valid_name("a b"));
  EXPECT_TRUE(valid_name("a.b_c-1"));
}

TEST(Requirement, TakesBothFormsOfRanges) {
  EXPECT_EQ(parsed("numpy>=1.20").specifiers.str(), ">=1.20");
  Requirement old = parsed("numpy (~=1.19.2)");
  EXPECT_EQ(old.name, "numpy");
  EXPECT_EQ(old.specifiers.str(), "~=1.19.2");
  EXPECT_EQ(parsed("grpcio (<2.0,>=1.24.3) ; python_version>'3'").specifiers.clauses().size(), 2U);
}

TEST(Requirement, TakesExtrasUrlsAndMarkers) {
  Requirement all = parsed("requests [security, socks] >= 2.8.1, == 2.8.* ; os_name == 'posix'");
  EXPECT_EQ(all.extras, (std::vector<std::string>{"security", "socks"}));
  EXPECT_TRUE(all.marker.has_value());
  Requirement url = parsed("pip @ https://example.org/a;b.whl ; sys_platform == \"linux\"");
  EXPECT_EQ(url.url, "https://example.org/a;b.whl");
  EXPECT_TRUE(url.marker.has_value());
  EXPECT_TRUE(parsed("setuptools").specifiers.clauses().empty());
}

TEST(Requirement, RefusesWhatIsNotOne) {
  for (std::string_view line :
       {"", ">=1.0", "numpy 1.0", "numpy>=", "numpy (>=1.0", "numpy[a", "numpy[a,]", "numpy @",
        "numpy>=1 ; ", "numpy>=1 ; x == '1'", "a @ u v"}) {
    EXPECT_EQ(Requirement::parse(line).error().code, Code::kMalformed) << line;
  }
}

TEST(Requirement, RefusesAGiantLine) {
  EXPECT_EQ(Requirement::parse(std::string(20000, 'a')).error().code, Code::kTooLarge);
}

TEST(Marker, ComparesPythonVersionsAsVersions) {
  Environment env = linux_environment("3.11.2", "x86_64");
  EXPECT_TRUE(holds("python_version >= '3.9'", env));
  EXPECT_FALSE(holds("python_version < '3.9'", env));
  EXPECT_TRUE(holds("'3.9' < python_version", env));
  EXPECT_TRUE(holds("python_full_version == '3.11.2'", env));
  EXPECT_TRUE(holds("python_version in '3.10, 3.11'", env));
  EXPECT_TRUE(holds("python_version not in '3.9'", env));
  EXPECT_TRUE(holds("python_version ~= '3.8'", env));
}

TEST(Marker, AndBindsTighterThanOr) {
  Environment env = linux_environment("3.9", "aarch64");
  EXPECT_TRUE(holds("os_name == 'posix' or os_name == 'nt' and os_name == 'x'", env));
  EXPECT_FALSE(holds("(os_name == 'posix' or os_name == 'nt') and os_name == 'x'", env));
}

TEST(Marker, KnowsThePlatform) {
  Environment env = linux_environment("3.9", "aarch64");
  EXPECT_TRUE(holds("platform_machine == 'aarch64' and sys_platform == 'linux'", env));
  EXPECT_TRUE(holds("platform_machine != 'arm64' or platform_system != 'Darwin'", env));
  EXPECT_TRUE(holds("os.name == 'posix' and python_implementation == 'CPython'", env));
  EXPECT_TRUE(holds("implementation_name == \"cpython\"", env));
}

TEST(Marker, ExtrasAreOffUntilAskedForAndNormalised) {
  Environment env = linux_environment("3.9", "x86_64");
  EXPECT_FALSE(holds("extra == 'and-cuda'", env));
  env["extra"] = "and-cuda";
  EXPECT_TRUE(holds("extra == 'And_CUDA'", env));
}

TEST(Marker, ADeepOneIsRefusedNotFollowed) {
  std::string deep(3000, '(');
  EXPECT_EQ(Marker::parse(deep).error().code, Code::kTooLarge);
}

TEST(Marker, AMeaninglessComparisonIsAnError) {
  auto marker = Marker::parse("os_name ~= 'posix'");
  ASSERT_TRUE(marker.ok());
  EXPECT_EQ(marker->holds(linux_environment("3.9", "x86_64")).error().code, Code::kUnsupported);
}

}  // namespace
}  // namespace lineside::runtime

// SPDX-License-Identifier: Apache-2.0
// bundle.toml: what it says is taken over, and what is wrong in it is named with its line.
#include "delta/bundler/bundle_file.h"

#include "tests/delta/bundler/bundles.h"

namespace lineside::bundler {
namespace {

constexpr std::string_view kGood =
    "name = \"line-audio\"\n"
    "version = \"2.0.0\"\n"
    "release = 2\n"
    "security_floor = 1\n"
    "vendor = \"machines.example\"\n"
    "hardware = [\"robot\", \"press\"]\n"
    "tree = \"tree\"\n";

class BundleToml : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directory(dir / "tree"); }
  Result<BundleFile> load(std::string text) {
    return load_bundle_file(*disk, dir.write("bundle.toml", text));
  }
  // kGood with one text replaced by another.
  Result<BundleFile> load_with(std::string_view from, std::string_view to) {
    std::string text(kGood);
    return load(text.replace(text.find(from), from.size(), to));
  }
  void expect_refused(const Result<BundleFile>& result, const std::string& part) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, Code::kUsage);
    EXPECT_NE(result.error().what.find("bundle.toml"), std::string::npos) << result.error().what;
    EXPECT_NE(result.error().what.find(part), std::string::npos) << result.error().what;
  }
  fakes::TempDir dir;
  std::unique_ptr<Disk> disk = make_posix_disk();
};

TEST_F(BundleToml, IsReadWhole) {
  auto bundle = load(std::string(kGood) +
                     "[device]\n__glibc = \"2.36\"\n"
                     "[[waiver]]\nrule = \"dep-version\"\nsubject = \"a->b\"\nby = \"A. Person\"\n"
                     "until = \"2027-01-01T00:00:00Z\"\nreason = \"tried\"\n");
  ASSERT_TRUE(bundle.ok()) << bundle.error().describe();
  EXPECT_EQ(bundle->name, "line-audio");
  EXPECT_EQ(bundle->release, 2);
  EXPECT_EQ(bundle->security_floor, 1);
  EXPECT_EQ(bundle->hardware, (std::vector<std::string>{"press", "robot"}));
  EXPECT_EQ(bundle->tree, dir / "tree") << "relative to the file";
  EXPECT_EQ(bundle->device.at("__glibc"), "2.36");
  ASSERT_EQ(bundle->waivers.size(), 1U);
  EXPECT_EQ(bundle->waivers[0], testing::Workplace::waiver("a->b"));
}

TEST_F(BundleToml, MistakesAreNamedWithTheirLine) {
  expect_refused(load_with("\"line-audio\"", "\"Line Audio\""), ":1: 'name'");
  expect_refused(load_with("\"2.0.0\"", "\"2/0\""), ":2: 'version'");
  expect_refused(load_with("\"2.0.0\"", "2.0"), ":2: 'version'");
  expect_refused(load_with("release = 2", "release = 0"), ":3: 'release'");
  expect_refused(load_with("security_floor = 1", "security_floor = 3"), ":4: 'security_floor'");
  expect_refused(load_with("\"machines.example\"", "\"\""), ":5: 'vendor'");
  expect_refused(load_with("[\"robot\", \"press\"]", "[]"), ":6: 'hardware'");
  expect_refused(load_with("\"press\"", "\"robot\""), ":6: 'hardware' names a class twice");
  expect_refused(load_with("\"press\"", "7"), ":6: 'hardware'");
  expect_refused(load_with("\"tree\"", "\"nowhere\""), ":7: 'tree'");
  expect_refused(load_with("vendor =", "vendro ="), "'vendor' is missing");
  expect_refused(load(std::string(kGood) + "colour = \"red\"\n"), ":8: 'colour'");
  expect_refused(load("name = "), ":1");
}

TEST_F(BundleToml, NothingThatIsDemandedMayBeMissing) {
  for (const char* key : {"name", "version", "release", "vendor", "hardware", "tree"}) {
    std::string text(kGood);
    std::size_t at = text.find("\n" + std::string(key)) + 1;  // npos + 1 is the first line
    text.erase(at, text.find('\n', at) + 1 - at);
    expect_refused(load(text), "'" + std::string(key) + "'");
  }
}

TEST_F(BundleToml, AWaiverSaysWhoForHowLongAndWhy) {
  std::string waiver =
      "[[waiver]]\nrule = \"dep-version\"\nsubject = \"a->b\"\nby = \"A. Person\"\n";
  expect_refused(load(std::string(kGood) + waiver + "until = \"2027-01-01T00:00:00Z\"\n"),
                 "reason");
  expect_refused(load(std::string(kGood) + waiver + "until = \"soon\"\nreason = \"x\"\n"), ":12: ");
}

TEST_F(BundleToml, MissingFileIsNotFound) {
  auto bundle = load_bundle_file(*disk, dir / "none.toml");
  ASSERT_FALSE(bundle.ok());
  EXPECT_EQ(bundle.error().code, Code::kNotFound);
}

}  // namespace
}  // namespace lineside::bundler

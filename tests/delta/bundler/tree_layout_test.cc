// SPDX-License-Identifier: Apache-2.0
// A tree without firmware, runtime, models or a check is no bundle; nor is one with more than
// these.
#include "delta/bundler/tree_layout.h"

#include "delta/scan.h"
#include "tests/delta/bundler/bundles.h"

namespace lineside::bundler {
namespace {

class Layout : public ::testing::Test {
 protected:
  Result<void> check() {
    auto listing = delta::scan_tree(*work.disk, tree, 1);
    EXPECT_TRUE(listing.ok()) << testing::failure(listing);
    return check_layout(*listing);
  }
  void expect_incompatible(const std::string& part) {
    auto checked = check();
    ASSERT_FALSE(checked.ok()) << part;
    EXPECT_EQ(checked.error().code, Code::kIncompatible);
    EXPECT_NE(checked.error().what.find(part), std::string::npos) << checked.error().what;
  }
  Result<ProbeFacts> probe(const std::string& text) {
    work.dir.write("tree/validation/probe.json", text);
    auto listing = delta::scan_tree(*work.disk, tree, 1);
    EXPECT_TRUE(listing.ok()) << testing::failure(listing);
    return read_probe(*work.disk, tree, *listing);
  }
  std::string version(const std::string& file, const std::string& text) {
    std::filesystem::remove_all(tree / "firmware");
    work.dir.write("tree/firmware/" + file, text);
    auto found = firmware_version(*work.disk, tree);
    return found.ok() ? *found : found.error().describe();
  }
  testing::Workplace work;
  Path tree = work.tree("tree", "1");
};

TEST_F(Layout, WholeTreeIsAccepted) {
  auto checked = check();
  EXPECT_TRUE(checked.ok()) << testing::failure(checked);
}

TEST_F(Layout, EachPartMustHoldAFile) {
  for (const char* part : {"firmware", "models", "runtime"}) {
    std::filesystem::rename(tree / part, work.dir / "aside");
    expect_incompatible(std::string("no file below ") + part + "/");
    std::filesystem::create_directory(tree / part);
    expect_incompatible(std::string("no file below ") + part + "/");
    std::filesystem::remove(tree / part);
    std::filesystem::rename(work.dir / "aside", tree / part);
  }
}

TEST_F(Layout, ForeignFolderIsRefused) {
  work.dir.write("tree/extras/readme", "x");
  expect_incompatible("'extras'");
}

TEST_F(Layout, AFileInPlaceOfAPartIsRefused) {
  std::filesystem::remove_all(tree / "models");
  work.dir.write("tree/models", "x");
  expect_incompatible("'models' is not a folder");
}

TEST_F(Layout, TreeWithoutACheckIsRefused) {
  std::filesystem::rename(tree / "validation/probe.json", tree / "validation/other.json");
  expect_incompatible("validation/probe.json");
  std::filesystem::create_directory(tree / "validation/probe.json");
  expect_incompatible("validation/probe.json");
}

TEST_F(Layout, TestsOfTheCheckAreNamed) {
  auto facts = probe(testing::Workplace::kProbe);
  ASSERT_TRUE(facts.ok()) << testing::failure(facts);
  EXPECT_EQ(facts->tests,
            (std::vector<std::string>{"infer.case.speech", "infer.negative.silence"}));
  EXPECT_EQ(facts->digest, sha256(as_bytes(work.dir.read("tree/validation/probe.json"))));
}

// What a device cannot read, or what cannot fail, does not leave the vendor's desk.
TEST_F(Layout, ProbeFileThatADeviceWouldRefuseIsRefused) {
  std::string good = testing::Workplace::kProbe;
  std::string unknown = good;
  unknown.insert(1, R"("argvv":["x"],)");
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("{\"cases\":"),
        std::string(R"({"schema":1,"argv":["x"],"cases":[]})"), unknown, good + "x"}) {
    auto facts = probe(text);
    ASSERT_FALSE(facts.ok()) << text;
    EXPECT_EQ(facts.error().code, Code::kMalformed) << text;
    EXPECT_NE(facts.error().what.find("validation/probe.json"), std::string::npos);
  }
}

TEST_F(Layout, ProbeFileThatNamesWhatIsNotThereIsRefused) {
  for (const char* gone : {"validation/cases/golden.npy", "models/vad.onnx"}) {
    std::filesystem::rename(tree / gone, work.dir / "aside");
    auto facts = probe(testing::Workplace::kProbe);
    ASSERT_FALSE(facts.ok()) << gone;
    EXPECT_EQ(facts.error().code, Code::kIncompatible);
    EXPECT_NE(facts.error().what.find(gone), std::string::npos) << facts.error().what;
    std::filesystem::rename(work.dir / "aside", tree / gone);
  }
}

TEST_F(Layout, FirmwareSaysItsVersion) {
  EXPECT_EQ(version("VERSION", "4.3.0\r\nmore\n"), "4.3.0");
  EXPECT_EQ(version("etc/os-release", "NAME=x\nVERSION_ID=\"12\"\n"), "12");
  EXPECT_EQ(version("usr/lib/os-release", "VERSION_ID=12.5"), "12.5");
  EXPECT_EQ(version("etc/os-release", "OLD_VERSION_ID=\"9\"\n"), "");
  EXPECT_EQ(version("image.bin", "VERSION_ID=1"), "");
}

}  // namespace
}  // namespace lineside::bundler

// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/dist_info.h"

#include <gtest/gtest.h>

#include "tests/proto/runtime/tree_maker.h"

namespace lineside::runtime {
namespace {

TEST(Metadata, EndsAtTheFirstEmptyLine) {
  auto out = parse_metadata(
      "Metadata-Version: 2.1\r\nNAME: tensorflow\r\nVersion: 2.8.0\r\nRequires-Dist: numpy "
      "(>=1.20)\r\n"
      "Requires-Dist: six\r\n ; python_version<'3'\r\nRequires-Python: >=3.7\r\nProvides-Extra: "
      "gpu\r\n\r\n"
      "Name: other\r\n");
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(out->name, "tensorflow");
  EXPECT_EQ(out->requires_dist,
            (std::vector<std::string>{"numpy (>=1.20)", "six ; python_version<'3'"}));
  EXPECT_EQ(out->requires_python, ">=3.7");
  EXPECT_EQ(out->provides_extra, std::vector<std::string>{"gpu"});
}

TEST(Metadata, NeedsANameAndAVersion) {
  EXPECT_EQ(parse_metadata("").error().code, Code::kMalformed);
  EXPECT_EQ(parse_metadata("Name: a\n\nVersion: 1\n").error().code, Code::kMalformed);
}

TEST(Record, ReadsQuotedPathsHashesAndSizes) {
  auto out = parse_record("a.py," + fakes::record_hash("x") +
                          ",1\r\n\"b \"\"c\"\",d.py\",,\n\nRECORD,,\n");
  ASSERT_TRUE(out.ok());
  ASSERT_EQ(out->size(), 3U);
  EXPECT_EQ(out->at(0).sha256, sha256(as_bytes("x")));
  EXPECT_EQ(out->at(0).size, 1U);
  EXPECT_EQ(out->at(1).path, "b \"c\",d.py");
  EXPECT_FALSE(out->at(2).sha256.has_value());
}

TEST(Record, NamesTheLineThatIsWrong) {
  for (std::string line : {"a,sha256=AAAA,1", "a,sha256=!,1", "a,,x", ",,", "\"a,,"}) {
    auto out = parse_record("ok.py,,\n" + line + "\n");
    ASSERT_FALSE(out.ok()) << line;
    EXPECT_NE(out.error().what.find("line 2"), std::string::npos) << line;
  }
}

TEST(WheelTags, CompressedSetsAreExpanded) {
  auto tags = parse_wheel_tags("Wheel-Version: 1.0\nTag: py2.py3-none-any\nTag: nonsense\n");
  ASSERT_EQ(tags.size(), 2U);
  EXPECT_EQ(tags[1].str(), "py3-none-any");
}

TEST(WheelTags, FitWhatPipWouldInstall) {
  auto fits = [](std::string python, std::string abi, std::string platform) {
    return tag_fits({std::move(python), std::move(abi), std::move(platform)}, 11, "x86_64");
  };
  EXPECT_TRUE(fits("cp311", "cp311", "manylinux_2_17_x86_64"));
  EXPECT_TRUE(fits("cp39", "abi3", "manylinux2014_x86_64"));
  EXPECT_TRUE(fits("py3", "none", "any"));
  EXPECT_TRUE(fits("py310", "none", "any"));
  EXPECT_FALSE(fits("cp39", "cp39", "manylinux2010_x86_64"));
  EXPECT_FALSE(fits("cp312", "abi3", "manylinux2014_x86_64"));
  EXPECT_FALSE(fits("cp311", "cp311", "manylinux_2_17_aarch64"));
  EXPECT_FALSE(fits("cp311", "cp311", "win_amd64"));
  EXPECT_FALSE(fits("py2", "none", "any"));
}

TEST(Extension, ItsNameSaysForWhichPython) {
  EXPECT_EQ(extension_minor("a/_core.cpython-39-x86_64-linux-gnu.so"), 9);
  EXPECT_EQ(extension_minor("_core.cpython-37m-arm-linux-gnueabihf.so"), 7);
  EXPECT_EQ(extension_minor("_core.abi3.so"), std::nullopt);
  EXPECT_EQ(extension_minor("six.cpython-311.pyc"), std::nullopt);
}

TEST(Distributions, AreFoundInEveryLayout) {
  fakes::TempDir dir;
  fakes::dist(dir, "runtime/usr/lib/python3/dist-packages", "a", "1");
  fakes::dist(dir, "runtime", "b", "1");
  dir.write("runtime/site-packages/c-1.egg-info/PKG-INFO", "");
  dir.write("runtime/site-packages/d-1.egg-info", "");
  dir.write("runtime/site-packages/pkg/__init__.py", "");
  fakes::dist(dir, "runtime/site-packages/pkg", "inner", "1");
  auto tree = Tree::read(*make_posix_disk(), dir.path());
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ(find_distributions(*tree).size(), 4U);
}

TEST(Tree, LinksAreFollowedInsideOnly) {
  fakes::TempDir dir;
  dir.write("firmware/usr/lib/libz.so.1.2", "x");
  auto disk = make_posix_disk();
  ASSERT_TRUE(disk->make_link("libz.so.1.2", dir / "firmware/usr/lib/libz.so.1").ok());
  ASSERT_TRUE(disk->make_link("/usr/lib/libz.so.1", dir / "firmware/libz.so").ok());
  ASSERT_TRUE(disk->make_link("../../../etc/passwd", dir / "firmware/out").ok());
  ASSERT_TRUE(disk->make_link("loop", dir / "firmware/loop").ok());
  auto tree = Tree::read(*disk, dir.path());
  EXPECT_EQ(tree->resolve("firmware/libz.so"), "firmware/usr/lib/libz.so.1.2");
  EXPECT_EQ(tree->resolve("firmware/out"), "");
  EXPECT_EQ(tree->resolve("firmware/loop"), "");
}

}  // namespace
}  // namespace lineside::runtime

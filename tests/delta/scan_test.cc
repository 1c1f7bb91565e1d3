// SPDX-License-Identifier: Apache-2.0
#include "delta/scan.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/delta/trees.h"

namespace lineside::delta {
namespace {

using testing::file;
using testing::folder;
using testing::link;
using testing::noise;
using testing::write_tree;

class Scan : public ::testing::Test {
 protected:
  void SetUp() override {
    write_tree(tree(), {{"a", file("one")},
                        {"d", folder()},
                        {"d/b", file(noise(100000, 1), 0755)},
                        {"d/l", link("../a")},
                        {"e", folder(0700)}});
    auto listing = scan_tree(*disk, tree(), 2);
    ASSERT_TRUE(listing.ok()) << listing.error().describe();
    listed = *listing;
  }
  [[nodiscard]] Path tree() const { return dir.path() / "tree"; }
  // "path kind" of each difference.
  std::vector<std::string> differences() {
    auto found = verify_tree(*disk, tree(), listed, 1);
    EXPECT_TRUE(found.ok());
    std::vector<std::string> texts;
    for (const Difference& difference : *found) {
      texts.push_back(difference.path + " " + std::string(difference_name(difference.kind)));
    }
    return texts;
  }
  using Texts = std::vector<std::string>;

  fakes::TempDir dir;
  std::unique_ptr<Disk> disk = make_posix_disk();
  trust::Listing listed;
};

TEST_F(Scan, ListingIsOneThatParses) {
  auto parsed = trust::parse_listing(trust::serialise(listed));
  ASSERT_TRUE(parsed.ok()) << parsed.error().describe();
  EXPECT_EQ(*parsed, listed);
  EXPECT_EQ(listed.entries.size(), 5U);
  EXPECT_EQ(listed.find("d/l")->target, "../a");
  EXPECT_EQ(listed.find("d/b")->length, 100000U);
}

TEST_F(Scan, UntouchedTreeHasNoDifferences) {
  EXPECT_EQ(differences(), Texts{});
}

TEST_F(Scan, EachKindOfDifferenceIsNamed) {
  dir.write("tree/a", "two");
  dir.write("tree/d/b", "short");
  dir.write("tree/extra/deep", "x");
  std::filesystem::remove(tree() / "d/l");
  std::filesystem::create_symlink("b", tree() / "d/l");
  std::filesystem::permissions(tree() / "e", std::filesystem::perms{0755});
  EXPECT_EQ(differences(),
            (Texts{"a content", "d/b length", "d/l target", "e mode", "extra extra"}));
}

TEST_F(Scan, MissingFolderStandsForWhatIsInIt) {
  std::filesystem::remove_all(tree() / "d");
  EXPECT_EQ(differences(), Texts{"d missing"});
}

TEST_F(Scan, FolderReplacedByALinkIsNotFollowed) {
  std::filesystem::rename(tree() / "d", dir / "moved");
  std::filesystem::create_symlink(dir / "moved", tree() / "d");
  EXPECT_EQ(differences(), Texts{"d type"});
}

TEST_F(Scan, SetUserIdBitIsADifferenceAndCannotBeListed) {
  ASSERT_EQ(::chmod((tree() / "a").c_str(), 04644), 0);
  EXPECT_EQ(differences(), Texts{"a mode"});
  auto scanned = scan_tree(*disk, tree(), 1);
  ASSERT_FALSE(scanned.ok());
  EXPECT_EQ(scanned.error().code, Code::kUnsupported);
}

TEST_F(Scan, PipeCannotBeListed) {
  ASSERT_EQ(::mkfifo((tree() / "pipe").c_str(), 0644), 0);
  auto scanned = scan_tree(*disk, tree(), 1);
  ASSERT_FALSE(scanned.ok());
  EXPECT_EQ(scanned.error().code, Code::kUnsupported);
}

TEST_F(Scan, LinkOutOfTheTreeCannotBeListed) {
  std::filesystem::create_symlink("../../outside", tree() / "escape");
  auto scanned = scan_tree(*disk, tree(), 1);
  ASSERT_FALSE(scanned.ok());
  EXPECT_EQ(scanned.error().code, Code::kUnsupported);
}

TEST_F(Scan, MissingTreeIsNotFound) {
  auto found = verify_tree(*disk, dir / "nowhere", listed, 1);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, Code::kNotFound);
}

TEST_F(Scan, StopEndsIt) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(scan_tree(*disk, tree(), 1, stop.get_token()).error().code, Code::kCancelled);
  EXPECT_EQ(verify_tree(*disk, tree(), listed, 1, stop.get_token()).error().code, Code::kCancelled);
}

}  // namespace
}  // namespace lineside::delta

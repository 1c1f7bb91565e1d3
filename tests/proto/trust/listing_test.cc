// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/listing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace lineside::trust {
namespace {

const std::string kRoot(64, 'a');

std::string file_line(const std::string& path, std::uint64_t length = 88) {
  return "{\"length\":" + std::to_string(length) + ",\"mode\":420,\"path\":\"" + path +
         "\",\"root\":\"" + kRoot + "\",\"type\":\"file\"}\n";
}
std::string dir_line(const std::string& path) {
  return "{\"mode\":493,\"path\":\"" + path + "\",\"type\":\"dir\"}\n";
}
std::string link_line(const std::string& path, const std::string& target) {
  return "{\"path\":\"" + path + "\",\"target\":\"" + target + "\",\"type\":\"link\"}\n";
}

void expect_refused(const std::string& text, const std::string& reason,
                    Code code = Code::kMalformed) {
  auto listing = parse_listing(as_bytes(text));
  ASSERT_FALSE(listing.ok()) << text;
  EXPECT_EQ(listing.error().code, code) << text;
  EXPECT_NE(listing.error().what.find(reason), std::string::npos) << listing.error().what;
}

const std::string kSmall = dir_line("runtime") + dir_line("runtime/bin") +
                           file_line("runtime/bin/run.py") + dir_line("runtime/lib") +
                           link_line("runtime/lib/libx.so", "libx.so.1") + dir_line("validation") +
                           file_line("validation/probe.json", 7);

TEST(Listing, ReadsFilesFoldersAndLinks) {
  auto listing = parse_listing(as_bytes(kSmall));
  ASSERT_TRUE(listing.ok()) << listing.error().what;
  ASSERT_EQ(listing->entries.size(), 7U);
  const Entry* file = listing->find("runtime/bin/run.py");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->type, EntryType::kFile);
  EXPECT_EQ(file->mode, 0644U);
  EXPECT_EQ(file->length, 88U);
  EXPECT_EQ(file->root.hex(), kRoot);
  EXPECT_EQ(listing->find("runtime/lib/libx.so")->target, "libx.so.1");
  EXPECT_EQ(listing->find("runtime/li"), nullptr);
  EXPECT_EQ(listing->total_length(), 95U);
}

TEST(Listing, IsNamedByItsBytes) {
  auto listing = parse_listing(as_bytes(kSmall));
  ASSERT_TRUE(listing.ok());
  EXPECT_EQ(as_text(serialise(*listing)), kSmall);
  EXPECT_EQ(tree_id(*listing), sha256(as_bytes(kSmall)));
}

TEST(Listing, OfTheEmptyTreeIsEmpty) {
  auto listing = parse_listing({});
  ASSERT_TRUE(listing.ok());
  EXPECT_TRUE(listing->entries.empty());
  EXPECT_EQ(tree_id(*listing), sha256({}));
}

TEST(Listing, PartDigestCoversWhatIsBelowAFolderAndNotItsNeighbours) {
  auto listing = parse_listing(as_bytes(kSmall + file_line("validation2")));
  ASSERT_TRUE(listing.ok());
  EXPECT_EQ(part_digest(*listing, "validation"),
            sha256(as_bytes(file_line("validation/probe.json", 7))));
  EXPECT_EQ(part_digest(*listing, "absent"), sha256({}));
}

TEST(Listing, KeepsQuotesInNames) {
  std::string text = file_line("say \\\"hi\\\".txt");
  auto listing = parse_listing(as_bytes(text));
  ASSERT_TRUE(listing.ok()) << listing.error().what;
  EXPECT_EQ(listing->entries[0].path, "say \"hi\".txt");
  EXPECT_EQ(as_text(serialise(*listing)), text);
}

TEST(Listing, KeepsFilesBeyondFourGibibytes) {
  auto listing = parse_listing(as_bytes(file_line("big", 5'000'000'000)));
  ASSERT_TRUE(listing.ok());
  EXPECT_EQ(listing->entries[0].length, 5'000'000'000U);
}

// One spelling only: what is parsed is what was hashed.
TEST(Listing, RefusesASecondSpellingOfTheSameTree) {
  std::string line = dir_line("a");
  expect_refused(line.substr(0, line.size() - 1), "line feed");
  expect_refused(line + "\n", "line 2: column 1");
  expect_refused(" " + line, "line 1: column 1");
  expect_refused("{\"mode\": 493,\"path\":\"a\",\"type\":\"dir\"}\n", "number from 0 to 511");
  expect_refused("{\"mode\":0493,\"path\":\"a\",\"type\":\"dir\"}\n", "number");
  expect_refused("{\"mode\":493,\"path\":\"\\u0061\",\"type\":\"dir\"}\n", "after a backslash");
  expect_refused("{\"path\":\"a\",\"mode\":493,\"type\":\"dir\"}\n", "\"target\"");
  expect_refused("{\"mode\":493,\"path\":\"a\",\"type\":\"dir\"}\r\n", "end of the line");
  std::string upper = file_line("a");
  std::replace(upper.begin() + 40, upper.begin() + 80, 'a', 'A');
  expect_refused(upper, "lower-case");
}

TEST(Listing, RefusesUnknownMissingAndRepeatedMembers) {
  expect_refused("{\"mode\":493,\"owner\":\"root\",\"path\":\"a\",\"type\":\"dir\"}\n",
                 "column 12");
  expect_refused("{\"mode\":493,\"type\":\"dir\"}\n", "\"path\"");
  expect_refused("{\"mode\":493,\"mode\":493,\"path\":\"a\",\"type\":\"dir\"}\n", "\"path\"");
  expect_refused("{\"mode\":493,\"path\":\"a\",\"type\":\"fifo\"}\n", "dir");
  expect_refused("{\"length\":1,\"mode\":420,\"path\":\"a\",\"root\":\"\",\"type\":\"file\"}\n",
                 "64 lower-case");
  expect_refused("{}\n", "expected {\"length\"");
  expect_refused("null\n", "expected {\"length\"");
}

TEST(Listing, RefusesSetuidModesAndImpossibleNumbers) {
  expect_refused("{\"mode\":2541,\"path\":\"a\",\"type\":\"dir\"}\n", "from 0 to 511");
  expect_refused("{\"mode\":-1,\"path\":\"a\",\"type\":\"dir\"}\n", "from 0 to 511");
  expect_refused(file_line("a", 1ULL << 63), "from 0 to");
  expect_refused(
      "{\"length\":1e3,\"mode\":420,\"path\":\"a\",\"root\":\"" + kRoot + "\",\"type\":\"file\"}\n",
      "column 12: expected ','");
}

TEST(Listing, RefusesLengthsWhoseSumOverflows) {
  std::uint64_t huge = (1ULL << 63) - 1;
  expect_refused(file_line("a", huge) + file_line("b", huge) + file_line("c", 2), "2^63",
                 Code::kTooLarge);
}

TEST(Listing, RefusesAnEmptyFileWithAnotherRoot) {
  expect_refused(file_line("a", 0), "SHA-256 of nothing");
}

TEST(Listing, RefusesUnsortedAndRepeatedPaths) {
  expect_refused(file_line("b") + file_line("a"), "line 2: path \"a\" is not above \"b\"");
  expect_refused(file_line("a") + file_line("a"), "line 2");
  expect_refused(dir_line("a") + file_line("a/x") + file_line("a-b"), "line 3");
}

TEST(Listing, RefusesAnEntryWhoseParentIsNoListedFolder) {
  expect_refused(file_line("a/b"), "\"a\" is not listed as a directory");
  expect_refused(file_line("a") + file_line("a/b"), "\"a\" is not listed as a directory");
  expect_refused(link_line("a", "b") + file_line("a/b") + dir_line("b"), "not listed");
  expect_refused(dir_line("a") + file_line("a/b/c"), "\"a/b\" is not listed");
  // Names that sort between a folder and its children hide nothing.
  auto good = parse_listing(as_bytes(dir_line("a") + file_line("a-b") + file_line("a/c")));
  EXPECT_TRUE(good.ok());
}

TEST(Listing, RefusesMoreThanItsLimits) {
  std::string text = file_line("a") + file_line("b");
  EXPECT_EQ(parse_listing(as_bytes(text), {.max_bytes = text.size() - 1}).error().code,
            Code::kTooLarge);
  EXPECT_EQ(parse_listing(as_bytes(text), {.max_entries = 1}).error().code, Code::kTooLarge);
  EXPECT_TRUE(parse_listing(as_bytes(text), {.max_bytes = text.size(), .max_entries = 2}).ok());
}

TEST(Listing, RefusesPathsThatEscape) {
  expect_refused(file_line("../etc/passwd"), "\"..\"");
  expect_refused(file_line("/etc/passwd"), "empty name");
  expect_refused(link_line("models", "/etc"), "absolute");
}

TEST(CheckPath, TakesOrdinaryNames) {
  for (const char* path : {"a", "firmware/etc/os-release", "models/détection.onnx", "...", "a b",
                           "runtime/lib/libstdc++.so.6", ".hidden", "a/..b/c.."}) {
    EXPECT_TRUE(check_path(path).ok()) << path;
  }
  EXPECT_TRUE(check_path(std::string(255, 'x')).ok());
}

TEST(CheckPath, RefusesWhatIsUnsafeToWrite) {
  std::string deep;
  for (int i = 0; i < 2049; ++i) deep += "a/";
  std::vector<std::string> bad = {"",
                                  "/",
                                  "/a",
                                  "a/",
                                  "a//b",
                                  ".",
                                  "..",
                                  "a/../b",
                                  "./a",
                                  "a/.",
                                  "a\\b",
                                  "a\nb",
                                  "a\tb",
                                  "a\x7f",
                                  "a\xc2\x85",
                                  std::string("a\0b", 3),
                                  "\xff",
                                  "\xc0\xaf",
                                  "\xed\xa0\x80",
                                  "\xf4\x90\x80\x80",
                                  "a\xe2",
                                  deep + "a",
                                  std::string(256, 'x')};
  for (const std::string& path : bad) EXPECT_FALSE(check_path(path).ok()) << path;
}

TEST(CheckLink, StaysInsideTheTree) {
  EXPECT_TRUE(check_link("runtime/lib/libx.so", "libx.so.1").ok());
  EXPECT_TRUE(check_link("runtime/lib/libx.so", "../../models/x").ok());
  EXPECT_TRUE(check_link("runtime/lib64", "lib/").ok());
  EXPECT_TRUE(check_link("runtime/self", ".").ok());
  EXPECT_FALSE(check_link("runtime/lib/libx.so", "../../../x").ok());
  EXPECT_FALSE(check_link("up", "..").ok());
  EXPECT_FALSE(check_link("a", "").ok());
  EXPECT_FALSE(check_link("a", "b\nc").ok());
  EXPECT_FALSE(check_link("a", "/etc/passwd").ok());
  EXPECT_FALSE(check_link("firmwareX/a", "/etc/passwd").ok());
}

// runtime/up -> ".." is the root of the tree: "runtime/up/../x" looks inside but is not.
TEST(CheckLink, RefusesClimbingThroughAnotherLink) {
  EXPECT_FALSE(check_link("runtime/out", "up/../../x").ok());
  EXPECT_FALSE(check_link("runtime/out", "up/../x").ok());
}

TEST(CheckLink, AllowsAbsoluteTargetsOnlyInsideFirmwareAndNoWayInThere) {
  EXPECT_TRUE(check_link("firmware/etc/mtab", "/proc/self/mounts").ok());
  EXPECT_TRUE(check_link("firmware/usr/lib/x", "a/../b").ok());
  EXPECT_FALSE(check_link("firmware/x", "../../y").ok());
  EXPECT_FALSE(check_link("models/x", "../firmware/etc/mtab").ok());
  EXPECT_FALSE(check_link("models/x", "../firmware").ok());
}

// Any valid listing survives the way out and back, and no byte of it can change unnoticed.
TEST(ListingProperty, RandomTreesSurviveTheRoundTrip) {
  std::mt19937 random(20261122);
  auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  const std::string letters = "ab\"-. ~z";
  for (int round = 0; round < 200; ++round) {
    Listing listing;
    std::vector<std::string> folders = {""};
    for (unsigned i = below(30); i > 0; --i) {
      Entry entry;
      entry.path = folders[below(static_cast<unsigned>(folders.size()))] + "n";
      for (unsigned k = below(5); k > 0; --k) {
        entry.path += letters[below(static_cast<unsigned>(letters.size()))];
      }
      if (listing.find(entry.path) != nullptr) continue;
      entry.type = static_cast<EntryType>(below(3));
      if (entry.type != EntryType::kLink) entry.mode = below(01000);
      if (entry.type == EntryType::kLink) entry.target = "n" + std::to_string(below(9));
      if (entry.type == EntryType::kFile) entry.length = random();
      if (entry.type == EntryType::kFile) entry.root = sha256(as_bytes(entry.path));
      if (entry.type == EntryType::kDirectory) folders.push_back(entry.path + "/");
      auto place = std::lower_bound(
          listing.entries.begin(), listing.entries.end(), entry,
          [](const Entry& left, const Entry& right) { return left.path < right.path; });
      listing.entries.insert(place, entry);
    }
    Bytes bytes = serialise(listing);
    auto parsed = parse_listing(bytes);
    ASSERT_TRUE(parsed.ok()) << parsed.error().what << "\n" << as_text(bytes);
    EXPECT_EQ(*parsed, listing);
    EXPECT_EQ(tree_id(*parsed), sha256(bytes));
    if (bytes.empty()) continue;
    Bytes changed = bytes;
    changed[random() % changed.size()] ^= static_cast<std::uint8_t>(1 + below(255));
    auto other = parse_listing(changed);
    if (!other.ok()) continue;
    EXPECT_EQ(serialise(*other), changed);  // never read as something else
  }
}

}  // namespace
}  // namespace lineside::trust

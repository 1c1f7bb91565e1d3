// SPDX-License-Identifier: Apache-2.0
// The reference is Debian's bsdiff and bspatch: both directions go through them.
#include "delta/bsdiff40.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/delta/trees.h"

namespace lineside::delta {
namespace {

using testing::edited;
using testing::noise;
using testing::words;

bool has_program(const std::string& name) {
  return std::system(("command -v " + name + " >/dev/null 2>&1").c_str()) == 0;
}

int run(const fakes::TempDir& dir, const std::string& command) {
  return std::system(("cd '" + dir.path().string() + "' && " + command).c_str());
}

std::vector<std::pair<std::string, std::string>> pairs() {
  std::string text = words(60000, 1);
  return {{text, edited(text, 30, 2)},
          {noise(20000, 3), noise(20000, 4)},
          {"", "only new"},
          {"only old", ""},
          {"", ""},
          {text, text},
          {noise(5000, 5) + text, text + noise(5000, 5)}};
}

TEST(Bsdiff40, DebiansBspatchTakesOurPatches) {
  ASSERT_TRUE(has_program("bspatch")) << "run: deploy/install-deps.sh test";
  for (const auto& [before, after] : pairs()) {
    fakes::TempDir dir;
    dir.write("old", before);
    auto patch = make_bsdiff40(as_bytes(before), as_bytes(after));
    ASSERT_TRUE(patch.ok());
    dir.write("patch", std::string(as_text(*patch)));
    ASSERT_EQ(run(dir, "bspatch old new patch"), 0);
    EXPECT_EQ(dir.read("new"), after);
  }
}

TEST(Bsdiff40, WeTakeDebiansPatches) {
  ASSERT_TRUE(has_program("bsdiff")) << "run: deploy/install-deps.sh test";
  for (const auto& [before, after] : pairs()) {
    if (before.empty() || after.empty()) continue;  // Debian's bsdiff cannot map an empty file
    fakes::TempDir dir;
    dir.write("old", before);
    dir.write("new", after);
    ASSERT_EQ(run(dir, "bsdiff old new patch"), 0);
    std::string patch = dir.read("patch");
    EXPECT_TRUE(is_bsdiff40(as_bytes(patch)));
    auto made = apply_bsdiff40(as_bytes(before), as_bytes(patch), after.size());
    ASSERT_TRUE(made.ok()) << made.error().describe();
    EXPECT_EQ(as_text(*made), after);
  }
}

TEST(Bsdiff40, EveryTruncationIsRefused) {
  std::string before = words(5000, 1);
  auto patch = make_bsdiff40(as_bytes(before), as_bytes(edited(before, 9, 2)));
  ASSERT_TRUE(patch.ok());
  // The last stream may hold a few bytes that nothing depends on.
  for (std::size_t length = 0; length + 16 < patch->size(); ++length) {
    auto made = apply_bsdiff40(as_bytes(before), BytesView(*patch).first(length), 1 << 20);
    EXPECT_FALSE(made.ok()) << length;
  }
}

TEST(Bsdiff40, PromiseOfTooMuchIsRefusedUnallocated) {
  auto patch = make_bsdiff40({}, as_bytes("text"));
  ASSERT_TRUE(patch.ok());
  (*patch)[29] = 0x7f;  // length: 127 << 40
  auto made = apply_bsdiff40({}, *patch, 1 << 20);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, Code::kTooLarge);
}

TEST(Bsdiff40, ChangedBytesNeverReachBeyondTheBuffers) {
  std::string before = words(3000, 1);
  auto patch = make_bsdiff40(as_bytes(before), as_bytes(edited(before, 9, 2)));
  ASSERT_TRUE(patch.ok());
  std::mt19937 random(3);
  for (int i = 0; i < 3000; ++i) {
    Bytes changed = *patch;
    changed[random() % changed.size()] ^= static_cast<std::uint8_t>(1 + random() % 255);
    auto made = apply_bsdiff40(as_bytes(before), changed, 1 << 16);
    EXPECT_TRUE(!made.ok() || made->size() <= std::size_t{1} << 16);
  }
}

}  // namespace
}  // namespace lineside::delta

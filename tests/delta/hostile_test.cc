// SPDX-License-Identifier: Apache-2.0
// Deliveries from an enemy: none of them crashes the applier, makes a file that the listing does
// not name, or leaves anything where the tree was to appear.
#include <gtest/gtest.h>

#include <algorithm>

#include "delta/codec.h"
#include "delta/format.h"
#include "delta/inspect.h"
#include "delta/memory_file.h"
#include "proto/trust/merkle.h"
#include "tests/delta/trees.h"

namespace lineside::delta {
namespace {

using testing::edited;
using testing::file;
using testing::folder;
using testing::link;
using testing::noise;
using testing::Pair;
using testing::Tree;
using testing::words;

Tree small_old() {
  return {{"a", file(words(9000, 1))}, {"b", file(noise(3000, 2))}, {"same", file("same")}};
}
Tree small_new() {
  return {{"a", file(edited(words(9000, 1), 4, 3))},
          {"b", file(edited(noise(3000, 2), 2, 4))},
          {"new", file(words(2000, 5))},
          {"same", file("same")}};
}

// Whatever comes out, it is nothing or the wanted tree.
void expect_refused_or_right(Pair& pair, const Tree& wanted) {
  auto applied = pair.apply();
  if (applied.ok()) {
    EXPECT_TRUE(testing::read_tree(pair.out()) == wanted);
    std::filesystem::remove_all(pair.out());
    return;
  }
  EXPECT_FALSE(std::filesystem::exists(pair.out()));
  std::filesystem::remove_all(partial_path(pair.out()));
}

void expect_code(const Result<ApplySummary>& applied, Code code) {
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code, code) << applied.error().describe();
}

// Header and index of our own making, so that the check value is right and the parser is reached.
Bytes build(const Pair& pair, const std::vector<Unit>& units, BytesView body) {
  Delivery delivery;
  delivery.base = trust::tree_id(pair.old_listing);
  delivery.target = trust::tree_id(pair.new_listing);
  delivery.units = units;
  auto frame = make_frame(delivery, body.size());
  EXPECT_TRUE(frame.ok());
  Bytes all = frame->header;
  all.insert(all.end(), body.begin(), body.end());
  all.insert(all.end(), frame->tail.begin(), frame->tail.end());
  return all;
}

Unit stored_unit(std::vector<std::uint32_t> targets, std::uint64_t length) {
  Unit unit;
  unit.targets = std::move(targets);
  unit.length = length;
  unit.segment_length = length;
  unit.segments = {{{{Codec::kStored, 0, 0, length, length}}, 0}};
  return unit;
}

TEST(Hostile, EveryTruncationIsRefused) {
  Pair pair(small_old(), small_new());
  ASSERT_TRUE(pair.make().ok());
  std::string whole = pair.dir.read("delivery");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    pair.dir.write("delivery", whole.substr(0, length));
    auto applied = pair.apply();
    ASSERT_FALSE(applied.ok()) << length;
    EXPECT_EQ(applied.error().code, Code::kMalformed);
    EXPECT_FALSE(std::filesystem::exists(pair.out()));
  }
  pair.dir.write("delivery", whole + "x");
  EXPECT_FALSE(pair.apply().ok());
}

TEST(Hostile, NoChangedByteMakesAWrongFile) {
  Pair pair(small_old(), small_new());
  Tree wanted = testing::read_tree(pair.new_dir());
  ASSERT_TRUE(pair.make().ok());
  std::string whole = pair.dir.read("delivery");
  std::mt19937 random(1);
  for (int i = 0; i < 1500; ++i) {
    std::string changed = whole;
    changed[random() % changed.size()] ^= static_cast<char>(1 + random() % 255);
    pair.dir.write("delivery", changed);
    expect_refused_or_right(pair, wanted);
  }
}

// The check value over header and index stops accidents only; an enemy computes it anew.
TEST(Hostile, NoChangedIndexMakesAWrongFile) {
  Pair pair(small_old(), small_new());
  Tree wanted = testing::read_tree(pair.new_dir());
  ASSERT_TRUE(pair.make().ok());
  auto input = pair.disk->open(pair.delivery());
  ASSERT_TRUE(input.ok());
  auto parsed = read_format(**input, 0);
  ASSERT_TRUE(parsed.ok());
  Bytes index = serialise_index(parsed->units);
  std::uint64_t body_length = 0;
  for (const Unit& unit : parsed->units) body_length += unit.coded_bytes();
  std::string whole = pair.dir.read("delivery");
  BytesView body = as_bytes(whole).subspan(kHeaderBytes, body_length);
  std::mt19937 random(2);
  int parsed_count = 0;
  for (int i = 0; i < 4000; ++i) {
    Bytes changed = index;
    changed[random() % changed.size()] ^= static_cast<std::uint8_t>(1 + random() % 255);
    auto units = parse_index(changed, body_length);
    if (!units.ok()) continue;
    ++parsed_count;
    pair.dir.write("delivery", std::string(as_text(build(pair, *units, body))));
    expect_refused_or_right(pair, wanted);
  }
  EXPECT_GT(parsed_count, 50);
}

TEST(Hostile, OtherBaseIsRefusedBeforeAnythingIsWritten) {
  Pair pair(small_old(), small_new());
  ASSERT_TRUE(pair.make().ok());
  pair.old_listing.entries[0].length += 1;
  expect_code(pair.apply(), Code::kMismatch);
  EXPECT_FALSE(std::filesystem::exists(partial_path(pair.out())));
}

TEST(Hostile, OtherTargetIsRefused) {
  Pair pair(small_old(), small_new());
  ASSERT_TRUE(pair.make().ok());
  pair.new_listing.entries[0].mode = 0600;
  expect_code(pair.apply(), Code::kMismatch);
}

TEST(Hostile, DamagedBaseFileIsAMismatch) {
  for (const char* name : {"old/b", "old/same"}) {  // one decoded against, one shared
    Pair pair(small_old(), small_new());
    ASSERT_TRUE(pair.make().ok());
    std::string text = pair.dir.read(name);
    text[0] ^= 1;
    pair.dir.write(name, text);
    expect_code(pair.apply(), Code::kMismatch);
    EXPECT_FALSE(std::filesystem::exists(pair.out()));
  }
}

TEST(Hostile, ShortBaseFileIsAMismatch) {
  Pair pair(small_old(), small_new());
  ASSERT_TRUE(pair.make().ok());
  pair.dir.write("old/b", "short");
  expect_code(pair.apply(), Code::kMismatch);
}

TEST(Hostile, FilesMissingTwiceOrTooManyAreAMismatch) {
  Pair pair({}, {{"a", file("aaaa")}, {"b", file("bbbb")}});
  std::vector<std::vector<Unit>> attacks = {
      {},
      {stored_unit({0}, 4)},
      {stored_unit({0}, 4), stored_unit({0}, 4)},
      {stored_unit({0}, 4), stored_unit({1}, 4), stored_unit({2}, 4)},
      {stored_unit({0}, 5), stored_unit({1}, 3)},
      {stored_unit({0, 1}, 9)}};
  for (const std::vector<Unit>& units : attacks) {
    std::uint64_t length = 0;
    for (const Unit& unit : units) length += unit.length;
    Bytes body(length, 'a');
    pair.dir.write("delivery", std::string(as_text(build(pair, units, body))));
    expect_code(pair.apply(), Code::kMismatch);
    EXPECT_FALSE(std::filesystem::exists(partial_path(pair.out())));
  }
}

TEST(Hostile, HandMadeDeliveryWithTheRightBytesIsAsGoodAsAnother) {
  Pair pair({}, {{"a", file("aaaa")}, {"b", file("bbbb")}});
  Bytes body = to_bytes("aaaabbbb");
  pair.dir.write("delivery", std::string(as_text(build(pair, {stored_unit({0, 1}, 8)}, body))));
  auto applied = pair.apply();
  ASSERT_TRUE(applied.ok()) << applied.error().describe();
  EXPECT_EQ(pair.dir.read("out/b"), "bbbb");
}

TEST(Hostile, WrongBytesOfTheRightLengthAreAMismatch) {
  Pair pair({}, {{"a", file("aaaa")}, {"b", file("bbbb")}});
  Bytes body = to_bytes("aaaaXbbb");
  pair.dir.write("delivery", std::string(as_text(build(pair, {stored_unit({0, 1}, 8)}, body))));
  expect_code(pair.apply(), Code::kMismatch);
  EXPECT_FALSE(std::filesystem::exists(pair.out()));
}

TEST(Hostile, DemandForMemoryIsRefusedBeforeItIsMet) {
  Pair pair({}, {{"a", file(words(5000, 1))}});
  Unit unit = stored_unit({0}, 5000);
  unit.segments[0].streams[0] = {Codec::kLzma, 0, 27, 5000, 100};  // a window of 128 MiB
  pair.dir.write("delivery", std::string(as_text(build(pair, {unit}, Bytes(100)))));
  expect_code(pair.apply(), Code::kTooLarge);
}

TEST(Hostile, PrefixCountsAsMemory) {
  std::string big = std::string(20 << 20, 'x');
  Pair pair({{"a", file(big)}}, {{"a", file("x")}});
  Unit unit = stored_unit({0}, 1);
  unit.method = Method::kPrefix;
  unit.bases = {0};
  unit.base_length = big.size();
  pair.dir.write("delivery", std::string(as_text(build(pair, {unit}, to_bytes("x")))));
  expect_code(pair.apply(), Code::kTooLarge);
}

TEST(Hostile, DeclaredMemoryStaysInTheAllowance) {
  std::string image = noise(1 << 20, 1) + words(100000, 2);
  for (std::uint64_t mib : {8, 16}) {
    Pair pair({{"i", file(image)}, {"s", file(words(200000, 4))}},
              {{"i", file(edited(image, 30, 3))},
               {"n", file(words(3 << 20, 5))},
               {"s", file(edited(words(200000, 4), 9, 5))}});
    MakeOptions options = Pair::quick();
    options.apply_memory_bytes = mib << 20;
    auto made = pair.make(options);
    ASSERT_TRUE(made.ok());
    EXPECT_LE(made->apply_memory_bytes, options.apply_memory_bytes);
    ApplyOptions apply;
    apply.max_memory_bytes = options.apply_memory_bytes;
    EXPECT_TRUE(pair.apply(apply).ok());
  }
}

TEST(Hostile, PathsThatLeaveTheTreeAreRefused) {
  for (const char* path : {"../evil", "/etc/evil", "a/../../evil", "", "."}) {
    Pair pair({}, {});
    trust::Entry entry;
    entry.path = path;
    entry.mode = 0644;
    entry.root = sha256({});
    pair.new_listing.entries = {entry};
    pair.dir.write("delivery", std::string(as_text(build(pair, {}, {}))));
    EXPECT_FALSE(pair.apply().ok()) << path;
    EXPECT_FALSE(std::filesystem::exists(pair.dir / "evil"));
  }
}

TEST(Hostile, LinkFromAnEarlierRunIsNotFollowed) {
  Pair pair({}, {{"d", folder()}, {"d/f", file("inside")}});
  ASSERT_TRUE(pair.make().ok());
  std::filesystem::create_directories(pair.dir / "elsewhere");
  std::filesystem::create_directories(partial_path(pair.out()));
  std::filesystem::create_symlink(pair.dir / "elsewhere", partial_path(pair.out()) / "d");
  ASSERT_TRUE(pair.apply().ok());
  EXPECT_TRUE(std::filesystem::is_empty(pair.dir / "elsewhere"));
  EXPECT_EQ(pair.dir.read("out/d/f"), "inside");
}

TEST(Hostile, PartialFolderThatIsALinkIsNotFollowed) {
  Pair pair({}, {{"f", file("inside")}});
  ASSERT_TRUE(pair.make().ok());
  pair.dir.write("elsewhere/kept", "kept");
  std::filesystem::create_symlink(pair.dir / "elsewhere", partial_path(pair.out()));
  ASSERT_TRUE(pair.apply().ok());
  EXPECT_EQ(pair.dir.read("elsewhere/kept"), "kept");
  EXPECT_FALSE(std::filesystem::exists(pair.dir / "elsewhere/f"));
}

TEST(Hostile, LaterVersionIsUnsupportedNotMalformed) {
  Pair pair(small_old(), small_new());
  ASSERT_TRUE(pair.make().ok());
  std::string whole = pair.dir.read("delivery");
  whole[8] = kFormatVersion + 1;
  pair.dir.write("delivery", whole);
  expect_code(pair.apply(), Code::kUnsupported);
}

TEST(Hostile, IndexThatPromisesMoreThanThereIsDoesNotAllocateIt) {
  Bytes index = {0x01, 0x00, 0x00, 0x00, 0x00};  // one unit, plain, no targets, no bases
  for (int i = 0; i < 2; ++i) index.insert(index.end(), {0xff, 0xff, 0xff, 0xff, 0x0f});
  index.insert(index.end(), {0x01, 0x00});
  EXPECT_FALSE(parse_index(index, 0).ok());
}

}  // namespace
}  // namespace lineside::delta

// SPDX-License-Identifier: Apache-2.0
// Programs that grew in the middle: everything behind moved, nothing of it should cost.
#include <gtest/gtest.h>

#include "delta/candidates.h"
#include "delta/memory_file.h"
#include "delta/reference/address_map.h"
#include "delta/reference/layout.h"
#include "delta/reference/number_map.h"
#include "delta/unit_decoder.h"
#include "tests/delta/programs.h"
#include "tests/delta/trees.h"

namespace lineside::delta {
namespace {

using testing::file;
using testing::Machine;
using testing::Pair;
using testing::program;

Result<CodedUnit> code(const std::string& before, const std::string& after) {
  CandidateOptions options;
  options.effort = 1;
  return best_code(as_bytes(before), as_bytes(after), options, {});
}

Result<Bytes> decode(const CodedUnit& coded, const std::string& before) {
  MemoryFile body(coded.body);
  BaseInMemory base(as_bytes(before));
  Bytes out;
  TRY(decode_unit(coded.unit, body, base, [&](BytesView part) {
    out.insert(out.end(), part.begin(), part.end());
    return out.size() > coded.unit.length ? Result<void>(Error{Code::kTooLarge, ""}) : ok();
  }));
  return out;
}

TEST(Prediction, CodeThatMovedCostsNothing) {
  for (Machine machine : {Machine::kX86, Machine::kArm64}) {
    std::string before = program(machine, 300);
    std::string after = program(machine, 300, {1004});
    auto coded = code(before, after);
    ASSERT_TRUE(coded.ok()) << coded.error().describe();
    EXPECT_EQ(coded->unit.method, Method::kPredicted);
    EXPECT_LT(coded->body.size(), 900U);
    auto made = decode(*coded, before);
    ASSERT_TRUE(made.ok()) << made.error().describe();
    EXPECT_EQ(as_text(*made), after);
  }
}

// As a tar has its members: a header of 512 bytes with the name, then the bytes, padded.
std::string tar_member(const std::string& name, const std::string& bytes) {
  std::string member(512, '\0');
  member.replace(0, name.size(), name);
  member.replace(257, 5, "ustar");
  member += bytes;
  member.resize((member.size() + 511) / 512 * 512);
  return member;
}

TEST(Prediction, ProgramsInsideOfATarAreUnderstood) {
  std::string before = tar_member("a.txt", testing::words(3000, 1)) +
                       tar_member("lib.so", program(Machine::kX86, 200)) +
                       tar_member("other.so", program(Machine::kArm64, 300));
  std::string after = tar_member("a.txt", testing::words(3000, 1)) +
                      tar_member("new.so", program(Machine::kX86, 9)) +
                      tar_member("lib.so", program(Machine::kX86, 200, {1004})) +
                      tar_member("other.so", program(Machine::kArm64, 300, {1100}));
  auto coded = code(before, after);
  ASSERT_TRUE(coded.ok()) << coded.error().describe();
  EXPECT_EQ(coded->unit.method, Method::kPredicted);
  EXPECT_LT(coded->body.size(), 3000U);
  auto made = decode(*coded, before);
  ASSERT_TRUE(made.ok()) << made.error().describe();
  EXPECT_EQ(as_text(*made), after);
}

TEST(Prediction, TravelsInADelivery) {
  Pair pair({{"lib.so", file(program(Machine::kX86, 900))}},
            {{"lib.so", file(program(Machine::kX86, 900, {1005, 2003}))}});
  DeliverySummary summary = expect_round_trip(pair);
  EXPECT_EQ(summary.files[0].method, "predicted");
  EXPECT_LE(summary.apply_memory_bytes, 16U << 20);
}

// A kernel: no headers, addresses of the upper half in tables, calls between functions.
std::string kernel(unsigned shift) {
  constexpr std::uint64_t kBase = 0xffff800008000000;
  std::mt19937 random(9);
  std::string image(64, '\0');
  auto put = [&image](std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) image.push_back(static_cast<char>(value >> (8 * i)));
  };
  std::vector<std::uint64_t> functions;
  for (unsigned i = 0; i < 12000; ++i) {
    if (i == 3000) {
      for (unsigned k = 0; k < shift; ++k) put(0xd503201f, 4);  // nop
    }
    functions.push_back(image.size());
    for (int k = 0; k < 5; ++k) put(0xd2800000 | (random() & 0x1fffff), 4);
    std::uint64_t callee = functions[random() % functions.size()];
    put(0x94000000 | ((callee - image.size()) >> 2 & 0x3ffffff), 4);
    put(0xd65f03c0, 4);
  }
  image.resize((image.size() + 0xffff) / 0x10000 * 0x10000);
  for (unsigned i = 0; i < 4000; ++i) put(kBase + functions[random() % functions.size()], 8);
  return image;
}

TEST(Prediction, KernelsWithoutHeadersAreUnderstood) {
  std::string before = kernel(0);
  std::string after = kernel(40);
  auto coded = code(before, after);
  ASSERT_TRUE(coded.ok()) << coded.error().describe();
  EXPECT_EQ(coded->unit.method, Method::kPredicted);
  EXPECT_LT(coded->body.size(), 1500U);
  auto made = decode(*coded, before);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(as_text(*made), after);
}

TEST(Prediction, TypesOfAKernelThatWereRenumberedCostLittle) {
  std::string before = testing::noise(500, 1) + testing::btf(3000, {}) + testing::noise(500, 2);
  std::string after =
      testing::noise(500, 1) + testing::btf(3000, {40, 900, 2000}) + testing::noise(500, 2);
  auto coded = code(before, after);
  ASSERT_TRUE(coded.ok()) << coded.error().describe();
  EXPECT_EQ(coded->unit.method, Method::kPredicted);
  EXPECT_LT(coded->body.size(), 600U);
  auto made = decode(*coded, before);
  ASSERT_TRUE(made.ok()) << made.error().describe();
  EXPECT_EQ(as_text(*made), after);
}

TEST(NumberMap, OneMoreNumberShiftsThoseAfterIt) {
  NumberMap map;
  map.learn(5, 5);
  EXPECT_EQ(map.predict(100), 100U);
  map.learn(100, 101);
  EXPECT_EQ(map.predict(99), 99U);
  EXPECT_EQ(map.predict(1000), 1001U);
  map.learn(50, 51);
  EXPECT_EQ(map.predict(49), 49U);
  EXPECT_EQ(map.predict(60), 61U);
}

TEST(NumberMap, ANumberThatWentFarAwayTakesNoOtherWithIt) {
  NumberMap map;
  map.learn(5, 7);
  map.learn(200, 90000);
  EXPECT_EQ(map.predict(200), 90000U);
  EXPECT_EQ(map.predict(201), 203U);
  map.restart();
  EXPECT_EQ(map.predict(200), 202U) << "the next list is expected to begin as this one did";
}

TEST(NumberMap, KeepsNoMoreThanItMay) {
  NumberMap map;
  map.learn(0, 0);
  for (std::uint32_t i = 1; i < 100000; ++i) map.learn(2 * i, 2 * i + i % 300);
  EXPECT_EQ(map.predict(2), 3U);
  EXPECT_EQ(map.predict(199998), 199998 + map.predict(150000) - 150000);
}

TEST(Prediction, DamagedProgramsStillArrive) {
  std::mt19937 random(3);
  for (int round = 0; round < 12; ++round) {
    std::string before = program(Machine::kX86, 40);
    std::string after = program(Machine::kArm64, 40, {101});
    if (round % 2 != 0) after = program(Machine::kX86, 40, {101});
    for (int i = 0; i < 4; ++i) {
      // In the headers, where it hurts.
      before[random() % 64] = static_cast<char>(random());
      after[after.size() - 1 - random() % 384] = static_cast<char>(random());
    }
    auto coded = code(before, after);
    ASSERT_TRUE(coded.ok()) << coded.error().describe();
    auto made = decode(*coded, before);
    ASSERT_TRUE(made.ok());
    EXPECT_EQ(as_text(*made), after);
  }
}

TEST(Prediction, NoChangedByteGoesOutOfBounds) {
  std::string before = program(Machine::kArm64, 60);
  std::string after = program(Machine::kArm64, 60, {101, 203});
  auto coded = code(before, after);
  ASSERT_TRUE(coded.ok());
  ASSERT_EQ(coded->unit.method, Method::kPredicted);
  std::mt19937 random(5);
  for (int i = 0; i < 800; ++i) {
    CodedUnit changed = *coded;
    changed.body[random() % changed.body.size()] ^= static_cast<std::uint8_t>(1 + random() % 255);
    auto made = decode(changed, before);
    if (made.ok()) {
      EXPECT_EQ(made->size(), after.size());
    }
  }
}

TEST(Prediction, MemoryForItIsDeclared) {
  auto coded = code(program(Machine::kX86, 300), program(Machine::kX86, 300, {1004}));
  ASSERT_TRUE(coded.ok());
  ASSERT_EQ(coded->unit.method, Method::kPredicted);
  std::uint64_t before = unit_memory(coded->unit);
  coded->unit.segments[0].streams[kLengths].raw_length += 1000;  // room for as many covers
  EXPECT_EQ(unit_memory(coded->unit), before + 12000);
}

TEST(AddressMap, CoversThatClaimTheSameBytesAreApart) {
  Layout layout;
  layout.regions = {{0, 1000, 0x4000, 0x4000, RegionKind::kPlain, 0}};
  layout.zones = {{{0x5000, 0x100, 0x9000}}};
  layout.spans = {{0, 2000, 0x8000}};
  AddressMap map(layout, {{0, 500, 100}, {50, 100, 400}, {60, 20, 10}, {300, 10, 5}});
  EXPECT_EQ(map.map(0, 0x4000 + 49).address, 0x8000U + 549);
  EXPECT_EQ(map.map(0, 0x4000 + 50).address, 0x8000U + 100);
  EXPECT_EQ(map.map(0, 0x4000 + 449).address, 0x8000U + 499);
  EXPECT_TRUE(map.map(0, 0x4000 + 449).covered);
  EXPECT_EQ(map.map(0, 0x4000 + 451).address, 0x8000U + 501);
  EXPECT_FALSE(map.map(0, 0x4000 + 451).covered);
  EXPECT_EQ(map.map(0, 0x5010).address, 0x9010U);
  EXPECT_EQ(map.map(0, 0x10).address, 0x10U);
}

TEST(Layout, SurvivesBeingWritten) {
  Layout layout;
  layout.regions = {{10, 90, 0x4000, 0x4000, RegionKind::kX86Code, 0},
                    {100, 20, 0xffff800008000000, 0x77, RegionKind::kSymbols64, 1},
                    {120, 10, 120, 0x1234500000678, RegionKind::kBtf, 1},
                    {130, 20, 130, 0x1234500000678, RegionKind::kBtf, 1}};
  layout.zones = {{{0x5000, 0x100, 0x9000}}, {}};
  layout.spans = {{0, 2000, 0x8000}};
  Bytes bytes = serialise_layout(layout);
  auto parsed = parse_layout(bytes, 150, 2000);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(*parsed, layout);
  EXPECT_FALSE(parse_layout(bytes, 149, 2000).ok()) << "a region beyond the base";
  EXPECT_FALSE(parse_layout(bytes, 150, 1999).ok()) << "a span beyond the target";
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(parse_layout(BytesView(bytes).first(length), 150, 2000).ok());
  }
}

}  // namespace
}  // namespace lineside::delta

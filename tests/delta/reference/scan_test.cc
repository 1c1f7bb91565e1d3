// SPDX-License-Identifier: Apache-2.0
// What the scans find is part of the format: these results must never change.
#include <gtest/gtest.h>

#include "delta/base_bytes.h"
#include "delta/reference/masked_image.h"
#include "delta/reference/scanner.h"
#include "delta/reference/x86_instruction.h"
#include "tests/delta/trees.h"

namespace lineside::delta {
namespace {

Bytes code(std::string_view hex) {
  return from_hex(hex).value();
}

struct Expected {
  const char* hex;
  unsigned length;
  unsigned relative;
};

TEST(X86, LengthsAndRelativeOperands) {
  for (Expected expected : {
           Expected{"c3", 1, 0},                     // ret
           Expected{"e811223344", 5, 1},             // call
           Expected{"0f8411223344", 6, 2},           // je
           Expected{"eb11", 2, 0},                   // short jmp
           Expected{"488d0511223344", 7, 3},         // lea rax, [rip + …]
           Expected{"488b442408", 5, 0},             // mov rax, [rsp + 8]
           Expected{"c7051122334455667788", 10, 2},  // mov dword [rip + …], imm32
           Expected{"66c7051122334455aa", 9, 3},     // mov word [rip + …], imm16
           Expected{"48b81122334455667788", 10, 0},  // movabs
           Expected{"f6051122334455", 7, 2},         // test byte [rip + …], imm8
           Expected{"f7d8", 2, 0},                   // neg
           Expected{"c5f877", 3, 0},                 // vzeroupper
           Expected{"c5f8280511223344", 8, 4},       // vmovaps xmm0, [rip + …]
           Expected{"c4e37d1805112233440a", 10, 5},  // vinsertf128 …, [rip + …], 10
           Expected{"62f17c482805aabbccdd", 10, 6},  // vmovaps zmm0, [rip + …]
           Expected{"f30f1efa", 4, 0},               // endbr64
           Expected{"660f3a0f05112233440a", 10, 5},  // palignr
           Expected{"678d0411", 4, 0},               // lea eax, [ecx + edx]
           Expected{"64488b042528000000", 9, 0},     // mov rax, fs:[28h]
           Expected{"06", 0, 0},                     // invalid
           Expected{"e81122", 0, 0},                 // cut off
       }) {
    X86Instruction found = decode_x86(code(expected.hex));
    EXPECT_EQ(found.length, expected.length) << expected.hex;
    EXPECT_EQ(found.relative, expected.length == 0 ? 0 : expected.relative) << expected.hex;
  }
}

TEST(Reference, OperandsSurviveWritingAndReading) {
  for (Field field : {Field::kRelative32, Field::kBackward32, Field::kBased32, Field::kAbsolute64,
                      Field::kArm64Imm26, Field::kArm64Imm19, Field::kArm64Imm14, Field::kArm64Adr,
                      Field::kArm64Page, Field::kArm64Low12, Field::kNumber32}) {
    for (std::int64_t value :
         std::initializer_list<std::int64_t>{0, 1, -1, 5000, -5000, 123456789, INT64_MIN}) {
      Bytes bytes(field_bytes(field), 0xa5);
      Bytes before = bytes;
      write_operand(field, value, bytes);
      EXPECT_EQ(read_operand(field, bytes), wrap_operand(field, value));
      write_operand(field, read_operand(field, before), bytes);
      EXPECT_EQ(bytes, before) << "bits beside the operand changed";
    }
  }
}

TEST(Reference, TargetsSurviveTheirOperands) {
  constexpr std::uint64_t kKernel = 0xffff800008000000;
  for (std::uint64_t origin : {std::uint64_t{0x10000}, kKernel}) {
    for (Field field :
         {Field::kRelative32, Field::kBackward32, Field::kBased32, Field::kAbsolute64,
          Field::kArm64Imm26, Field::kArm64Imm19, Field::kArm64Imm14, Field::kArm64Adr}) {
      for (std::uint64_t target : {origin + 4096, origin - 400, origin}) {
        std::int64_t operand = operand_for(field, 6, target, origin, origin - 64);
        EXPECT_EQ(target_of(field, 6, operand, origin, origin - 64), target);
      }
    }
    std::int64_t pages = operand_for(Field::kArm64Page, 0, origin + 0x5678, origin + 0xfff, 0);
    EXPECT_EQ(pages, 5);
    EXPECT_EQ(operand_for(Field::kArm64Low12, 3, origin + 0x5678, 0, 0), 0x678 >> 3);
  }
}

std::vector<Reference> scan(RegionKind kind, const Bytes& bytes, std::uint64_t address) {
  Layout layout;
  auto length = static_cast<std::uint32_t>(bytes.size());
  layout.regions = {{0, length, address, address, kind, 0}};
  layout.zones.resize(1);
  auto references = all_references(layout, bytes);
  EXPECT_TRUE(references.ok());
  return *references;
}

TEST(Scan, PairsOfAdrpMeanTheWholeAddress) {
  // adrp x1, +1 page; ldr x2, [x1, #16]; add x1, x1, #8; bl +8
  Bytes bytes = code(
      "010000b0"
      "220840f9"
      "21200091"
      "02000094");
  bytes.resize(8192);
  auto found = scan(RegionKind::kArm64Code, bytes, 0x10000);
  ASSERT_GE(found.size(), 4U);
  EXPECT_EQ(found[0].field, Field::kArm64Page);
  EXPECT_EQ(found[0].target, 0x11010U);
  EXPECT_EQ(found[1].field, Field::kArm64Low12);
  EXPECT_EQ(found[1].extra, 3);
  EXPECT_EQ(found[1].target, 0x11010U);
  EXPECT_EQ(found[2].target, 0x11008U);
  EXPECT_EQ(found[3].field, Field::kArm64Imm26);
  EXPECT_EQ(found[3].target, 0x10014U);
}

TEST(Scan, CallFrameInformationPointsToFunctions) {
  Bytes bytes = code(
      "10000000"
      "00000000"
      "017a5200017810010c000000"
      "14000000"
      "14000000"
      "00100000"
      "20000000"
      "04"
      "e0000000"
      "000000");
  bytes.resize(8192);
  auto found = scan(RegionKind::kEhFrame, bytes, 0x1000);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].field, Field::kBackward32);
  EXPECT_EQ(found[0].target, 0x1018U - 0x14);
  EXPECT_EQ(found[1].target, 0x101cU + 0x1000);
  EXPECT_EQ(found[2].target, 0x1025U + 0xe0);
}

TEST(Scan, TypesOfAKernelNameTypesAndStrings) {
  Bytes bytes = code(
      "010000000000000104000000"
      "20000001"                  // INT, named
      "000000000000000201000000"  // PTR to 1
      "05000000020000040800000009000000020000000000000000000000010000002000"
      "0000"  // STRUCT
      "000000000000000300000000"
      "020000000100000004000000"  // ARRAY of 2 by 1
      "0a0000000100000d01000000"
      "0b00000003000000");  // FUNC_PROTO
  std::size_t length = bytes.size();
  bytes.resize(8192);
  auto found = scan(RegionKind::kBtf, bytes, 0);
  std::vector<std::pair<std::uint32_t, std::uint64_t>> expected = {
      {0, 1},  {24, 1}, {28, 5},  {40, 9}, {44, 2},   {56, 1},
      {76, 2}, {80, 1}, {88, 10}, {96, 1}, {100, 11}, {104, 3}};
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(found[i].field, Field::kNumber32);
    EXPECT_EQ(found[i].position, expected[i].first) << i;
    EXPECT_EQ(found[i].target, expected[i].second) << i;
    EXPECT_LT(found[i].position, length);
  }
}

// Blocks are scanned one by one, in any order: what is found must not depend on it.
TEST(Scan, DoesNotDependOnTheOrderOfBlocks) {
  std::string text = testing::noise(100000, 7);
  for (RegionKind kind : {RegionKind::kX86Code, RegionKind::kArm64Code, RegionKind::kPointers64,
                          RegionKind::kRela64, RegionKind::kSymbols64, RegionKind::kEhFrame,
                          RegionKind::kEhFrameTable, RegionKind::kBtf}) {
    Layout layout;
    layout.regions = {{100, 90001, 0x5003, 0x5003, kind, 0}};
    layout.zones = {{{0x100000, 0xf0000000, 0}}};
    BaseInMemory base(as_bytes(text));
    auto forward = Scanner::open(layout, base);
    auto backward = Scanner::open(layout, base);
    ASSERT_TRUE(forward.ok() && backward.ok());
    std::vector<std::vector<std::uint64_t>> seen(25);
    for (std::uint32_t n = 0; n < 25; ++n) {
      auto found = forward->block(n);
      ASSERT_TRUE(found.ok());
      for (const Reference& r : *found) seen[n].push_back(r.target);
    }
    for (std::uint32_t n = 25; n-- > 0;) {
      auto found = backward->block(n);
      ASSERT_TRUE(found.ok());
      ASSERT_EQ(found->size(), seen[n].size());
      std::uint64_t end = 0;
      for (std::size_t i = 0; i < seen[n].size(); ++i) {
        EXPECT_EQ((*found)[i].target, seen[n][i]);
        EXPECT_GE((*found)[i].position, end);
        end = std::uint64_t{(*found)[i].position} + field_bytes((*found)[i].field);
      }
      EXPECT_LE(end, 90101U);
    }
  }
}

}  // namespace
}  // namespace lineside::delta

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "proto/runtime/elf.h"
#include "proto/runtime/memory_input.h"
#include "proto/runtime/onnx.h"
#include "tests/proto/runtime/tree_maker.h"

namespace lineside::runtime {
namespace {

Result<ElfFacts> elf(const std::string& bytes) {
  return read_elf(MemoryInput(as_bytes(bytes)));
}
Result<OnnxFacts> onnx(const std::string& bytes) {
  return read_onnx(MemoryInput(as_bytes(bytes)));
}

fakes::ElfMaker library() {
  fakes::ElfMaker out;
  out.soname = "libonnxruntime.so.1";
  out.needed = {"libc.so.6", "libstdc++.so.6"};
  out.version_needs = {{"libc.so.6", {"GLIBC_2.27", "GLIBC_2.38"}}};
  out.version_definitions = {"VERS_1.0"};
  out.isa_needed = 3;
  return out;
}

TEST(Elf, SaysWhatTheLoaderWouldLookFor) {
  auto facts = elf(library().str());
  ASSERT_TRUE(facts.ok()) << facts.error().what;
  EXPECT_EQ(facts->machine, "x86_64");
  EXPECT_EQ(facts->soname, "libonnxruntime.so.1");
  EXPECT_EQ(facts->needed, (std::vector<std::string>{"libc.so.6", "libstdc++.so.6"}));
  EXPECT_EQ(facts->version_needs.at("libc.so.6"),
            (std::vector<std::string>{"GLIBC_2.27", "GLIBC_2.38"}));
  EXPECT_EQ(facts->version_definitions, std::vector<std::string>{"VERS_1.0"});
  EXPECT_EQ(facts->cpu_level, 2);
}

TEST(Elf, ReadsThisVeryProgram) {
  auto file = make_posix_disk()->open(std::filesystem::canonical("/proc/self/exe"));
  ASSERT_TRUE(file.ok());
  auto facts = read_elf(**file);
  ASSERT_TRUE(facts.ok()) << facts.error().what;
  EXPECT_TRUE(facts->dynamic);
  EXPECT_NE(std::find(facts->needed.begin(), facts->needed.end(), "libc.so.6"),
            facts->needed.end());
  EXPECT_FALSE(facts->version_needs.at("libc.so.6").empty());
}

TEST(Elf, EveryTruncationIsRefusedOrRead) {
  std::string whole = library().str();
  for (std::size_t n = 0; n < whole.size(); n += 7) {
    auto facts = elf(whole.substr(0, n));
    EXPECT_TRUE(facts.ok() || facts.error().code == Code::kMalformed) << n;
  }
}

TEST(Elf, EveryFlippedByteIsRefusedOrRead) {
  std::string whole = library().str();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string bad = whole;
    bad[i] = static_cast<char>(~bad[i]);
    (void)elf(bad);
  }
}

TEST(Elf, ATableThatPointsAtItselfEnds) {
  fakes::ElfMaker maker;
  maker.version_needs = {{"libc.so.6", {"A"}}};
  std::string bad = maker.str();
  fakes::put(bad, 0x700 + 2, 0xffff, 2);               // as many versions as a count can say
  fakes::put(bad, 0x700 + 16 + 12, 0xfffffff0ULL, 4);  // the next one is far outside
  EXPECT_EQ(elf(bad).error().code, Code::kMalformed);
}

TEST(Elf, BigEndianIsUnsupported) {
  std::string bad = library().str();
  bad[5] = 2;
  EXPECT_EQ(elf(bad).error().code, Code::kUnsupported);
}

TEST(Onnx, TheHeadIsReadAroundTheWeights) {
  auto facts = onnx(fakes::onnx_model(10, 18, 16000));
  ASSERT_TRUE(facts.ok()) << facts.error().what;
  EXPECT_EQ(facts->ir_version, 10);
  EXPECT_EQ(facts->opsets.at("ai.onnx"), 18);
  EXPECT_EQ(facts->producer_name, "test");
}

TEST(Onnx, ATruncatedModelIsRefusedAtEveryByte) {
  std::string whole = fakes::onnx_model(8, 15, 300);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_EQ(onnx(whole.substr(0, n)).error().code, Code::kMalformed) << n;
  }
}

TEST(Onnx, GarbageIsRefused) {
  EXPECT_FALSE(onnx(std::string(5000, '\0')).ok());
  EXPECT_FALSE(onnx(std::string(5000, '\xff')).ok());
}

TEST(Onnx, TheNewestIrOfEachRelease) {
  auto most = [](std::string_view version) { return onnxruntime_max_ir(*Version::parse(version)); };
  EXPECT_EQ(most("1.14.0"), 8);
  EXPECT_EQ(most("1.17.0"), 9);
  EXPECT_EQ(most("1.18.0"), 10);
  EXPECT_EQ(most("1.20.1"), 10);
  EXPECT_EQ(most("1.99.0"), std::nullopt);
  EXPECT_EQ(most("0.5"), std::nullopt);
}

}  // namespace
}  // namespace lineside::runtime

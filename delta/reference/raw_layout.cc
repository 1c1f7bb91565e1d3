// SPDX-License-Identifier: Apache-2.0
#include "delta/reference/raw_layout.h"

#include <algorithm>

namespace lineside::delta {
namespace {

constexpr std::uint32_t kBlock = 16384;
constexpr std::uint32_t kRelaBytes = 24;
constexpr std::uint64_t kRelative = 1027;    // R_AARCH64_RELATIVE
constexpr std::uint32_t kLeastEntries = 16;  // of a relocation table
constexpr std::uint64_t kKernelHalf = 0xffff000000000000;
constexpr std::uint64_t kAlignment = 2ULL << 20;  // of a kernel's first address
constexpr std::size_t kLeastPointers = 1000;

std::uint64_t word_at(BytesView file, std::uint64_t offset, unsigned bytes) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) value |= std::uint64_t{file[offset + i]} << (8 * i);
  return value;
}

// Calls that lead to another place of the file are a tenth of most code and rare elsewhere.
bool looks_like_code(BytesView file, std::uint64_t begin, std::uint64_t end) {
  std::uint64_t calls = 0;
  for (std::uint64_t at = begin; at + 4 <= end; at += 4) {
    auto word = static_cast<std::uint32_t>(word_at(file, at, 4));
    if ((word & 0xfc000000) != 0x94000000) continue;
    std::uint64_t target =
        at + static_cast<std::uint64_t>(static_cast<std::int64_t>(std::uint64_t{word} << 38) >> 36);
    if (target < file.size()) ++calls;
  }
  return calls * 4 * 30 > end - begin;
}

bool is_entry(BytesView file, std::uint64_t at) {
  return at + kRelaBytes <= file.size() && word_at(file, at + 8, 8) == kRelative;
}

// Where a table of relocations that begins at `at` ends; `at` if there is none.
std::uint64_t end_of_table(BytesView file, std::uint64_t at) {
  std::uint64_t end = at;
  while (is_entry(file, end)) end += kRelaBytes;
  return end - at >= std::uint64_t{kLeastEntries} * kRelaBytes ? end : at;
}

// The address that most of the words which look like kernel addresses begin with.
std::uint64_t link_address(BytesView file) {
  std::vector<std::uint64_t> pointers;
  for (std::uint64_t at = 0; at + 8 <= file.size(); at += 8) {
    std::uint64_t word = word_at(file, at, 8);
    if (word >= kKernelHalf && word < ~std::uint64_t{0} - kAlignment) pointers.push_back(word);
  }
  if (pointers.size() < kLeastPointers) {
    // U-Boot keeps its address in the second word.
    std::uint64_t named = file.size() >= 16 ? word_at(file, 8, 8) : 0;
    return named % 4096 == 0 && named < (1ULL << 40) ? named : 0;
  }
  std::sort(pointers.begin(), pointers.end());
  std::size_t best_begin = 0;
  std::size_t best_count = 0;
  for (std::size_t begin = 0, end = 0; begin < pointers.size(); ++begin) {
    while (end < pointers.size() && pointers[end] - pointers[begin] < file.size()) ++end;
    if (end - begin <= best_count) continue;
    best_begin = begin;
    best_count = end - begin;
  }
  return pointers[best_begin] / kAlignment * kAlignment;
}

class Mapper {
 public:
  explicit Mapper(BytesView file) : file_(file), address_(link_address(file)) {}

  ImageMap run() {
    std::uint64_t at = 0;
    while (at < file_.size()) {
      std::uint64_t end = std::min<std::uint64_t>(at / kBlock * kBlock + kBlock, file_.size());
      if (looks_like_code(file_, at, end)) {
        add(at, end, RegionKind::kArm64Code);
        at = end;
      } else {
        at = data(at, end);
      }
    }
    return std::move(image_);
  }

  [[nodiscard]] std::uint64_t code_bytes() const { return code_; }

 private:
  // Up to `end`, or further if a table of relocations goes on behind it.
  std::uint64_t data(std::uint64_t at, std::uint64_t end) {
    std::uint64_t begin = at;
    for (at = (at + 7) / 8 * 8; at < end; at += 8) {
      std::uint64_t table_end = end_of_table(file_, at);
      if (table_end == at) continue;
      add(begin, at, RegionKind::kPointers64);
      add(at, table_end, RegionKind::kRela64);
      return table_end;
    }
    add(begin, end, RegionKind::kPointers64);
    return end;
  }

  void add(std::uint64_t begin, std::uint64_t end, RegionKind kind) {
    if (begin >= end) return;
    if (kind == RegionKind::kArm64Code) code_ += end - begin;
    auto length = static_cast<std::uint32_t>(end - begin);
    if (!image_.regions.empty() && image_.regions.back().kind == kind) {
      image_.regions.back().length += length;
      return;
    }
    std::uint64_t address = address_ + begin;
    image_.regions.push_back(
        {static_cast<std::uint32_t>(begin), length, address, address, kind, 0});
  }

  BytesView file_;
  std::uint64_t address_;
  ImageMap image_;
  std::uint64_t code_ = 0;
};

}  // namespace

std::optional<ImageMap> map_raw_arm64(BytesView file) {
  if (file.size() > kMaxPredictedBytes) return std::nullopt;
  Mapper mapper(file);
  ImageMap image = mapper.run();
  if (mapper.code_bytes() < file.size() / 8) return std::nullopt;
  return image;
}

}  // namespace lineside::delta

// SPDX-License-Identifier: Apache-2.0
// AArch64 instructions with relative operands (Arm ARM, C4.1), and pairs of ADRP with an
// instruction that adds the lower 12 bits.
#include <algorithm>
#include <array>
#include <optional>

#include "delta/reference/scan_window.h"

namespace lineside::delta {
namespace {

constexpr std::uint32_t kPairDistance = 32;  // instructions between the two of a pair
constexpr unsigned kRegisters = 31;          // the 32nd is the stack pointer or zero

std::uint32_t load32(BytesView bytes) {
  return std::uint32_t{bytes[0]} | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16 |
         std::uint32_t{bytes[3]} << 24;
}

std::optional<Field> branch_field(std::uint32_t word) {
  if ((word & 0x7c000000) == 0x14000000) return Field::kArm64Imm26;
  if ((word & 0xff000010) == 0x54000000) return Field::kArm64Imm19;  // B.cond
  if ((word & 0x7e000000) == 0x34000000) return Field::kArm64Imm19;  // CBZ, CBNZ
  if ((word & 0x3b000000) == 0x18000000) return Field::kArm64Imm19;  // LDR (literal)
  if ((word & 0x7e000000) == 0x36000000) return Field::kArm64Imm14;  // TBZ, TBNZ
  if ((word & 0x9f000000) == 0x10000000) return Field::kArm64Adr;
  return std::nullopt;
}

// How far the immediate of ADD or of an unsigned offset is shifted.
std::optional<std::uint8_t> low12_scale(std::uint32_t word) {
  if ((word & 0xffc00000) == 0x91000000) return 0;
  if ((word & 0x3b000000) != 0x39000000) return std::nullopt;
  auto size = static_cast<std::uint8_t>(word >> 30);
  bool quad = (word & 0x04800000) == 0x04800000 && size == 0;
  return quad ? 4 : size;
}

bool is_store(std::uint32_t word) {
  return (word & 0x3bc00000) == 0x39000000;
}

// Whether the word's lowest five bits may name a general register that it writes.
bool writes_register(std::uint32_t word) {
  std::uint32_t group = word >> 25 & 15;
  bool vector = (group & 7) == 7 || ((group & 5) == 4 && (word & 0x04000000) != 0);
  bool branch = (group & 14) == 10;
  return !vector && !branch && !is_store(word);
}

class Scan {
 public:
  Scan(const ScanWindow& window, std::vector<Reference>& out) : window_(window), out_(out) {}

  void run() {
    // Instructions stand at multiples of 4, whatever the window begins with.
    std::uint32_t skip = static_cast<std::uint32_t>(-window_.address_of(window_.offset) & 3);
    std::uint32_t end = window_.offset + static_cast<std::uint32_t>(window_.bytes.size());
    for (std::uint32_t at = window_.offset + skip; at < end && end - at >= 4; at += 4) {
      instruction(at, load32(window_.bytes.subspan(at - window_.offset)));
    }
  }

 private:
  struct Page {
    std::uint64_t address = 0;
    std::uint32_t position = 0;
    std::size_t open = 0;  // 1 + number in out_ of the ADRP that waits for its partner
    bool valid = false;
  };

  void instruction(std::uint32_t at, std::uint32_t word) {
    std::optional<Field> branch = branch_field(word);
    if (branch) {
      if (window_.wanted(at)) relative(at, *branch);
      if (*branch == Field::kArm64Adr || (word & 0x3b000000) == 0x18000000) forget(word & 31);
      bool call = (word & 0xfc000000) == 0x94000000;
      if (call) {
        for (unsigned i = 0; i <= 18; ++i) forget(i);  // a call may change them
      }
      return;
    }
    if ((word & 0x9f000000) == 0x90000000) return page(at, word);
    std::optional<std::uint8_t> scale = low12_scale(word);
    if (scale) low12(at, word, *scale);
    if (writes_register(word)) forget(word & 31);
  }

  void relative(std::uint32_t at, Field field) {
    std::int64_t value = read_operand(field, window_.bytes.subspan(at - window_.offset, 4));
    std::uint64_t target = target_of(field, 0, value, window_.address_of(at), 0);
    if (window_.in_image(target)) out_.push_back({at, field, 0, window_.number, target});
  }

  void page(std::uint32_t at, std::uint32_t word) {
    std::int64_t value =
        read_operand(Field::kArm64Page, window_.bytes.subspan(at - window_.offset, 4));
    std::uint64_t address = target_of(Field::kArm64Page, 0, value, window_.address_of(at), 0);
    if ((word & 31) == kRegisters) return;
    Page& entry = pages_[word & 31];
    entry = {address, at, 0, window_.in_image(address | 4095)};
    if (!entry.valid || !window_.wanted(at)) return;
    out_.push_back({at, Field::kArm64Page, 0, window_.number, address});
    entry.open = out_.size();
  }

  void low12(std::uint32_t at, std::uint32_t word, std::uint8_t scale) {
    unsigned base = word >> 5 & 31;
    if (base == kRegisters || !pages_[base].valid) return;
    Page& entry = pages_[base];
    if (at - entry.position > 4 * kPairDistance) return;
    std::uint64_t target = entry.address + (std::uint64_t{word >> 10 & 4095} << scale);
    if (entry.open != 0) out_[entry.open - 1].target = target;
    entry.open = 0;
    if (!window_.wanted(at) || !window_.in_image(target)) return;
    out_.push_back({at, Field::kArm64Low12, scale, window_.number, target});
  }

  void forget(unsigned number) {
    if (number < kRegisters) pages_[number].valid = false;
  }

  const ScanWindow& window_;
  std::vector<Reference>& out_;
  std::array<Page, kRegisters> pages_{};
};

}  // namespace

void scan_arm64(const ScanWindow& window, std::vector<Reference>& out) {
  Scan(window, out).run();
}

}  // namespace lineside::delta

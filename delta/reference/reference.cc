// SPDX-License-Identifier: Apache-2.0
#include "delta/reference/reference.h"

namespace lineside::delta {
namespace {

std::uint64_t load(BytesView bytes, std::uint32_t count) {
  std::uint64_t value = 0;
  for (std::uint32_t i = 0; i < count; ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
  return value;
}

void store(std::uint64_t value, std::span<std::uint8_t> bytes, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

// Bits of a word that hold the operand; ADR and ADRP have two more below, see kLowPair.
struct Bits {
  unsigned shift;
  unsigned width;  // of all bits
  bool pair;       // its lowest two bits are bits 29 and 30
};

Bits bits_of(Field field) {
  switch (field) {
    case Field::kArm64Imm26:
      return {0, 26, false};
    case Field::kArm64Imm19:
      return {5, 19, false};
    case Field::kArm64Imm14:
      return {5, 14, false};
    case Field::kArm64Adr:
    case Field::kArm64Page:
      return {5, 21, true};
    case Field::kArm64Low12:
      return {10, 12, false};
    case Field::kAbsolute64:
      return {0, 64, false};
    default:
      return {0, 32, false};
  }
}

constexpr std::uint64_t mask_of(unsigned width) {
  return width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
}

std::uint64_t scatter(const Bits& bits, std::uint64_t value) {
  value &= mask_of(bits.width);
  if (!bits.pair) return value << bits.shift;
  return (value & 3) << 29 | (value >> 2) << bits.shift;
}

std::uint64_t gather(const Bits& bits, std::uint64_t word) {
  if (!bits.pair) return word >> bits.shift & mask_of(bits.width);
  return (word >> bits.shift & mask_of(19)) << 2 | (word >> 29 & 3);
}

constexpr std::uint64_t kPageMask = ~std::uint64_t{4095};

// Divides by 4 towards minus infinity.
std::int64_t quarter(std::uint64_t distance) {
  return static_cast<std::int64_t>(distance) >> 2;
}

}  // namespace

std::int64_t wrap_operand(Field field, std::int64_t value) {
  unsigned unused = 64 - bits_of(field).width;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(value) << unused) >> unused;
}

std::int64_t read_operand(Field field, BytesView bytes) {
  std::uint64_t value = gather(bits_of(field), load(bytes, field_bytes(field)));
  return wrap_operand(field, static_cast<std::int64_t>(value));
}

void write_operand(Field field, std::int64_t value, std::span<std::uint8_t> bytes) {
  Bits bits = bits_of(field);
  std::uint32_t count = field_bytes(field);
  std::uint64_t word = load(bytes, count) & ~scatter(bits, ~std::uint64_t{0});
  store(word | scatter(bits, static_cast<std::uint64_t>(value)), bytes, count);
}

bool same_form(Field field, BytesView a, BytesView b) {
  std::uint64_t others = load(a, 4) ^ load(b, 4);
  switch (field) {
    case Field::kArm64Imm26:
      return (others & 0x7c000000) == 0;
    case Field::kArm64Imm19:
      return (others & 0x3f000000) == 0;
    case Field::kArm64Imm14:
      return (others & 0x7e000000) == 0;
    case Field::kArm64Adr:
    case Field::kArm64Page:
      return (others & 0x9f000000) == 0;
    case Field::kArm64Low12:
      return (others & 0xffc00000) == 0;
    default:
      return true;
  }
}

std::int64_t operand_for(Field field, std::uint8_t extra, std::uint64_t target,
                         std::uint64_t address, std::uint64_t base) {
  std::uint64_t value = 0;
  switch (field) {
    case Field::kRelative32:
      value = target - address - extra;
      break;
    case Field::kBackward32:
      value = address - target;
      break;
    case Field::kBased32:
      value = target - base;
      break;
    case Field::kAbsolute64:
    case Field::kNumber32:
      value = target;
      break;
    case Field::kArm64Imm26:
    case Field::kArm64Imm19:
    case Field::kArm64Imm14:
      value = static_cast<std::uint64_t>(quarter(target - address));
      break;
    case Field::kArm64Adr:
      value = target - address;
      break;
    case Field::kArm64Page:
      value = ((target & kPageMask) - (address & kPageMask)) >> 12;
      break;
    case Field::kArm64Low12:
      value = (target & 4095) >> extra;
      break;
  }
  return wrap_operand(field, static_cast<std::int64_t>(value));
}

std::uint64_t target_of(Field field, std::uint8_t extra, std::int64_t operand,
                        std::uint64_t address, std::uint64_t base) {
  auto value = static_cast<std::uint64_t>(operand);
  switch (field) {
    case Field::kRelative32:
      return address + extra + value;
    case Field::kBackward32:
      return address - value;
    case Field::kBased32:
      return base + value;
    case Field::kAbsolute64:
      return value;
    case Field::kNumber32:
      return value & 0xffffffff;
    case Field::kArm64Imm26:
    case Field::kArm64Imm19:
    case Field::kArm64Imm14:
      return address + (value << 2);
    case Field::kArm64Adr:
      return address + value;
    case Field::kArm64Page:
      return (address & kPageMask) + (value << 12);
    case Field::kArm64Low12:
      return (value & 4095) << extra;
  }
  return 0;
}

}  // namespace lineside::delta

// SPDX-License-Identifier: Apache-2.0
// A place in a program that holds the address of another place, in the form that its instruction or
// table prescribes.
#pragma once

#include <cstdint>
#include <span>

#include "proto/base/bytes.h"

namespace lineside::delta {

// How the operand is written. "Address" is that of the operand's first byte.
enum class Field : std::uint8_t {
  kRelative32,  // target - address - extra
  kBackward32,  // address - target
  kBased32,     // target - base of the region
  kAbsolute64,  // target
  kArm64Imm26,  // (target - address) / 4 in bits 0-25: B, BL
  kArm64Imm19,  // … in bits 5-23: B.cond, CBZ, LDR (literal)
  kArm64Imm14,  // … in bits 5-18: TBZ
  kArm64Adr,    // target - address in bits 29-30 and 5-23
  kArm64Page,   // page of target - page of address, likewise: ADRP
  kArm64Low12,  // target modulo 4096, shifted right by extra, in bits 10-21: ADD, LDR, STR
  kNumber32,    // a number in a list, not an address; which list, extra says: see BtfNumber
};

struct Reference {
  std::uint32_t position = 0;  // of the operand in the base
  Field field = Field::kRelative32;
  std::uint8_t extra = 0;
  std::uint32_t region = 0;  // number in Layout::regions
  std::uint64_t target = 0;  // old address
};

// Bytes that the operand, or the word it is part of, takes.
constexpr std::uint32_t field_bytes(Field field) {
  return field == Field::kAbsolute64 ? 8 : 4;
}

// The operand's number, sign-extended; `bytes` are field_bytes(field).
std::int64_t read_operand(Field field, BytesView bytes);
// The other bits of the word stay; `value` is cut to the operand's width.
void write_operand(Field field, std::int64_t value, std::span<std::uint8_t> bytes);
// Whether `b` is the same instruction as `a` but for operand and registers.
bool same_form(Field field, BytesView a, BytesView b);

// Cuts to the operand's width and extends the sign.
std::int64_t wrap_operand(Field field, std::int64_t value);

// The operand's number that means `target`, at `address`; `base` is that of the region.
std::int64_t operand_for(Field field, std::uint8_t extra, std::uint64_t target,
                         std::uint64_t address, std::uint64_t base);
// The target that an operand means; for kArm64Page its page, for kArm64Low12 the last 12 bits.
std::uint64_t target_of(Field field, std::uint8_t extra, std::int64_t operand,
                        std::uint64_t address, std::uint64_t base);

}  // namespace lineside::delta

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "delta/reference/scan_window.h"
#include "delta/reference/x86_instruction.h"

namespace lineside::delta {

void scan_x86(const ScanWindow& window, std::vector<Reference>& out) {
  std::uint32_t end = window.offset + static_cast<std::uint32_t>(window.bytes.size());
  std::uint32_t at = window.offset;
  while (at < window.to) {
    BytesView code = window.bytes.subspan(at - window.offset);
    X86Instruction instruction = decode_x86(code);
    std::uint32_t length = std::max<std::uint32_t>(instruction.length, 1);
    std::uint32_t operand = at + instruction.relative;
    if (instruction.length != 0 && instruction.relative != 0 && window.wanted(operand) &&
        end - operand >= 4) {
      auto extra = static_cast<std::uint8_t>(length - instruction.relative);
      std::int64_t value =
          read_operand(Field::kRelative32, window.bytes.subspan(operand - window.offset, 4));
      std::uint64_t target =
          target_of(Field::kRelative32, extra, value, window.address_of(operand), 0);
      if (window.in_image(target)) {
        out.push_back({operand, Field::kRelative32, extra, window.number, target});
      }
    }
    at += length;
  }
}

}  // namespace lineside::delta

// SPDX-License-Identifier: Apache-2.0
// Lengths of x86-64 instructions and where their relative operands stand (Intel SDM volume 2,
// chapter 2 and appendix A).
#pragma once

#include <cstdint>

#include "proto/base/bytes.h"

namespace lineside::delta {

struct X86Instruction {
  std::uint8_t length = 0;    // 0: no instruction, or cut off
  std::uint8_t relative = 0;  // where a 4-byte operand relative to the end begins; 0: there is none
};

// The instruction that `code` begins with. The same for the same bytes, on every machine.
X86Instruction decode_x86(BytesView code);

}  // namespace lineside::delta

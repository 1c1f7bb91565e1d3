// SPDX-License-Identifier: Apache-2.0
// Numbers of the ELF format (System V ABI, chapters 4 and 5) that more than one reader needs.
#pragma once

#include <cstdint>

namespace lineside::elf {

inline constexpr std::uint64_t kMagic = 0x464c457f;         // the first four bytes, little-endian
inline constexpr std::uint64_t kClass32 = 1, kClass64 = 2;  // byte 4
inline constexpr std::uint64_t kLittleEndian = 1;           // byte 5

// e_type, e_machine: where they stand in either class.
inline constexpr std::uint64_t kTypeAt = 16, kMachineAt = 18;
inline constexpr std::uint64_t kRelocatable = 1, kExecutable = 2, kShared = 3;
inline constexpr std::uint64_t kMachineX86 = 62, kMachineArm64 = 183;

inline constexpr std::uint64_t kHeaderBytes32 = 52, kHeaderBytes64 = 64;

}  // namespace lineside::elf

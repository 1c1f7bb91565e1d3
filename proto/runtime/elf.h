// SPDX-License-Identifier: Apache-2.0
// What a dynamic linker would read of an ELF file (System V gABI, "Program Loading and Dynamic
// Linking"; symbol versions: LSB core, "Symbol Versioning"). Sections are not used, since strip may
// remove them; everything is found from the program headers, as ld.so does.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/disk.h"

namespace lineside::runtime {

struct ElfFacts {
  std::string machine;  // as uname says it: "x86_64", "aarch64", "armv7l", "i686", or "em-243"
  int bits = 64;
  bool dynamic = false;  // has a dynamic section
  std::string soname;
  std::vector<std::string> needed;
  std::vector<std::string> runpath;  // DT_RUNPATH or DT_RPATH, split at ':'
  // From which library which versions: {"libc.so.6": ["GLIBC_2.34", ...]}. Weak needs are left out.
  std::map<std::string, std::vector<std::string>, std::less<>> version_needs;
  std::vector<std::string> version_definitions;  // without the base version, which is the soname
  int cpu_level =
      0;  // x86-64-vN that the file says it needs (GNU property note); 0 if it is silent

  bool operator==(const ElfFacts&) const = default;
};

// True if the first bytes are those of an ELF file.
bool is_elf(BytesView head);

// Reads a few KiB, whatever the file's size. kMalformed for bytes that contradict themselves or
// point outside the file; kUnsupported for big-endian files; kTooLarge for tables beyond 64 Ki
// entries or strings beyond 64 MiB.
Result<ElfFacts> read_elf(const InputFile& file);

}  // namespace lineside::runtime

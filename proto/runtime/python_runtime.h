// SPDX-License-Identifier: Apache-2.0
// Which CPython a tree holds.
#pragma once

#include <string>
#include <vector>

#include "proto/runtime/tree.h"

namespace lineside::runtime {

struct PythonRuntime {
  int minor = 0;        // the Y of 3.Y
  std::string version;  // "3.11.2" if the interpreter or its headers say so, else "3.11"
  std::string where;    // the path that shows it

  [[nodiscard]] std::string abi() const { return "cp3" + std::to_string(minor); }
};

// Each Python 3 of which `tree` holds an interpreter ("bin/python3.11") or the standard library
// ("lib/python3.11/os.py"), those below `first` before others, then newest first. `root` is the
// tree's folder on `disk`.
std::vector<PythonRuntime> find_pythons(const Disk& disk, const Path& root, const Tree& tree,
                                        std::string_view first);

// "3.11" or "3.11.2" as declared by a caller; kMalformed for anything else.
Result<PythonRuntime> declared_python(std::string_view version);

// The first text "3.MINOR.PATCH" that ends with a zero byte or "+" in an interpreter's bytes, e.g.
// "3.11.2"; empty if there is none. Reads at most 64 MiB.
std::string version_text(const InputFile& file, int minor);

}  // namespace lineside::runtime

// SPDX-License-Identifier: Apache-2.0
// Programs as a shell sees them.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

namespace lineside {

struct Ended {
  int status = -1;
  std::string text;  // standard output and standard error
};

inline Ended run_program(const std::string& program, const std::string& arguments) {
  std::string line =
      std::string(LINESIDE_BIN_DIR) + "/" + program + " " + arguments + " 2>&1 </dev/null";
  Ended ended;
  FILE* pipe = ::popen(line.c_str(), "r");
  std::array<char, 4096> part{};
  while (std::size_t count = std::fread(part.data(), 1, part.size(), pipe)) {
    ended.text.append(part.data(), count);
  }
  ended.status = WEXITSTATUS(::pclose(pipe));
  return ended;
}

}  // namespace lineside

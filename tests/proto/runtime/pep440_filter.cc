// SPDX-License-Identifier: Apache-2.0
// A filter for the differential test: one answer a line of standard input.
#include <iostream>
#include <string>

#include "proto/runtime/pep440.h"

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << lineside::runtime::pep440_line(line) << '\n';
  }
  return 0;
}

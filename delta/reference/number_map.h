// SPDX-License-Identifier: Apache-2.0
// Where the numbers of a numbered list went, learnt one by one: what was inserted before a number
// shifts all that follow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lineside::delta {

class NumberMap {
 public:
  static constexpr std::size_t kMost = 1U << 15;  // of what is kept
  static constexpr std::uint64_t kMemory = kMost * 8;

  // The number is shifted as the greatest known one below it is; by `shift` where none is.
  [[nodiscard]] std::uint32_t predict(std::uint32_t number) const;
  void learn(std::uint32_t number, std::uint32_t actual);
  // Forgets all, but for the shift that the next list is likely to begin with.
  void restart();

 private:
  struct Step {
    std::uint32_t number = 0;
    std::uint32_t shift = 0;  // of it and of those after it, modulo 2^32
  };
  [[nodiscard]] std::uint32_t shift_of(std::uint32_t number) const;

  std::vector<Step> steps_;  // by number
  std::uint32_t first_shift_ = 0;
  bool began_ = false;  // something was learnt since the restart
};

}  // namespace lineside::delta

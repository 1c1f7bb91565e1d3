// SPDX-License-Identifier: Apache-2.0
// How much two files have in common, guessed from a few hashes of each.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "proto/base/bytes.h"

namespace lineside::delta {

// The smallest of the hashes of all 64-byte stretches, a sample chosen by content ("bottom-k
// MinHash"). Made from any portions of the file, in order.
class Sketch {
 public:
  void update(BytesView data);
  // To be called once, after the last update.
  void finish();

  // Share of the common hashes, 0 to 1. Both must be finished.
  [[nodiscard]] double similarity(const Sketch& other) const;

 private:
  void shrink();

  std::uint64_t rolling_ = 0;
  std::uint64_t seen_ = 0;
  std::vector<std::uint64_t> smallest_;
};

// What the names alone say, 0 to 0.6: most for names that differ in version numbers only.
double name_similarity(std::string_view path, std::string_view other_path);

}  // namespace lineside::delta

// SPDX-License-Identifier: Apache-2.0
// The sorted suffixes of a buffer and the longest match in them.
#pragma once

#include <cstdint>
#include <memory>

#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::delta {

struct Match {
  std::uint64_t position = 0;  // in the buffer
  std::uint64_t length = 0;    // 0: nothing in common
};

// Immutable; any number of threads may search.
class SuffixArray {
 public:
  // Takes 5 bytes of memory for a byte of `data` (9 above 2 GiB), the buffer included; `data` must
  // outlive it. kTooLarge if there is not that much memory.
  static Result<std::unique_ptr<SuffixArray>> build(BytesView data);
  virtual ~SuffixArray() = default;

  // The longest prefix of `wanted` that occurs in the buffer.
  [[nodiscard]] virtual Match find(BytesView wanted) const = 0;

  // The same, taken from the place nearest to `expected` among those looked at, and what is a
  // better trade of length for nearness, if anything is.
  struct Matches {
    Match longest;
    Match nearest;
  };
  [[nodiscard]] virtual Matches find_near(BytesView wanted, std::uint64_t expected) const = 0;
};

}  // namespace lineside::delta

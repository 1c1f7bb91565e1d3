// SPDX-License-Identifier: Apache-2.0
// Bytes in memory as an input file, for readers that take files.
#pragma once

#include <algorithm>

#include "proto/base/disk.h"

namespace lineside::runtime {

// A view: the bytes must outlive it.
class MemoryInput final : public InputFile {
 public:
  explicit MemoryInput(BytesView bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset,
                                            std::span<std::uint8_t> out) const override {
    if (offset >= bytes_.size()) return std::size_t{0};
    std::size_t n = std::min<std::uint64_t>(out.size(), bytes_.size() - offset);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), n, out.begin());
    return n;
  }

 private:
  BytesView bytes_;
};

}  // namespace lineside::runtime

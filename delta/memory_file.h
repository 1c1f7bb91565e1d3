// SPDX-License-Identifier: Apache-2.0
// A buffer that reads like a file.
#pragma once

#include <algorithm>

#include "proto/base/disk.h"

namespace lineside::delta {

// `data` must outlive it.
class MemoryFile final : public InputFile {
 public:
  explicit MemoryFile(BytesView data) : data_(data) {}
  [[nodiscard]] std::uint64_t size() const override { return data_.size(); }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset,
                                            std::span<std::uint8_t> out) const override {
    if (offset >= data_.size()) return std::size_t{0};
    std::size_t count = std::min<std::uint64_t>(out.size(), data_.size() - offset);
    std::copy_n(data_.begin() + static_cast<std::ptrdiff_t>(offset), count, out.begin());
    return count;
  }

 private:
  BytesView data_;
};

}  // namespace lineside::delta

// SPDX-License-Identifier: Apache-2.0
// The bases of a unit, end to end.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"

namespace lineside::delta {

class BaseBytes {
 public:
  virtual ~BaseBytes() = default;
  // Fills `out`; the caller keeps to the unit's base_length.
  [[nodiscard]] virtual Result<void> read(std::uint64_t offset, std::span<std::uint8_t> out) = 0;
};

class BaseInMemory final : public BaseBytes {
 public:
  explicit BaseInMemory(BytesView data) : data_(data) {}
  [[nodiscard]] Result<void> read(std::uint64_t offset, std::span<std::uint8_t> out) override;

 private:
  BytesView data_;
};

// Opens its files when they are needed and keeps a few open. kMismatch for one shorter than listed.
class BaseOnDisk final : public BaseBytes {
 public:
  BaseOnDisk(const Disk& disk, std::vector<std::pair<Path, std::uint64_t>> files);
  [[nodiscard]] Result<void> read(std::uint64_t offset, std::span<std::uint8_t> out) override;

 private:
  [[nodiscard]] Result<const InputFile*> file(std::size_t number);

  const Disk& disk_;
  std::vector<std::pair<Path, std::uint64_t>> files_;
  std::vector<std::uint64_t> begins_;
  std::list<std::pair<std::size_t, std::unique_ptr<InputFile>>> open_;  // latest first
};

}  // namespace lineside::delta

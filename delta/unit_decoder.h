// SPDX-License-Identifier: Apache-2.0
// From a unit of a delivery to its bytes, in bounded memory: one decoder a stream and one step
// buffer.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "delta/format.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"

namespace lineside::delta {

// The bases of a unit, end to end.
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

// Takes the unit's bytes in order. An error ends the decoding and is passed on.
using Sink = std::function<Result<void>(BytesView)>;

// kMalformed for streams that make no sense, kMismatch if a window has another hash than the index
// says (base or delivery is damaged); else the codes of `base`, `delivery` and `sink`.
Result<void> decode_unit(const Unit& unit, const InputFile& delivery, BaseBytes& base,
                         const Sink& sink);

}  // namespace lineside::delta

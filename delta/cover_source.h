// SPDX-License-Identifier: Apache-2.0
// Where the bytes of covers come from, before differences are added.
#pragma once

#include <cstdint>
#include <span>

#include "delta/base_bytes.h"
#include "delta/covers.h"
#include "proto/base/result.h"

namespace lineside::delta {

class CoverSource {
 public:
  virtual ~CoverSource() = default;
  // The next cover begins, in the order of the target.
  virtual void begin(const Cover& cover) = 0;
  // Its next bytes, no more than it has.
  [[nodiscard]] virtual Result<void> read(std::span<std::uint8_t> out) = 0;
};

// The bytes of the base as they are. `base` must outlive it.
class PlainSource final : public CoverSource {
 public:
  explicit PlainSource(BaseBytes& base) : base_(base) {}
  void begin(const Cover& cover) override { position_ = cover.old_position; }
  [[nodiscard]] Result<void> read(std::span<std::uint8_t> out) override {
    TRY(base_.read(position_, out));
    position_ += out.size();
    return ok();
  }

 private:
  BaseBytes& base_;
  std::uint64_t position_ = 0;
};

}  // namespace lineside::delta

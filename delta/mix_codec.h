// SPDX-License-Identifier: Apache-2.0
// A binary arithmetic coder over MixModel's probabilities. README.md, "Mix".
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>

#include "delta/mix_model.h"
#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::delta {

// kCancelled. Takes about a second for a MiB, decoding too.
Result<Bytes> encode_mix(BytesView raw, unsigned memory_log, const std::stop_token& stop);

class MixDecoder {
 public:
  // `next` gives the next coded bytes, none at the end; it must outlive the decoder.
  using Source = std::function<Result<BytesView>()>;
  MixDecoder(unsigned memory_log, Source next) : model_(memory_log), next_(std::move(next)) {}

  // kMalformed if the coded bytes end long before.
  [[nodiscard]] Result<void> read(std::span<std::uint8_t> out);

 private:
  [[nodiscard]] Result<void> shift_in();

  MixModel model_;
  Source next_;
  BytesView portion_;
  unsigned missing_ = 0;  // bytes taken as zero behind the end
  unsigned started_ = 0;  // bytes of the first four that were read
  std::uint32_t low_ = 0;
  std::uint32_t high_ = 0xffffffff;
  std::uint32_t code_ = 0;
};

}  // namespace lineside::delta

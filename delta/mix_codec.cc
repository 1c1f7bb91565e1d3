// SPDX-License-Identifier: Apache-2.0
#include "delta/mix_codec.h"

namespace lineside::delta {
namespace {

constexpr unsigned kCodeBytes = 4;
constexpr std::size_t kStopBytes = 64U << 10;

// The last number of the part of [low, high] that stands for a 1.
std::uint32_t split(std::uint32_t low, std::uint32_t high, std::uint32_t probability) {
  std::uint64_t range = high - low;
  return low + static_cast<std::uint32_t>(range * probability >> 16);
}

// Whether all numbers of the range begin with the same byte.
bool first_byte_known(std::uint32_t low, std::uint32_t high) {
  return ((low ^ high) & 0xff000000) == 0;
}

}  // namespace

Result<Bytes> encode_mix(BytesView raw, unsigned memory_log, const std::stop_token& stop) {
  MixModel model(memory_log);
  Bytes out;
  std::uint32_t low = 0;
  std::uint32_t high = 0xffffffff;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (i % kStopBytes == 0 && stop.stop_requested()) {
      return Error{Code::kCancelled, "compression was stopped"};
    }
    for (unsigned shift = 8; shift-- > 0;) {
      unsigned bit = raw[i] >> shift & 1U;
      std::uint32_t middle = split(low, high, model.probability());
      (bit != 0 ? high : low) = bit != 0 ? middle : middle + 1;
      model.update(bit);
      while (first_byte_known(low, high)) {
        out.push_back(static_cast<std::uint8_t>(high >> 24));
        low <<= 8;
        high = high << 8 | 255;
      }
    }
  }
  // The decoder reads zeros behind the end: one byte is enough to stay in the range.
  if (low > 0) out.push_back(static_cast<std::uint8_t>((low >> 24) + 1));
  return out;
}

Result<void> MixDecoder::shift_in() {
  if (portion_.empty()) {
    TRY_ASSIGN(portion_, next_());
  }
  std::uint8_t byte = 0;
  if (!portion_.empty()) {
    byte = portion_[0];
    portion_ = portion_.subspan(1);
  } else if (++missing_ > kCodeBytes) {
    return Error{Code::kMalformed, "compressed stream: it is cut off"};
  }
  code_ = code_ << 8 | byte;
  return ok();
}

Result<void> MixDecoder::read(std::span<std::uint8_t> out) {
  for (; started_ < kCodeBytes; ++started_) TRY(shift_in());
  for (std::uint8_t& byte : out) {
    unsigned value = 0;
    for (int i = 0; i < 8; ++i) {
      std::uint32_t middle = split(low_, high_, model_.probability());
      unsigned bit = code_ <= middle ? 1 : 0;
      (bit != 0 ? high_ : low_) = bit != 0 ? middle : middle + 1;
      model_.update(bit);
      value = value << 1 | bit;
      while (first_byte_known(low_, high_)) {
        low_ <<= 8;
        high_ = high_ << 8 | 255;
        TRY(shift_in());
      }
    }
    byte = static_cast<std::uint8_t>(value);
  }
  return ok();
}

}  // namespace lineside::delta

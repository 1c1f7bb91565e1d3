// SPDX-License-Identifier: Apache-2.0
// Numbers in the delivery format: LEB128 (seven bits a byte, least first, high bit: more follow),
// signed ones folded (0, -1, 1, -2, …) first. At most ten bytes; the last one is never zero unless
// the number is, so that a number has one form only.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "proto/base/bytes.h"

namespace lineside::delta {

inline void put_varint(Bytes& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<std::uint8_t>(value));
}

inline std::uint64_t fold(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
inline std::int64_t unfold(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// Takes the bytes of one number one by one.
class VarintDecoder {
 public:
  enum class State { kMore, kDone, kBad };

  State feed(std::uint8_t byte) {
    if (shift_ == 63 && byte > 1) return State::kBad;
    value_ |= static_cast<std::uint64_t>(byte & 0x7f) << shift_;
    if (byte >= 0x80) {
      shift_ += 7;
      return shift_ > 63 ? State::kBad : State::kMore;
    }
    return byte == 0 && shift_ != 0 ? State::kBad : State::kDone;
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
  unsigned shift_ = 0;
};

// Reads numbers from a buffer. A failed read consumes nothing. Every number has a greatest value.
class ByteReader {
 public:
  ByteReader(BytesView data, std::string_view name) : data_(data), name_(name) {}

  // kMalformed past the end, for another form or above `max`; the sentence names `what`.
  Result<std::uint64_t> varint(std::string_view what,
                               std::uint64_t max = std::numeric_limits<std::uint64_t>::max()) {
    VarintDecoder decoder;
    for (std::size_t i = position_; i < data_.size(); ++i) {
      VarintDecoder::State state = decoder.feed(data_[i]);
      if (state == VarintDecoder::State::kMore) continue;
      if (state == VarintDecoder::State::kBad) break;
      if (decoder.value() > max) return bad(what, "is above " + std::to_string(max));
      position_ = i + 1;
      return decoder.value();
    }
    return bad(what, "is no number");
  }
  Result<std::uint8_t> byte(std::string_view what) {
    if (position_ == data_.size()) return bad(what, "is missing");
    return data_[position_++];
  }
  Result<BytesView> bytes(std::uint64_t count, std::string_view what) {
    if (count > data_.size() - position_) return bad(what, "is cut off");
    BytesView part = data_.subspan(position_, count);
    position_ += count;
    return part;
  }
  [[nodiscard]] bool at_end() const { return position_ == data_.size(); }
  [[nodiscard]] std::uint64_t left() const { return data_.size() - position_; }
  [[nodiscard]] Error bad(std::string_view what, std::string_view why) const {
    return {Code::kMalformed, std::string(name_) + ", byte " + std::to_string(position_) + ": " +
                                  std::string(what) + " " + std::string(why)};
  }

 private:
  BytesView data_;
  std::string_view name_;
  std::size_t position_ = 0;
};

}  // namespace lineside::delta

// SPDX-License-Identifier: Apache-2.0
#include "delta/unit_decoder.h"

#include <algorithm>
#include <string>

#include "delta/cover_decoder.h"

namespace lineside::delta {
namespace {

constexpr std::size_t kStepBytes = 64U << 10;
constexpr std::size_t kMaxOpenFiles = 16;

std::uint64_t first_eight(const Digest& digest) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 8; ++i) value |= std::uint64_t{digest.bytes[i]} << (8 * i);
  return value;
}

// Stands before the sink and checks each window as soon as it is complete.
class WindowCheck {
 public:
  WindowCheck(const Unit& unit, const Sink& sink) : unit_(unit), sink_(sink) {}

  Result<void> take(BytesView data) {
    if (unit_.windows.empty()) return sink_(data);
    while (!data.empty()) {
      std::uint64_t end = std::min(unit_.length, (done_ / kWindowBytes + 1) * kWindowBytes);
      BytesView part = data.first(std::min<std::uint64_t>(data.size(), end - done_));
      hash_.update(part);
      TRY(sink_(part));
      done_ += part.size();
      data = data.subspan(part.size());
      if (done_ == end) TRY(end_window());
    }
    return ok();
  }

 private:
  Result<void> end_window() {
    std::uint64_t number = (done_ - 1) / kWindowBytes;
    if (first_eight(hash_.finish()) != unit_.windows[number]) {
      return Error{Code::kMismatch, "window " + std::to_string(number) + " has another hash"};
    }
    hash_ = Sha256();
    return ok();
  }

  const Unit& unit_;
  const Sink& sink_;
  Sha256 hash_;
  std::uint64_t done_ = 0;
};

Result<void> decode_stream(const InputFile& delivery, const Segment& segment, std::uint64_t length,
                           BytesView prefix, WindowCheck& out) {
  if (segment.streams[0].raw_length != length) {
    return Error{Code::kMalformed, "a stream has another length than its segment"};
  }
  TRY_ASSIGN(auto decoder,
             StreamDecoder::open(delivery, segment.offset, segment.streams[0], prefix));
  Bytes step(std::min<std::uint64_t>(kStepBytes, length));
  while (decoder->left() > 0) {
    std::span<std::uint8_t> part =
        std::span(step).first(std::min<std::uint64_t>(step.size(), decoder->left()));
    TRY(decoder->read(part));
    TRY(out.take(part));
  }
  return ok();
}

Result<void> decode_covers(const Unit& unit, const InputFile& delivery, const Segment& segment,
                           std::uint64_t length, BaseBytes& base, WindowCheck& out) {
  TRY_ASSIGN(auto decoder,
             CoverDecoder::open(delivery, segment, unit.method == Method::kCoversSplit,
                                unit.base_length, length, base));
  Bytes step(std::min<std::uint64_t>(kStepBytes, length));
  while (decoder.left() > 0) {
    std::span<std::uint8_t> part =
        std::span(step).first(std::min<std::uint64_t>(step.size(), decoder.left()));
    TRY_ASSIGN(std::size_t count, decoder.step(part));
    TRY(out.take(part.first(count)));
  }
  return ok();
}

}  // namespace

Result<void> BaseInMemory::read(std::uint64_t offset, std::span<std::uint8_t> out) {
  if (offset > data_.size() || out.size() > data_.size() - offset) {
    return Error{Code::kMismatch, "the base is shorter than listed"};
  }
  std::copy_n(data_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
  return ok();
}

BaseOnDisk::BaseOnDisk(const Disk& disk, std::vector<std::pair<Path, std::uint64_t>> files)
    : disk_(disk), files_(std::move(files)) {
  std::uint64_t begin = 0;
  for (const auto& [path, length] : files_) {
    begins_.push_back(begin);
    begin += length;
  }
}

Result<void> BaseOnDisk::read(std::uint64_t offset, std::span<std::uint8_t> out) {
  auto after = std::upper_bound(begins_.begin(), begins_.end(), offset);
  auto number = static_cast<std::size_t>(after - begins_.begin()) - 1;
  while (!out.empty()) {
    if (number >= files_.size()) {
      return Error{Code::kMismatch, "the base is shorter than listed"};
    }
    std::uint64_t inside = offset - begins_[number];
    std::size_t count = std::min<std::uint64_t>(out.size(), files_[number].second - inside);
    if (count > 0) {
      TRY_ASSIGN(const InputFile* input, file(number));
      TRY_ASSIGN(std::size_t got, input->read_at(inside, out.first(count)));
      if (got != count) {
        return Error{Code::kMismatch, files_[number].first.string() + " is shorter than listed"};
      }
    }
    offset += count;
    out = out.subspan(count);
    ++number;
  }
  return ok();
}

Result<const InputFile*> BaseOnDisk::file(std::size_t number) {
  auto found = std::find_if(open_.begin(), open_.end(),
                            [number](const auto& entry) { return entry.first == number; });
  if (found != open_.end()) {
    open_.splice(open_.begin(), open_, found);
    return static_cast<const InputFile*>(open_.front().second.get());
  }
  TRY_ASSIGN(auto opened, disk_.open(files_[number].first));
  if (open_.size() == kMaxOpenFiles) open_.pop_back();
  open_.emplace_front(number, std::move(opened));
  return static_cast<const InputFile*>(open_.front().second.get());
}

Result<void> decode_unit(const Unit& unit, const InputFile& delivery, BaseBytes& base,
                         const Sink& sink) {
  WindowCheck out(unit, sink);
  Bytes prefix;
  if (unit.method == Method::kPrefix) {
    prefix.resize(unit.base_length);
    TRY(base.read(0, prefix));
  }
  std::uint64_t left = unit.length;
  for (const Segment& segment : unit.segments) {
    std::uint64_t length = std::min(left, unit.segment_length);
    if (stream_count(unit.method) == 1) {
      TRY(decode_stream(delivery, segment, length, prefix, out));
    } else {
      TRY(decode_covers(unit, delivery, segment, length, base, out));
    }
    left -= length;
  }
  return ok();
}

}  // namespace lineside::delta

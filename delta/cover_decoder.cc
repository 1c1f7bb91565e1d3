// SPDX-License-Identifier: Apache-2.0
#include "delta/cover_decoder.h"

#include <algorithm>

namespace lineside::delta {
namespace {

constexpr std::size_t kValueBytes = 4096;

}  // namespace

Result<CoverDecoder> CoverDecoder::open(const InputFile& delivery, const Segment& segment,
                                        bool split, std::uint64_t base_length, std::uint64_t length,
                                        CoverSource& source) {
  TRY_ASSIGN(CoverReader covers, CoverReader::open(delivery, segment, base_length, length));
  TRY_ASSIGN(auto runs, open_stream(delivery, segment, kRuns));
  TRY_ASSIGN(auto differences, open_stream(delivery, segment, kDifferences));
  TRY_ASSIGN(auto literals, open_stream(delivery, segment, kLiterals));
  Streams streams{std::move(covers), NumberDecoder(std::move(runs)), std::move(differences),
                  std::move(literals)};
  return CoverDecoder(std::move(streams), split, length, source);
}

CoverDecoder::CoverDecoder(Streams streams, bool split, std::uint64_t length, CoverSource& source)
    : streams_(std::move(streams)),
      split_(split),
      left_(length),
      source_(&source),
      values_(kValueBytes) {}

Result<std::size_t> CoverDecoder::step(std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size() && left_ > 0) {
    if (gap_ == 0 && cover_ == 0) {
      if (next_.length > 0) {
        source_->begin(next_);
        cover_ = next_.length;
        next_ = {};
        continue;
      }
      TRY_ASSIGN(CoverReader::Step step, streams_.covers.next());
      gap_ = step.gap;
      next_ = step.cover;
      continue;
    }
    std::uint64_t& from = gap_ > 0 ? gap_ : cover_;
    std::size_t count = std::min<std::uint64_t>(out.size() - done, from);
    std::span<std::uint8_t> part = out.subspan(done, count);
    if (gap_ > 0) {
      TRY(streams_.literals->read(part));
    } else {
      TRY(source_->read(part));
      TRY(add_differences(part));
    }
    from -= count;
    left_ -= count;
    done += count;
  }
  return done;
}

Result<void> CoverDecoder::add_differences(std::span<std::uint8_t> out) {
  if (!split_) return add_values(out);
  while (!out.empty()) {
    if (run_ == 0) {
      // Only the first run may be empty, so that each number read makes at least one byte.
      bool first = !began_;
      began_ = true;
      in_zeros_ = !in_zeros_;
      TRY_ASSIGN(run_, streams_.runs.next("run", kMaxUnitBytes));
      if (run_ == 0 && !first) return Error{Code::kMalformed, "covers: run is empty"};
      continue;
    }
    std::size_t count = std::min<std::uint64_t>(out.size(), run_);
    if (!in_zeros_) TRY(add_values(out.first(count)));
    run_ -= count;
    out = out.subspan(count);
  }
  return ok();
}

Result<void> CoverDecoder::add_values(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    std::span<std::uint8_t> part = std::span(values_).first(std::min(out.size(), values_.size()));
    TRY(streams_.differences->read(part));
    for (std::size_t i = 0; i < part.size(); ++i)
      out[i] = static_cast<std::uint8_t>(out[i] + part[i]);
    out = out.subspan(part.size());
  }
  return ok();
}

}  // namespace lineside::delta

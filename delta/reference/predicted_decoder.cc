// SPDX-License-Identifier: Apache-2.0
#include "delta/reference/predicted_decoder.h"

#include <limits>
#include <optional>
#include <vector>

#include "delta/cover_reader.h"
#include "delta/reference/predicted_base.h"
#include "delta/varint.h"

namespace lineside::delta {
namespace {

class ResidualReader final : public Residuals {
 public:
  ResidualReader(NumberDecoder runs, NumberDecoder values)
      : runs_(std::move(runs)), values_(std::move(values)) {}

  [[nodiscard]] Result<std::int64_t> next(const Reference& /*reference*/, BytesView /*bytes*/,
                                          std::int64_t /*predicted*/,
                                          std::uint64_t /*new_position*/) override {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    if (!began_) {
      TRY_ASSIGN(right_, runs_.next("run of references", kMost));
      began_ = true;
    }
    if (right_ > 0) {
      --right_;
      return std::int64_t{0};
    }
    TRY_ASSIGN(std::uint64_t value, values_.next("residual", kMost));
    TRY_ASSIGN(right_, runs_.next("run of references", kMost));
    return unfold(value);
  }

 private:
  NumberDecoder runs_, values_;
  bool began_ = false;
  std::uint64_t right_ = 0;  // references that are predicted rightly, from here on
};

class PredictedSource final : public CoverSource {
 public:
  // The members refer to one another, so that it must not move.
  PredictedSource(Layout layout, std::vector<AddressMap::Piece> covers, ResidualReader residuals,
                  BaseBytes& base)
      : layout_(std::move(layout)),
        predictor_(layout_, std::move(covers)),
        residuals_(std::move(residuals)),
        base_(base) {}
  PredictedSource(const PredictedSource&) = delete;
  PredictedSource& operator=(const PredictedSource&) = delete;

  Result<void> prepare() {
    TRY_ASSIGN(Scanner scanner, Scanner::open(layout_, base_));
    scanner_.emplace(std::move(scanner));
    bytes_.emplace(*scanner_, predictor_, base_, residuals_);
    return ok();
  }

  void begin(const Cover& cover) override { bytes_->begin(cover); }
  [[nodiscard]] Result<void> read(std::span<std::uint8_t> out) override {
    return bytes_->read(out);
  }

 private:
  Layout layout_;
  Predictor predictor_;
  ResidualReader residuals_;
  BaseBytes& base_;
  std::optional<Scanner> scanner_;
  std::optional<PredictedBase> bytes_;
};

Result<std::vector<AddressMap::Piece>> read_covers(const InputFile& delivery,
                                                   const Segment& segment,
                                                   std::uint64_t base_length,
                                                   std::uint64_t length) {
  TRY_ASSIGN(CoverReader reader, CoverReader::open(delivery, segment, base_length, length));
  std::vector<AddressMap::Piece> pieces;
  pieces.reserve(segment.streams[kLengths].raw_length);  // a byte a cover at least
  while (reader.left() > 0) {
    TRY_ASSIGN(CoverReader::Step step, reader.next());
    if (step.cover.length == 0) break;
    pieces.push_back({static_cast<std::uint32_t>(step.cover.old_position),
                      static_cast<std::uint32_t>(step.cover.new_position),
                      static_cast<std::uint32_t>(step.cover.length)});
  }
  return pieces;
}

Result<Layout> read_layout(const InputFile& delivery, const Segment& segment,
                           std::uint64_t base_length, std::uint64_t length) {
  std::uint64_t raw_length = segment.streams[kLayout].raw_length;
  if (raw_length > kMaxLayoutBytes) return Error{Code::kTooLarge, "layout: it is too large"};
  Bytes bytes(raw_length);
  TRY_ASSIGN(auto stream, open_stream(delivery, segment, kLayout));
  TRY(stream->read(bytes));
  return parse_layout(bytes, base_length, length);
}

}  // namespace

Result<std::unique_ptr<CoverSource>> open_predicted(const InputFile& delivery,
                                                    const Segment& segment,
                                                    std::uint64_t base_length, std::uint64_t length,
                                                    BaseBytes& base) {
  TRY_ASSIGN(Layout layout, read_layout(delivery, segment, base_length, length));
  TRY_ASSIGN(auto covers, read_covers(delivery, segment, base_length, length));
  TRY_ASSIGN(auto runs, open_stream(delivery, segment, kReferenceRuns));
  TRY_ASSIGN(auto values, open_stream(delivery, segment, kReferenceValues));
  ResidualReader residuals{NumberDecoder(std::move(runs)), NumberDecoder(std::move(values))};
  auto source = std::make_unique<PredictedSource>(std::move(layout), std::move(covers),
                                                  std::move(residuals), base);
  TRY(source->prepare());
  return std::unique_ptr<CoverSource>(std::move(source));
}

std::uint64_t predicted_memory(std::uint64_t length_bytes, std::uint64_t layout_bytes,
                               std::uint64_t base_length) {
  return length_bytes * sizeof(AddressMap::Piece) + layout_memory(layout_bytes) +
         scanner_memory(base_length) + Predictor::kMemory;
}

}  // namespace lineside::delta

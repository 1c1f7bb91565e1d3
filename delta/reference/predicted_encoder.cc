// SPDX-License-Identifier: Apache-2.0
#include "delta/reference/predicted_encoder.h"

#include <utility>

#include "delta/base_bytes.h"
#include "delta/cover_search.h"
#include "delta/reference/btf.h"
#include "delta/reference/elf_layout.h"
#include "delta/reference/masked_image.h"
#include "delta/reference/predicted_base.h"
#include "delta/reference/raw_layout.h"
#include "delta/varint.h"

namespace lineside::delta {
namespace {

// Finds out how far each prediction is off, and writes it down.
class ResidualWriter final : public Residuals {
 public:
  explicit ResidualWriter(BytesView target) : target_(target) {}

  [[nodiscard]] Result<std::int64_t> next(const Reference& reference, BytesView bytes,
                                          std::int64_t predicted,
                                          std::uint64_t new_position) override {
    BytesView actual = target_.subspan(new_position, field_bytes(reference.field));
    std::int64_t residual = 0;
    if (same_form(reference.field, bytes, actual)) {
      std::uint64_t wanted = static_cast<std::uint64_t>(read_operand(reference.field, actual));
      residual =
          wrap_operand(reference.field,
                       static_cast<std::int64_t>(wanted - static_cast<std::uint64_t>(predicted)));
    }
    if (residual == 0) {
      ++right_;
      return residual;
    }
    put_varint(runs_, right_);
    put_varint(values_, fold(residual));
    right_ = 0;
    return residual;
  }

  void finish(CoverStreams& streams) {
    put_varint(runs_, right_);
    streams[kReferenceRuns] = std::move(runs_);
    streams[kReferenceValues] = std::move(values_);
  }

 private:
  BytesView target_;
  Bytes runs_;
  Bytes values_;
  std::uint64_t right_ = 0;
};

Result<CoverStreams> encode_predicted(const Layout& layout, std::span<const Cover> covers,
                                      BytesView base, BytesView target) {
  std::vector<AddressMap::Piece> pieces;
  for (const Cover& cover : covers) {
    pieces.push_back({static_cast<std::uint32_t>(cover.old_position),
                      static_cast<std::uint32_t>(cover.new_position),
                      static_cast<std::uint32_t>(cover.length)});
  }
  BaseInMemory old_bytes(base);
  TRY_ASSIGN(Scanner scanner, Scanner::open(layout, old_bytes));
  Predictor predictor(layout, std::move(pieces));
  ResidualWriter residuals(target);
  PredictedBase predicted(scanner, predictor, old_bytes, residuals);
  TRY_ASSIGN(CoverStreams streams, cover_streams_from(covers, predicted, target));
  residuals.finish(streams);
  streams[kLayout] = serialise_layout(layout);
  return streams;
}

// What is understood of both alike: a tree of programs, one program, or a kernel; and types in any.
std::pair<ImageMap, ImageMap> map_images(BytesView base, BytesView target) {
  std::pair<ImageMap, ImageMap> images = {map_elves(base), map_elves(target)};
  if (images.first.images.size() < 2 && images.second.images.size() < 2) {
    std::optional<ImageMap> old_image = map_elf(base);
    std::optional<ImageMap> new_image = map_elf(target);
    if (!old_image && !new_image) {
      old_image = map_raw_arm64(base);
      new_image = map_raw_arm64(target);
    }
    bool both = old_image && new_image;
    images = {both ? *old_image : ImageMap(), both ? *new_image : ImageMap()};
  }
  if (images.first.images.empty() || images.second.images.empty()) {
    images = {ImageMap(), ImageMap()};
  }
  add_btf(base, images.first);
  add_btf(target, images.second);
  return images;
}

}  // namespace

Result<std::optional<CoverStreams>> predicted_streams(BytesView base, BytesView target, int effort,
                                                      std::stop_token stop) {
  auto images = map_images(base, target);
  if (images.first.regions.empty() || images.second.regions.empty()) {
    return std::optional<CoverStreams>();
  }
  Layout layout = make_layout(images.first, images.second);
  if (serialise_layout(layout).size() > kMaxLayoutBytes) return std::optional<CoverStreams>();
  Layout new_layout = layout_of(images.second);
  TRY_ASSIGN(auto old_references, all_references(layout, base));
  TRY_ASSIGN(auto new_references, all_references(new_layout, target));
  Bytes old_masked = masked(base, layout, old_references);
  Bytes new_masked = masked(target, new_layout, new_references);
  TRY_ASSIGN(auto covers, search_covers(old_masked, new_masked, effort, stop));
  LabelledPair pair = labelled(base, target, layout, old_references, new_references, covers);
  TRY_ASSIGN(covers, search_covers(pair.base, pair.target, effort, stop));
  TRY_ASSIGN(CoverStreams streams, encode_predicted(layout, covers, base, target));
  return std::optional<CoverStreams>(std::move(streams));
}

}  // namespace lineside::delta

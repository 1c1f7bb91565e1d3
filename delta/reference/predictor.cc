// SPDX-License-Identifier: Apache-2.0
#include "delta/reference/predictor.h"

#include "delta/reference/btf.h"

namespace lineside::delta {

Predictor::Predictor(const Layout& layout, std::vector<AddressMap::Piece> covers)
    : layout_(layout), map_(layout, std::move(covers)), known_(std::size_t{1} << kKnownBits) {}

std::size_t Predictor::slot(std::uint32_t image, std::uint64_t target) const {
  std::uint64_t hash = (target + image) * 0x9e3779b97f4a7c15ULL;
  return hash >> (64 - kKnownBits);
}

std::uint64_t Predictor::target_of_reference(const Reference& reference) const {
  std::uint32_t image = layout_.regions[reference.region].image;
  const Known& known = known_[slot(image, reference.target)];
  if (known.used && known.old_target == reference.target) return known.new_target;
  return map_.map(image, reference.target).address;
}

std::uint64_t Predictor::new_base(const Reference& reference) const {
  const Region& region = layout_.regions[reference.region];
  return reference.field == Field::kBased32 ? map_.map(region.image, region.base).address : 0;
}

std::size_t Predictor::list_of(const Reference& reference) const {
  BtfBegins begins = unpack(layout_.regions[reference.region].base);
  bool is_type = reference.extra == static_cast<std::uint8_t>(BtfNumber::kType);
  bool own = reference.target >= (is_type ? begins.type : begins.string);
  return (own ? 2 : 0) + (is_type ? 0 : 1);
}

void Predictor::enter_region(const Reference& reference) {
  if (reference.region == region_) return;
  region_ = reference.region;
  numbers_[2].restart();
  numbers_[3].restart();
}

std::int64_t Predictor::predict(const Reference& reference, std::uint64_t new_position) {
  if (reference.field == Field::kNumber32) {
    enter_region(reference);
    auto number = static_cast<std::uint32_t>(reference.target);
    return wrap_operand(reference.field, numbers_[list_of(reference)].predict(number));
  }
  return operand_for(reference.field, reference.extra, target_of_reference(reference),
                     map_.new_address(new_position), new_base(reference));
}

void Predictor::learn(const Reference& reference, std::uint64_t new_position,
                      std::int64_t residual) {
  if (reference.field == Field::kNumber32) return learn_number(reference, residual);
  if (reference.field == Field::kArm64Page) {
    page_target_ = reference.target;
    page_residual_ = residual;
    return;
  }
  bool low = reference.field == Field::kArm64Low12;
  std::int64_t pages = low && page_target_ == reference.target ? page_residual_ : 0;
  if (residual == 0 && pages == 0) return;
  std::uint64_t guess = target_of_reference(reference);
  std::uint64_t address = map_.new_address(new_position);
  std::uint64_t base = new_base(reference);
  std::int64_t predicted = operand_for(reference.field, reference.extra, guess, address, base);
  std::int64_t actual = wrap_operand(
      reference.field, static_cast<std::int64_t>(static_cast<std::uint64_t>(predicted) +
                                                 static_cast<std::uint64_t>(residual)));
  std::uint64_t target = target_of(reference.field, reference.extra, actual, address, base);
  if (low) {
    target |= (guess & ~std::uint64_t{4095}) + (static_cast<std::uint64_t>(pages) << 12);
    page_residual_ = 0;
  }
  std::uint32_t image = layout_.regions[reference.region].image;
  known_[slot(image, reference.target)] = {reference.target, target, true};
}

void Predictor::learn_number(const Reference& reference, std::int64_t residual) {
  auto number = static_cast<std::uint32_t>(reference.target);
  enter_region(reference);
  NumberMap& list = numbers_[list_of(reference)];
  list.learn(number, list.predict(number) + static_cast<std::uint32_t>(residual));
}

}  // namespace lineside::delta

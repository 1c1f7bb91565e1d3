// SPDX-License-Identifier: Apache-2.0
#include "delta/reference/number_map.h"

#include <algorithm>

namespace lineside::delta {
namespace {

// A shift that differs by more is that of one number that went elsewhere, not of all that follow.
constexpr std::uint32_t kMostChange = 512;

}  // namespace

std::uint32_t NumberMap::shift_of(std::uint32_t number) const {
  auto after = std::partition_point(steps_.begin(), steps_.end(),
                                    [number](const Step& step) { return step.number <= number; });
  return after == steps_.begin() ? first_shift_ : (after - 1)->shift;
}

std::uint32_t NumberMap::predict(std::uint32_t number) const {
  return number + shift_of(number);
}

void NumberMap::learn(std::uint32_t number, std::uint32_t actual) {
  std::uint32_t shift = actual - number;
  std::uint32_t before = shift_of(number);
  if (!began_) {
    began_ = true;
    first_shift_ = shift;
    return;
  }
  if (shift == before) return;
  auto place = std::partition_point(steps_.begin(), steps_.end(),
                                    [number](const Step& step) { return step.number < number; });
  bool known = place != steps_.end() && place->number == number;
  if (known) {
    place->shift = shift;
    return;
  }
  if (steps_.size() + 2 > kMost) return;
  place = steps_.insert(place, {number, shift}) + 1;
  bool alone = shift - before + kMostChange > 2 * kMostChange;
  bool next_known = place != steps_.end() && place->number == number + 1;
  if (alone && !next_known && number != 0xffffffff) steps_.insert(place, {number + 1, before});
}

void NumberMap::restart() {
  steps_.clear();
  began_ = false;
}

}  // namespace lineside::delta

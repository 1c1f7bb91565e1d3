// SPDX-License-Identifier: Apache-2.0
#include "delta/similarity.h"

#include <algorithm>
#include <array>
#include <string>

namespace lineside::delta {
namespace {

constexpr std::size_t kSketchSize = 128;
constexpr unsigned kSampleShift = 58;  // one stretch in 64 is looked at

// splitmix64 (Steele, Lea, Flood 2014), here only to get numbers that look random.
constexpr std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

constexpr std::array<std::uint64_t, 256> make_gear() {
  std::array<std::uint64_t, 256> gear{};
  for (std::uint64_t i = 0; i < gear.size(); ++i) gear[i] = mix(i);
  return gear;
}
constexpr std::array<std::uint64_t, 256> kGear = make_gear();

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// "libfoo.so.1.20.0" and "libfoo.so.1.20.1" both become "libfoo.so.".
std::string without_version(std::string_view name) {
  std::string stem;
  for (char c : name) {
    if (c >= '0' && c <= '9') continue;
    if (c == '.' && !stem.empty() && stem.back() == '.') continue;
    stem.push_back(c);
  }
  return stem;
}

}  // namespace

void Sketch::update(BytesView data) {
  for (std::uint8_t byte : data) {
    // A byte leaves the sum after 64 shifts: the hash is that of the last 64 bytes.
    rolling_ = (rolling_ << 1) + kGear[byte];
    if (++seen_ < 64 || rolling_ >> kSampleShift != 0) continue;
    smallest_.push_back(mix(rolling_));
    if (smallest_.size() >= 16 * kSketchSize) shrink();
  }
}

void Sketch::finish() {
  shrink();
}

void Sketch::shrink() {
  std::sort(smallest_.begin(), smallest_.end());
  smallest_.erase(std::unique(smallest_.begin(), smallest_.end()), smallest_.end());
  if (smallest_.size() > kSketchSize) smallest_.resize(kSketchSize);
}

double Sketch::similarity(const Sketch& other) const {
  std::size_t i = 0;
  std::size_t j = 0;
  std::size_t common = 0;
  std::size_t all = 0;
  while (all < kSketchSize && i < smallest_.size() && j < other.smallest_.size()) {
    ++all;
    std::uint64_t a = smallest_[i];
    std::uint64_t b = other.smallest_[j];
    if (a == b) ++common;
    if (a <= b) ++i;
    if (b <= a) ++j;
  }
  std::size_t rest = smallest_.size() - i + other.smallest_.size() - j;
  all = std::min(kSketchSize, all + rest);
  return all == 0 ? 0 : static_cast<double>(common) / static_cast<double>(all);
}

double name_similarity(std::string_view path, std::string_view other_path) {
  std::string_view name = base_name(path);
  std::string_view other = base_name(other_path);
  if (name == other) return 0.4;
  std::string stem = without_version(name);
  if (stem.size() < 3 || stem != without_version(other)) return 0;
  bool same_folder = without_version(path) == without_version(other_path);
  return same_folder ? 0.6 : 0.4;
}

}  // namespace lineside::delta

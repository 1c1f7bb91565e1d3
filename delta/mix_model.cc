// SPDX-License-Identifier: Apache-2.0
#include "delta/mix_model.h"

#include <algorithm>

namespace lineside::delta {
namespace {

// e^(-1/256) in 1/2^32.
constexpr std::uint64_t kDecay = 4278222805;
constexpr std::int32_t kMostStretched = 2047;  // 8 in 1/256

// Where a stretched probability stands in a table that has 0 in its middle.
constexpr std::size_t place_of(std::int32_t x) {
  return static_cast<std::size_t>(std::int64_t{x} + 2048);
}

struct Tables {
  // 1 / (1 + e^(-x/256)) in 1/65536, for x from -2047 to 2047.
  std::array<std::uint16_t, 4096> squash{};
  // The other way round, for probabilities in 1/4096.
  std::array<std::int16_t, 4096> stretch{};

  Tables() {
    std::uint64_t power = 1ULL << 32;
    for (std::size_t x = 0; x <= kMostStretched; ++x) {
      std::uint64_t value = (1ULL << 48) / ((1ULL << 32) + power);
      squash[2048 + x] = static_cast<std::uint16_t>(std::min<std::uint64_t>(value, 65535));
      squash[2048 - x] = static_cast<std::uint16_t>(65536 - std::min<std::uint64_t>(value, 65535));
      power = power * kDecay >> 32;
    }
    squash[0] = squash[1];
    std::size_t next = 0;
    for (std::int32_t x = -kMostStretched; x <= kMostStretched; ++x) {
      std::size_t value = squash[place_of(x)] >> 4;
      while (next <= value) stretch[next++] = static_cast<std::int16_t>(x);
    }
    while (next < stretch.size()) stretch[next++] = kMostStretched;
  }
};

const Tables& tables() {
  static const Tables kTables;
  return kTables;
}

std::uint32_t squash(std::int32_t x) {
  x = std::clamp(x, -kMostStretched, kMostStretched);
  return tables().squash[place_of(x)];
}

// A counter: 13 bits of probability, 3 bits of how much it has seen.
constexpr std::uint16_t kFresh = 4096 << 3;
constexpr std::array<std::uint32_t, 8> kRates = {32768, 21845, 16384, 10923,
                                                 8192,  5461,  4096,  3640};

void count(std::uint16_t& counter, unsigned bit) {
  std::uint32_t seen = counter & 7U;
  std::uint32_t probability = counter >> 3;
  if (bit != 0) {
    probability += (8191 - probability) * kRates[seen] >> 16;
  } else {
    probability -= probability * kRates[seen] >> 16;
  }
  counter = static_cast<std::uint16_t>(probability << 3 | std::min(seen + 1, 7U));
}

std::int32_t stretch_of(std::uint16_t counter) {
  return tables().stretch[counter >> 4];
}

std::uint32_t mix_hash(std::uint64_t value, std::uint32_t salt) {
  std::uint64_t hash = (value + salt) * 0x9e3779b97f4a7c15ULL;
  return static_cast<std::uint32_t>(hash >> 32) ^ salt * 0x2545f491U;
}

constexpr std::size_t kRefinementSteps = 33;
constexpr std::uint32_t kLeastMatch = 5;
constexpr std::int32_t kWeight = 1 << 16;

}  // namespace

MixModel::MixModel(unsigned memory_log)
    : buckets_((std::size_t{1} << memory_log) / sizeof(Bucket)),
      history_((std::size_t{1} << memory_log) / 2),
      last_seen_((std::size_t{1} << memory_log) / 16),
      refinement_(1024 * kRefinementSteps) {
  for (std::vector<std::int32_t>& weights : weights_) {
    weights.assign(256 * kInputs, kWeight / 4);
  }
  for (std::size_t i = 0; i < refinement_.size(); ++i) {
    auto step = static_cast<std::int32_t>(i % kRefinementSteps);
    refinement_[i] = static_cast<std::uint16_t>(squash((step - 16) * 128));
  }
  match_counters_.fill(kFresh);
  find_buckets();
  predict();
}

void MixModel::update(unsigned bit) {
  train(bit);
  partial_ = partial_ << 1 | bit;
  if (partial_ >= 256) {
    end_byte();
    find_buckets();
  } else if (partial_ >= 16 && partial_ < 32) {
    find_buckets();
  } else {
    node_ = 2 * node_ + 1 + bit;
  }
  predict();
}

void MixModel::end_byte() {
  auto byte = static_cast<std::uint8_t>(partial_);
  partial_ = 1;
  history_[position_ & (history_.size() - 1)] = byte;
  ++position_;
  last_bytes_ = last_bytes_ << 8 | byte;
  std::uint64_t phase = position_ & 3;
  std::uint64_t b = last_bytes_;
  std::uint64_t fourth = b >> 24 & 255;
  hashes_ = {0,
             mix_hash(b & 0xff, 1),
             mix_hash(b & 0xffff, 2),
             mix_hash(b & 0xffffff, 3),
             mix_hash(b & 0xffffffff, 4),
             mix_hash(b & 0xffffffffffff, 5),
             mix_hash(phase << 16 | fourth << 8 | (b & 0xff), 6),
             mix_hash(b >> 8 & 0xffff, 7),
             mix_hash(phase << 8 | fourth, 8),
             mix_hash(b >> 16 & 0xffff, 9)};
  find_match();
}

void MixModel::find_match() {
  if (match_length_ > 0 && history_[match_ & (history_.size() - 1)] == (last_bytes_ & 255)) {
    match_length_ = std::min<std::uint32_t>(match_length_ + 1, 400);
    ++match_;
  } else {
    match_length_ = 0;
  }
  if (position_ < kLeastMatch) return;
  std::uint32_t slot = mix_hash(last_bytes_ & 0xffffffffff, 10) & (last_seen_.size() - 1);
  if (match_length_ == 0) {
    match_ = last_seen_[slot];
    if (match_ > 0) {
      while (match_length_ < 32 && match_length_ < match_ &&
             position_ - match_ + match_length_ + 1 < history_.size() &&
             history_[(match_ - 1 - match_length_) & (history_.size() - 1)] ==
                 history_[(position_ - 1 - match_length_) & (history_.size() - 1)]) {
        ++match_length_;
      }
      if (match_length_ < kLeastMatch) match_length_ = 0;
    }
  }
  last_seen_[slot] = static_cast<std::uint32_t>(position_);
}

void MixModel::find_buckets() {
  node_ = 0;
  for (std::size_t i = 0; i < kContexts; ++i) {
    current_[i] = &bucket(mix_hash(hashes_[i], static_cast<std::uint32_t>(partial_ * 16 + i)));
  }
}

// One of two neighbours: its own, else the one that has seen less.
MixModel::Bucket& MixModel::bucket(std::uint32_t hash) {
  auto check = static_cast<std::uint16_t>(hash >> 16 | 1);
  std::size_t index = (hash * 0x9e3779b1U ^ hash >> 13) & (buckets_.size() - 1);
  Bucket& first = buckets_[index];
  if (first.check == check) return first;
  Bucket& second = buckets_[index ^ 1];
  if (second.check == check) return second;
  bool keep_first = (first.counters[0] & 7) > (second.counters[0] & 7);
  Bucket& taken = keep_first ? second : first;
  // What stays has to earn its place again.
  Bucket& kept = keep_first ? first : second;
  if ((kept.counters[0] & 7) > 1) --kept.counters[0];
  taken.check = check;
  taken.counters.fill(kFresh);
  return taken;
}

void MixModel::predict() {
  std::size_t known = 0;
  for (std::size_t i = 0; i < kContexts; ++i) {
    std::uint16_t counter = current_[i]->counters[node_];
    bool seen = (counter & 7) != 0;
    inputs_[i] = seen ? stretch_of(counter) : 0;
    if (seen) ++known;
  }
  std::size_t length_class = 0;
  inputs_[kContexts] = 0;
  if (match_length_ > 0) {
    unsigned expected = history_[match_ & (history_.size() - 1)] | 256U;
    unsigned depth = 1;
    while (partial_ >> depth != 0) ++depth;  // 1 + bits known
    if (expected >> (9 - depth) == partial_) {
      bool one = (expected >> (8 - depth) & 1) != 0;
      length_class = 1 + std::min<std::size_t>(match_length_ / 8, 2);
      std::int32_t trust = stretch_of(match_counters_[std::min<std::uint32_t>(match_length_, 63)]);
      inputs_[kContexts] = one ? trust : -trust;
    } else {
      match_length_ = 0;
    }
  }
  inputs_[kContexts + 1] = 256;
  chosen_[0] = partial_ * kInputs;
  chosen_[1] = ((length_class * 16 + known) * 4 + (position_ & 3)) * kInputs;
  std::int64_t sum = 0;
  for (std::size_t set = 0; set < kSets; ++set) {
    const std::int32_t* weights = &weights_[set][chosen_[set]];
    std::int64_t dot = 0;
    for (std::size_t i = 0; i < kInputs; ++i) dot += std::int64_t{weights[i]} * inputs_[i];
    outputs_[set] = static_cast<std::int32_t>(
        std::clamp<std::int64_t>(dot >> 16, -kMostStretched, kMostStretched));
    sum += outputs_[set];
  }
  auto mixed = static_cast<std::int32_t>(sum / static_cast<std::int64_t>(kSets));
  // Two neighbouring steps of the refinement, by distance.
  std::size_t place = place_of(mixed);
  std::size_t row = (partial_ | (last_bytes_ & 3) << 8) * kRefinementSteps;
  refined_ = row + place / 128;
  std::uint32_t fraction = place % 128;
  std::uint32_t refined =
      (refinement_[refined_] * (128 - fraction) + refinement_[refined_ + 1] * fraction) / 128;
  probability_ = std::clamp<std::uint32_t>((squash(mixed) + refined) / 2, 32, 65504);
}

void MixModel::train(unsigned bit) {
  auto wanted = static_cast<std::int32_t>(bit * 65535);
  for (std::size_t set = 0; set < kSets; ++set) {
    std::int64_t error = wanted - static_cast<std::int32_t>(squash(outputs_[set]));
    std::int32_t* weights = &weights_[set][chosen_[set]];
    for (std::size_t i = 0; i < kInputs; ++i) {
      std::int64_t changed = weights[i] + ((error * inputs_[i]) >> 13);
      weights[i] =
          static_cast<std::int32_t>(std::clamp<std::int64_t>(changed, -8 * kWeight, 8 * kWeight));
    }
  }
  for (std::size_t i = 0; i < 2; ++i) {
    std::uint16_t& entry = refinement_[refined_ + i];
    std::int32_t change = (wanted - entry) / 64;
    entry = static_cast<std::uint16_t>(entry + change);
  }
  for (Bucket* current : current_) count(current->counters[node_], bit);
  if (match_length_ > 0) {
    unsigned expected = history_[match_ & (history_.size() - 1)] | 256U;
    unsigned depth = 1;
    while (partial_ >> depth != 0) ++depth;
    bool one = (expected >> (8 - depth) & 1) != 0;
    count(match_counters_[std::min<std::uint32_t>(match_length_, 63)], one == (bit != 0) ? 1 : 0);
  }
}

}  // namespace lineside::delta

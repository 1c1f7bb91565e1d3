// SPDX-License-Identifier: Apache-2.0
// The probability of the next bit, mixed from what several contexts have seen. README.md, "Mix".
//
// Integers only, and every shift and division is of non-negative numbers or defined by C++20, so
// that coder and decoder agree on every machine.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace lineside::delta {

class MixModel {
 public:
  // 2^memory_log bytes of counters, and three quarters of that besides.
  explicit MixModel(unsigned memory_log);

  // That the next bit is 1, in 1/65536, 1 to 65535.
  [[nodiscard]] std::uint32_t probability() const { return probability_; }
  void update(unsigned bit);
  // The bits of the byte begun so far behind a 1.
  [[nodiscard]] unsigned partial() const { return partial_; }

  static constexpr std::uint64_t memory(unsigned memory_log) {
    return (1ULL << memory_log) / 4 * 7 + (160U << 10);
  }

 private:
  static constexpr std::size_t kContexts = 10;
  static constexpr std::size_t kInputs = kContexts + 2;  // the match and a constant
  static constexpr std::size_t kSets = 2;

  // Half a cache line: who owns it, and a counter for each beginning of a nibble.
  struct Bucket {
    std::uint16_t check = 0;
    std::array<std::uint16_t, 15> counters{};
  };

  void end_byte();
  void find_buckets();
  Bucket& bucket(std::uint32_t hash);
  void find_match();
  void predict();
  void train(unsigned bit);

  std::vector<Bucket> buckets_;
  std::vector<std::uint8_t> history_;     // a ring
  std::vector<std::uint32_t> last_seen_;  // by hash of the last bytes: where they ended
  std::array<std::uint32_t, kContexts> hashes_{};
  std::array<Bucket*, kContexts> current_{};
  unsigned node_ = 0;  // in the buckets

  std::array<std::int32_t, kInputs> inputs_{};
  std::array<std::vector<std::int32_t>, kSets> weights_;
  std::array<std::size_t, kSets> chosen_{};
  std::array<std::int32_t, kSets> outputs_{};  // stretched
  std::vector<std::uint16_t> refinement_;
  std::size_t refined_ = 0;  // the lower of the two entries used

  std::uint64_t position_ = 0;
  std::uint64_t last_bytes_ = 0;  // the latest lowest
  unsigned partial_ = 1;
  std::uint64_t match_ = 0;  // where in the history the predicted byte stands
  std::uint32_t match_length_ = 0;
  std::array<std::uint16_t, 64> match_counters_{};
  std::uint32_t probability_ = 32768;
};

}  // namespace lineside::delta

// SPDX-License-Identifier: Apache-2.0
// Token buckets, one a peer: so many requests a second on average, with a burst.
#pragma once

#include <chrono>
#include <string>
#include <unordered_map>

#include "proto/base/clock.h"

namespace lineside::http {

// Not thread-safe. Time is handed in.
class RateLimit {
 public:
  // `per_second` <= 0: no limit. The burst is at least one request.
  RateLimit(double per_second, double burst);

  // Takes one token of `peer`; false if it has none.
  bool allow(const std::string& peer, SteadyTime now);
  // Buckets in memory. A full bucket says nothing and is forgotten, so that strangers that come and
  // go do not fill the memory.
  [[nodiscard]] std::size_t size() const { return buckets_.size(); }

 private:
  struct Bucket {
    double tokens;
    SteadyTime filled;
  };
  void refill(Bucket& bucket, SteadyTime now) const;
  void forget_full(SteadyTime now);

  double per_second_;
  double burst_;
  std::size_t sweep_at_ = 1024;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace lineside::http

// SPDX-License-Identifier: Apache-2.0
#include "proto/http/rate_limit.h"

#include <algorithm>

namespace lineside::http {

RateLimit::RateLimit(double per_second, double burst)
    : per_second_(per_second), burst_(std::max(burst, 1.0)) {}

bool RateLimit::allow(const std::string& peer, SteadyTime now) {
  if (per_second_ <= 0) return true;
  if (buckets_.size() >= sweep_at_) forget_full(now);
  Bucket& bucket = buckets_.try_emplace(peer, Bucket{burst_, now}).first->second;
  refill(bucket, now);
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

void RateLimit::refill(Bucket& bucket, SteadyTime now) const {
  double seconds = std::chrono::duration<double>(now - bucket.filled).count();
  bucket.tokens = std::min(burst_, bucket.tokens + std::max(seconds, 0.0) * per_second_);
  bucket.filled = now;
}

void RateLimit::forget_full(SteadyTime now) {
  std::erase_if(buckets_, [&](const auto& entry) {
    Bucket bucket = entry.second;
    refill(bucket, now);
    return bucket.tokens >= burst_;
  });
  sweep_at_ = std::max<std::size_t>(1024, buckets_.size() * 2);
}

}  // namespace lineside::http

// SPDX-License-Identifier: Apache-2.0
// A clock that moves only when told to. Any thread.
#pragma once

#include <mutex>

#include "proto/base/clock.h"

namespace lineside::fakes {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(UtcTime start) : now_(start) {}
  [[nodiscard]] UtcTime now() const override {
    std::lock_guard lock(mutex_);
    return now_;
  }
  [[nodiscard]] SteadyTime steady() const override {
    std::lock_guard lock(mutex_);
    return steady_;
  }
  void advance(std::chrono::seconds step) {
    std::lock_guard lock(mutex_);
    now_ += step;
    steady_ += step;
  }
  // Moves the wall clock alone, as a bad time server does.
  void set_wall(UtcTime time) {
    std::lock_guard lock(mutex_);
    now_ = time;
  }

 private:
  mutable std::mutex mutex_;
  UtcTime now_;
  SteadyTime steady_{};
};

}  // namespace lineside::fakes

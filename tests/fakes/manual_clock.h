// SPDX-License-Identifier: Apache-2.0
// A clock that moves only when told to.
#pragma once

#include "proto/base/clock.h"

namespace lineside::fakes {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(UtcTime start) : now_(start) {}
  [[nodiscard]] UtcTime now() const override { return now_; }
  [[nodiscard]] SteadyTime steady() const override { return steady_; }
  void advance(std::chrono::seconds step) {
    now_ += step;
    steady_ += step;
  }
  // Moves the wall clock alone, as a bad time server does.
  void set_wall(UtcTime time) { now_ = time; }

 private:
  UtcTime now_;
  SteadyTime steady_{};
};

}  // namespace lineside::fakes

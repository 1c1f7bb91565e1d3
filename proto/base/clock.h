// SPDX-License-Identifier: Apache-2.0
// Time as a thing that is handed in, so that rules can be tested at any moment.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "proto/base/result.h"

namespace lineside {

using UtcTime = std::chrono::sys_seconds;
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time; may be wrong or jump on a device without a battery.
  [[nodiscard]] virtual UtcTime now() const = 0;
  // Never goes back; means nothing across a restart.
  [[nodiscard]] virtual SteadyTime steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] UtcTime now() const override;
  [[nodiscard]] SteadyTime steady() const override;
};

// "2026-11-22T19:13:23Z": the only form that TUF (section 4.2.3) and our documents use.
std::string format_utc(UtcTime time);
// Exactly that form, years 1970 to 9999; kMalformed otherwise.
Result<UtcTime> parse_utc(std::string_view text);

}  // namespace lineside

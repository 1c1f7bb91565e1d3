// SPDX-License-Identifier: Apache-2.0
// The hours of the day in which deliveries may cross the WAN: "22:00-05:30", in the gateway's local
// time. The vendor's metadata, some kilobytes, always may: without a fresh timestamp the whole site
// stands still. Pure, except local_minute().
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/result.h"

namespace lineside::seeder {

using MinuteOfDay = std::chrono::minutes;  // 0 to 1439

class WanWindow {
 public:
  WanWindow() = default;  // always open
  // Each "HH:MM-HH:MM", the end excluded; past midnight if the end is not after the begin. None:
  // always open. kUsage.
  static Result<WanWindow> parse(const std::vector<std::string>& spans);

  [[nodiscard]] bool is_open(MinuteOfDay now) const;
  // Until it opens next; 0 if it is open.
  [[nodiscard]] std::chrono::minutes opens_in(MinuteOfDay now) const;
  // "22:00-05:30, 12:00-13:00"; empty if it is always open.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  struct Span {
    MinuteOfDay begin{};
    MinuteOfDay end{};
  };
  std::vector<Span> spans_;
  std::string text_;
};

// By the clock on the wall where the gateway stands.
MinuteOfDay local_minute(UtcTime now);

}  // namespace lineside::seeder

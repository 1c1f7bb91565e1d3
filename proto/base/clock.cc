// SPDX-License-Identifier: Apache-2.0
#include "proto/base/clock.h"

#include <fmt/format.h>

#include <array>

namespace lineside {

using std::chrono::floor;

UtcTime SystemClock::now() const {
  return floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady() const {
  return std::chrono::steady_clock::now();
}

std::string format_utc(UtcTime time) {
  auto day = floor<std::chrono::days>(time);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

Result<UtcTime> parse_utc(std::string_view text) {
  Error malformed{Code::kMalformed, "'" + std::string(text.substr(0, 40)) +
                                        "' is not of the form YYYY-MM-DDTHH:MM:SSZ"};
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:ddZ";
  if (text.size() != kForm.size()) return malformed;
  std::array<int, 6> fields{};
  std::size_t field = 0;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] != 'd') {
      if (text[i] != kForm[i]) return malformed;
      ++field;
    } else {
      if (text[i] < '0' || text[i] > '9') return malformed;
      fields[field] = fields[field] * 10 + (text[i] - '0');
    }
  }
  std::chrono::year_month_day date{std::chrono::year(fields[0]),
                                   std::chrono::month(static_cast<unsigned>(fields[1])),
                                   std::chrono::day(static_cast<unsigned>(fields[2]))};
  if (!date.ok() || fields[0] < 1970 || fields[3] > 23 || fields[4] > 59 || fields[5] > 59) {
    return malformed;
  }
  return std::chrono::sys_days(date) + std::chrono::hours(fields[3]) +
         std::chrono::minutes(fields[4]) + std::chrono::seconds(fields[5]);
}

}  // namespace lineside

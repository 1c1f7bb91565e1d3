// SPDX-License-Identifier: Apache-2.0
#include "seeder/wan_window.h"

#include <algorithm>
#include <ctime>
#include <optional>

namespace lineside::seeder {
namespace {

constexpr std::chrono::minutes kDay{24 * 60};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "HH:MM"
std::optional<MinuteOfDay> parse_minute(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (std::size_t i : {0U, 1U, 3U, 4U}) {
    if (!is_digit(text[i])) return std::nullopt;
  }
  int hour = (text[0] - '0') * 10 + text[1] - '0';
  int minute = (text[3] - '0') * 10 + text[4] - '0';
  if (hour > 23 || minute > 59) return std::nullopt;
  return std::chrono::minutes(hour * 60 + minute);
}

}  // namespace

Result<WanWindow> WanWindow::parse(const std::vector<std::string>& spans) {
  WanWindow window;
  for (const std::string& text : spans) {
    std::string_view view = text;
    auto begin = parse_minute(view.substr(0, 5));
    bool whole = view.size() == 11 && view[5] == '-';
    auto end = whole ? parse_minute(view.substr(6)) : std::nullopt;
    if (!begin || !end || *begin == *end) {
      return Error{Code::kUsage, "takes hours like 22:00-05:30, not '" + text.substr(0, 80) + "'"};
    }
    window.spans_.push_back({*begin, *end});
    window.text_ += (window.text_.empty() ? "" : ", ") + text;
  }
  return window;
}

std::chrono::minutes WanWindow::opens_in(MinuteOfDay now) const {
  if (is_open(now)) return {};
  std::chrono::minutes least = kDay;
  for (const Span& span : spans_) least = std::min(least, (span.begin - now + kDay) % kDay);
  return least;
}

bool WanWindow::is_open(MinuteOfDay now) const {
  return spans_.empty() || std::any_of(spans_.begin(), spans_.end(), [&](const Span& span) {
           bool past_midnight = span.end < span.begin;
           return past_midnight ? now >= span.begin || now < span.end
                                : now >= span.begin && now < span.end;
         });
}

MinuteOfDay local_minute(UtcTime now) {
  std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return std::chrono::minutes(local.tm_hour * 60 + local.tm_min);
}

}  // namespace lineside::seeder

// SPDX-License-Identifier: Apache-2.0
#include "proto/base/log.h"

#include <fmt/format.h>
#include <unistd.h>

namespace lineside {
namespace {

bool is_plain(std::string_view value) {
  if (value.empty()) return false;
  for (char c : value) {
    if (c <= ' ' || c == '"' || c == '\\' || c == 0x7f) return false;
  }
  return true;
}

std::string quoted(std::string_view value) {
  std::string out = "\"";
  for (char c : value) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

std::string format_log(Level level, std::string_view message, const std::vector<Field>& fields) {
  std::string line = fmt::format("<{}>{}", static_cast<int>(level), message);
  for (const auto& [key, value] : fields) {
    line += ' ';
    line += key;
    line += '=';
    line += is_plain(value) ? value : quoted(value);
  }
  return line;
}

void log(Level level, std::string_view message, const std::vector<Field>& fields) {
  std::string line = format_log(level, message, fields) + '\n';
  // A log line that cannot be written has nowhere to be reported.
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace lineside

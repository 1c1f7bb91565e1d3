// SPDX-License-Identifier: Apache-2.0
// One line a message to standard error: "<6>text key=value key="two words"", the number being the
// syslog priority that journald reads. Only daemons and adapters log; pure code never does.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lineside {

enum class Level { kError = 3, kWarning = 4, kNotice = 5, kInfo = 6, kDebug = 7 };

using Field = std::pair<std::string_view, std::string>;

// The line without its end of line. Values with spaces, quotes or control characters are quoted and
// escaped, so that a hostile string cannot forge a line.
std::string format_log(Level level, std::string_view message, const std::vector<Field>& fields);

// Writes format_log's line with one write(2). Any thread.
void log(Level level, std::string_view message, const std::vector<Field>& fields = {});

}  // namespace lineside

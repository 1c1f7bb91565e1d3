// SPDX-License-Identifier: Apache-2.0
#include "seeder/ctl/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace lineside::ctl {

ViewOptions terminal_options() {
  ViewOptions options;
  options.colour = ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0) {
    options.width = size.ws_col;
    options.max_nodes = size.ws_row > 15 ? size.ws_row - 13U : 4U;
  }
  return options;
}

// Up as many lines as the last one had, then each line cleared to its end.
void Picture::draw(const std::string& text) {
  std::string drawn = lines_ > 0 ? fmt::format("\x1b[{}F", lines_) : "";
  for (char c : text) drawn += c == '\n' ? "\x1b[K\n" : std::string(1, c);
  out_ << drawn << "\x1b[J" << std::flush;
  lines_ = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

void call_attention(Session& session, const seeder::SiteStatus& status) {
  if (std::string words = attention_text(status); !words.empty()) {
    session.call_attention(std::move(words));
  }
}

}  // namespace lineside::ctl

// SPDX-License-Identifier: Apache-2.0
#include "proto/base/passphrase.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>

namespace lineside {
namespace {

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find_first_of("\r\n")));
}

// A terminal with its echo off for as long as this lives.
class SilentTerminal {
 public:
  SilentTerminal() : fd_(::open("/dev/tty", O_RDWR | O_CLOEXEC)) {
    if (fd_ < 0 || ::tcgetattr(fd_, &saved_) != 0) return;
    termios silent = saved_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    usable_ = ::tcsetattr(fd_, TCSAFLUSH, &silent) == 0;
  }
  ~SilentTerminal() {
    if (usable_) ::tcsetattr(fd_, TCSAFLUSH, &saved_);
    if (fd_ >= 0) ::close(fd_);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

  explicit operator bool() const { return usable_; }

  std::string ask(const std::string& prompt) const {
    show(prompt);
    std::string line;
    char c = 0;
    while (::read(fd_, &c, 1) == 1 && c != '\n') line += c;
    show("\n");
    return line;
  }

 private:
  void show(const std::string& text) const {
    [[maybe_unused]] auto written = ::write(fd_, text.data(), text.size());
  }

  int fd_;
  termios saved_{};
  bool usable_ = false;
};

}  // namespace

Result<std::optional<std::string>> ask_passphrase(const Disk& disk, const std::string& prompt,
                                                  bool confirm) {
  Error empty{Code::kUsage, "an empty passphrase protects nothing"};
  if (const char* file = std::getenv("LINESIDE_PASSPHRASE_FILE")) {
    TRY_ASSIGN(Bytes text, disk.read(file, 4096));
    std::string line = first_line(as_text(text));
    if (line.empty()) return empty.with(file);
    return std::optional<std::string>(line);
  }
  SilentTerminal terminal;
  if (!terminal) return std::optional<std::string>();
  std::string typed = terminal.ask(prompt + ": ");
  if (typed.empty()) return empty;
  if (confirm && terminal.ask(prompt + " (again): ") != typed) {
    return Error{Code::kUsage, "the two passphrases differ"};
  }
  return std::optional<std::string>(typed);
}

}  // namespace lineside

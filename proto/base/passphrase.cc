// SPDX-License-Identifier: Apache-2.0
#include "proto/base/passphrase.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

namespace lineside {
namespace {

constexpr std::size_t kMaxPassphrase = 4096;

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

// One line a question, byte by byte: what follows belongs to the next one.
Result<std::string> read_descriptor(const char* number) {
  int fd = -1;
  std::string_view text(number);
  auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), fd);
  if (bad != std::errc() || end != text.data() + text.size() || fd < 0) {
    return Error{Code::kUsage, "LINESIDE_PASSPHRASE_FD: expected the number of an open descriptor"};
  }
  std::string line;
  char c = 0;
  ssize_t got = 0;
  while ((got = ::read(fd, &c, 1)) == 1 && c != '\n' && line.size() < kMaxPassphrase) line += c;
  if (got < 0) {
    return Error{Code::kUsage, std::string("LINESIDE_PASSPHRASE_FD=") + number +
                                   ": this descriptor cannot be read"};
  }
  return first_line(line);
}

}  // namespace

Result<std::optional<std::string>> ask_passphrase(const Disk& disk, const std::string& prompt,
                                                  bool confirm) {
  Error empty{Code::kUsage, "an empty passphrase protects nothing"};
  if (const char* number = std::getenv("LINESIDE_PASSPHRASE_FD")) {
    TRY_ASSIGN(std::string line, read_descriptor(number));
    if (line.empty()) return empty.with("LINESIDE_PASSPHRASE_FD");
    return std::optional<std::string>(line);
  }
  if (const char* file = std::getenv("LINESIDE_PASSPHRASE_FILE")) {
    TRY_ASSIGN(Bytes text, disk.read(file, kMaxPassphrase));
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

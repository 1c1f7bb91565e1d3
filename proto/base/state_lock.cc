// SPDX-License-Identifier: Apache-2.0
#include "proto/base/state_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace lineside {
namespace {

Error failure(const char* what, const Path& path) {
  const Code code = errno == EACCES || errno == EROFS ? Code::kDenied : Code::kIo;
  return {code, std::string(what) + " " + path.string() + ": " + std::strerror(errno)};
}

// Digits alone: the file is writable, and its content goes to a terminal.
std::string holder(int fd) {
  std::array<char, 16> text{};
  const ssize_t count = ::pread(fd, text.data(), text.size(), 0);
  std::string digits;
  for (ssize_t i = 0; i < count; ++i) {
    const char one = text[static_cast<std::size_t>(i)];
    if (one < '0' || one > '9') break;
    digits += one;
  }
  return digits.empty() ? "another process" : "process " + digits;
}

// A full disk is no reason not to run: the number only helps whoever comes second.
void write_holder(int fd) {
  const std::string text = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) == 0) (void)!::pwrite(fd, text.data(), text.size(), 0);
}

}  // namespace

Result<StateLock> StateLock::take(Disk& disk, const Path& state) {
  TRY(disk.make_dirs(state));
  const Path file = state / "lock";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) return failure("cannot open", file);
  StateLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failure("cannot lock", file);
    return Error{Code::kConflict, "the state folder " + state.string() + " is in use by " +
                                      holder(fd) +
                                      "; stop that one first, or configure another folder"};
  }
  write_holder(fd);
  return lock;
}

StateLock::~StateLock() {
  if (fd_ >= 0) ::close(fd_);
}

StateLock::StateLock(StateLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

StateLock& StateLock::operator=(StateLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

}  // namespace lineside

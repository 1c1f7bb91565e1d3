// SPDX-License-Identifier: Apache-2.0
#include "proto/base/state_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace lineside {
namespace {

Error failure(const char* what, const Path& path) {
  const Code code = errno == EACCES || errno == EROFS ? Code::kDenied : Code::kIo;
  return {code, std::string(what) + " " + path.string() + ": " + std::strerror(errno)};
}

// The number of the process that took it last. Digits alone: the file is writable, and its content
// goes to a terminal.
std::string holder(int fd) {
  std::array<char, 16> text{};
  const ssize_t count = ::pread(fd, text.data(), text.size(), 0);
  std::string digits;
  for (ssize_t i = 0; i < count; ++i) {
    const char one = text[static_cast<std::size_t>(i)];
    if (one < '0' || one > '9') break;
    digits += one;
  }
  return digits;
}

std::string holder_text(int fd) {
  const std::string digits = holder(fd);
  return digits.empty() ? "another process" : "process " + digits;
}

// As /proc/locks names it: "08:01".
std::string device_text(dev_t device) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%02x:%02x", major(device), minor(device));
  return text.data();
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
                                      holder_text(fd) +
                                      "; stop that one first, or configure another folder"};
  }
  write_holder(fd);
  return lock;
}

// The kernel's list of locks says it without touching the lock, which would refuse a daemon that
// starts at this moment. Its lines: "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF", the last
// part of the sixth word being the inode (proc(5)). Some file systems name another device there
// than to stat(); then the process has to be the one that the file names.
Result<bool> StateLock::is_taken(const Path& state) {
  const Path file = state / "lock";
  const StateLock look(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (look.fd_ < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return failure("cannot open", file);
  }
  struct stat info {};
  if (::fstat(look.fd_, &info) != 0) return failure("cannot look at", file);
  std::ifstream locks("/proc/locks");
  if (!locks) return failure("cannot read", "/proc/locks");
  const std::string device = device_text(info.st_dev);
  const std::string inode = ":" + std::to_string(info.st_ino);
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, way, access, process, place;
    words >> number >> kind >> way >> access >> process >> place;
    if (kind != "FLOCK" || !place.ends_with(inode)) continue;
    if (place == device + inode || process == holder(look.fd_)) return true;
  }
  return false;
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

// SPDX-License-Identifier: Apache-2.0
// A full disk for code that does not go through Disk (libtorrent): while it lives, files of this
// process that would grow beyond `bytes` fail. It works for root and in containers, where a small
// file system cannot always be mounted. One at a time.
#pragma once

#include <sys/resource.h>

#include <csignal>

namespace lineside::fakes {

class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit now = before_;
    now.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*signal_)(int);
  rlimit before_{};
};

}  // namespace lineside::fakes

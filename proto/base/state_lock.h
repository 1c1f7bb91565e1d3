// SPDX-License-Identifier: Apache-2.0
// One daemon to a state folder: two that write the same one would undo each other's work.
//
//     TRY_ASSIGN(StateLock lock, StateLock::take(disk, config.state));   // before anything else
//
// The lock is flock(2) on STATE/lock, so that it ends with the process however that ends; the file
// stays, and holds the number of the process that took it last. Commands that only look need none.
#pragma once

#include "proto/base/disk.h"
#include "proto/base/result.h"

namespace lineside {

class StateLock {
 public:
  // Makes the folder if there is none. kConflict if another process (or another part of this one)
  // has it, naming folder, process and the way out; else the codes of Disk.
  static Result<StateLock> take(Disk& disk, const Path& state);
  // Has some process taken it? Makes nothing, and takes nothing. Codes of the file system.
  static Result<bool> is_taken(const Path& state);
  ~StateLock();  // gives it back
  StateLock(StateLock&& other) noexcept;
  StateLock& operator=(StateLock&& other) noexcept;

 private:
  explicit StateLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace lineside

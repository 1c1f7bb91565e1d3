// SPDX-License-Identifier: Apache-2.0
// Runs one child to its end: no shell, an empty environment but for what is given, results on file
// descriptor 3, limits, a wall clock, and nothing left behind.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "node/check/verdict.h"
#include "proto/base/bytes.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"

namespace lineside::node {

struct ProcessPlan {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH
  std::chrono::milliseconds wall{60'000};
  std::chrono::milliseconds grace{2'000};  // between SIGTERM and SIGKILL
  std::uint64_t memory_bytes = 0;          // 0: no limit
  std::uint64_t pids = 0;                  // 0: no limit
  std::uint64_t file_bytes = 0;            // the largest file that it may write; 0: no limit
  std::uint64_t max_results = 256 << 10;   // bytes on descriptor 3
  // Asked twice a second; true ends the process as too_much_disk. May be empty.
  std::function<bool()> over_disk_limit;
  // Handed to the child as descriptors 4 and 5: its status pipe (see ProcessRun::status), and, if
  // it is not empty, a file with these bytes.
  Bytes file_5;
};

inline constexpr int kStatusFd = 4;
inline constexpr int kFileFd = 5;

struct ProcessRun {
  ProcessEnd end;
  Bytes results;            // what came on descriptor 3
  std::string status;       // what came on descriptor 4
  std::string output_tail;  // the last 4 KiB of standard output and error
  std::uint64_t output_bytes = 0;
  std::uint64_t max_rss_bytes = 0;  // of the largest process below it
  std::chrono::milliseconds cpu{};  // of all of them
  std::chrono::milliseconds wall{};
};

// kNotFound or kDenied if the program cannot be started, kCancelled if `stop` was asked for (the
// child is dead then), kIo for pipes and processes that cannot be made.
Result<ProcessRun> run_process(const ProcessPlan& plan, std::stop_token stop);

}  // namespace lineside::node

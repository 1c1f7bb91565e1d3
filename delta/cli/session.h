// SPDX-License-Identifier: Apache-2.0
// What the sub-commands of lineside-delta share: trees named on the command line, the terminal, the
// end.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "delta/make_delivery.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"

namespace lineside::delta::cli {

// The path of the only entry of the tree that stands for a single file.
inline constexpr const char* kSingleEntry = "content.lineside-delta";

// Exit statuses; --help lists them.
inline constexpr int kExitOk = 0;
inline constexpr int kExitUsage = 1;
inline constexpr int kExitRefused = 2;
inline constexpr int kExitDisk = 3;
inline constexpr int kExitStopped = 130;
int exit_status(Code code);

// A folder, a file, or /dev/null for the empty tree. A file as base has no mode, so that a copy of
// it with another one is as good. kNotFound; kUnsupported for anything else.
enum class Side { kBase, kTarget };
Result<TreeOnDisk> open_tree(const Disk& disk, const std::string& name, Side side, unsigned threads,
                             std::stop_token stop);

// Both a folder or both a file, or one of them empty; else kUsage.
Result<void> check_alike(const TreeOnDisk& one, const TreeOnDisk& other);

// SIGINT and SIGTERM become a request to stop, so that what is half written is removed. One only,
// made before any other thread.
class StopOnSignal {
 public:
  StopOnSignal();
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::jthread watcher_;
};

// A line on standard error that is written over, if that is a terminal; else nothing.
Progress terminal_progress(std::string verb);
void end_progress();

// "1.23 MB" (1000 based).
std::string human_bytes(std::uint64_t bytes);

}  // namespace lineside::delta::cli

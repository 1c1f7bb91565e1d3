// SPDX-License-Identifier: Apache-2.0
#include "delta/cli/session.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "delta/scan.h"
#include "proto/trust/merkle.h"

namespace lineside::delta::cli {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

Result<TreeOnDisk> open_file(const Disk& disk, const Path& path, Side side, std::uint32_t mode,
                             unsigned threads) {
  TRY_ASSIGN(auto file, disk.open(path));
  TRY_ASSIGN(trust::FileFacts facts, trust::hash_file(*file, threads));
  trust::Entry entry;
  entry.path = kSingleEntry;
  entry.mode = side == Side::kTarget && (mode & 0111) != 0 ? 0755 : 0644;
  entry.length = facts.length;
  entry.root = facts.root;
  return TreeOnDisk{path, trust::Listing{{entry}}, true};
}

}  // namespace

int exit_status(Code code) {
  switch (code) {
    case Code::kUsage:
      return kExitUsage;
    case Code::kIo:
    case Code::kNoSpace:
    case Code::kDenied:
    case Code::kNotFound:
    case Code::kExists:
      return kExitDisk;
    case Code::kCancelled:
      return kExitStopped;
    default:
      return kExitRefused;
  }
}

Result<TreeOnDisk> open_tree(const Disk& disk, const std::string& name, Side side, unsigned threads,
                             std::stop_token stop) {
  if (name == "/dev/null") return TreeOnDisk{};
  Path path = name;
  if (path.filename().empty()) path = path.parent_path();
  TRY_ASSIGN(auto info, disk.stat(path));
  if (!info) return Error{Code::kNotFound, name + " does not exist"};
  if (info->type == FileType::kFile) return open_file(disk, path, side, info->mode, threads);
  if (info->type != FileType::kDirectory) {
    return Error{Code::kUnsupported, name + " is neither folder nor file"};
  }
  TRY_ASSIGN(trust::Listing listing, scan_tree(disk, path, threads, stop));
  return TreeOnDisk{path, std::move(listing), false};
}

Result<void> check_alike(const TreeOnDisk& one, const TreeOnDisk& other) {
  bool empty = one.dir.empty() || other.dir.empty();
  if (empty || one.single_file == other.single_file) return ok();
  return Error{Code::kUsage, one.dir.string() + " and " + other.dir.string() +
                                 " are not both folders or both files"};
}

StopOnSignal::StopOnSignal() {
  sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  watcher_ = std::jthread([source = source_](const std::stop_token& end) mutable {
    sigset_t signals = stop_signals();
    timespec wait{0, 200'000'000};
    while (!end.stop_requested()) {
      if (sigtimedwait(&signals, nullptr, &wait) > 0) source.request_stop();
    }
  });
}

Progress terminal_progress(std::string verb) {
  if (isatty(STDERR_FILENO) == 0) return {};
  return [verb = std::move(verb), shown = -1](std::uint64_t done, std::uint64_t total) mutable {
    int percent = total == 0 ? 100 : static_cast<int>(done * 100 / total);
    if (percent == shown) return;
    shown = percent;
    fmt::print(stderr, "\r{} {} of {}, {} %  ", verb, human_bytes(done), human_bytes(total),
               percent);
    std::fflush(stderr);
  };
}

void end_progress() {
  if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\033[K");
}

std::string human_bytes(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  const char* unit = "B";
  for (const char* next : {"kB", "MB", "GB", "TB"}) {
    if (value < 1000) break;
    value /= 1000;
    unit = next;
  }
  return fmt::format("{:.4g} {}", value, unit);
}

}  // namespace lineside::delta::cli

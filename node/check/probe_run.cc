// SPDX-License-Identifier: Apache-2.0
#include "node/check/probe_run.h"

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "node/check/sandbox.h"
#include "node/check/seccomp_filter.h"

namespace lineside::node {
namespace {

namespace fs = std::filesystem;

// Bytes of all files below `dir`; the probe may be changing them meanwhile.
std::uint64_t bytes_below(const Path& dir) {
  std::uint64_t total = 0;
  std::error_code error;
  auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(dir, options, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code ignored;
    if (at->is_regular_file(ignored) && !at->is_symlink(ignored)) {
      std::uint64_t size = at->file_size(ignored);
      if (!ignored) total += size;
    }
    total += 256;  // an entry is not free: this bounds their number too
  }
  return total;
}

bool exists(const Disk& disk, const std::string& device) {
  auto info = disk.stat(device);
  return info.ok() && *info && (*info)->type == FileType::kOther;
}

bool allows(const CheckOptions& options, const std::string& device) {
  const auto& list = options.devices;
  return std::find(list.begin(), list.end(), device) != list.end();
}

std::vector<std::string> devices_for(const Disk& disk, const CheckOptions& options,
                                     const runtime::ProbeSpec& spec) {
  std::vector<std::string> found;
  for (const std::string& device : spec.devices) {
    if (exists(disk, device) && allows(options, device)) found.push_back(device);
  }
  return found;
}

// bubblewrap says "exit-code" only once the sandbox stood and the probe had begun.
void judge_sandbox(SandboxedRun& run) {
  const ProcessEnd& end = run.process.end;
  if (end.timed_out || end.out_of_memory || end.too_much_disk || end.too_much_output) return;
  if (run.process.status.find("\"exit-code\"") != std::string::npos) return;
  const std::string& tail = run.process.output_tail;
  if (tail.find("bwrap: execvp") != std::string::npos) {
    run.exec_failure = tail;
  } else {
    run.sandbox_failure = tail.empty() ? "bubblewrap ended without a word" : tail;
  }
}

}  // namespace

Result<ScratchDir> ScratchDir::make(const Path& parent) {
  std::error_code error;
  fs::create_directories(parent, error);
  std::string name = (parent / "out-XXXXXX").string();
  if (error || ::mkdtemp(name.data()) == nullptr) {
    return Error{Code::kIo, "cannot make a folder in " + parent.string()};
  }
  return ScratchDir(name);
}

ScratchDir::ScratchDir(ScratchDir&& other) noexcept : path_(std::move(other.path_)) {
  other.path_.clear();
}

ScratchDir::~ScratchDir() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

std::optional<std::string> withheld_device(const Disk& disk, const CheckOptions& options,
                                           const runtime::ProbeSpec& spec) {
  for (const std::string& device : spec.devices) {
    if (exists(disk, device) && !allows(options, device)) return device;
  }
  return std::nullopt;
}

Result<SandboxedRun> run_probe(const Disk& disk, const CheckOptions& options, const Path& tree,
                               const Path& out, const runtime::ProbeSpec& spec,
                               std::stop_token stop) {
  ProcessPlan process;
  process.file_5 = seccomp_filter();
  SandboxPlan sandbox;
  sandbox.bwrap = options.bwrap;
  TRY_ASSIGN(sandbox.root, find_root(disk, tree));
  sandbox.tree = tree;
  sandbox.out = out;
  sandbox.devices = devices_for(disk, options, spec);
  sandbox.status_fd = kStatusFd;
  sandbox.seccomp_fd = process.file_5.empty() ? -1 : kFileFd;
  process.argv = sandbox_argv(sandbox, spec);
  process.wall = std::chrono::seconds(spec.limits.wall_s);
  process.grace = options.grace;
  process.memory_bytes = spec.limits.memory_mb << 20;
  process.pids = spec.limits.pids + 2;  // bubblewrap's own two
  std::uint64_t disk_bytes = spec.limits.tmp_mb << 20;
  process.file_bytes = disk_bytes;
  process.max_results = spec.limits.output_kb << 10;
  process.over_disk_limit = [out, disk_bytes] { return bytes_below(out) > disk_bytes; };
  SandboxedRun run;
  TRY_ASSIGN(run.process, run_process(process, std::move(stop)));
  if (bytes_below(out) > disk_bytes) run.process.end.too_much_disk = true;
  judge_sandbox(run);
  return run;
}

}  // namespace lineside::node

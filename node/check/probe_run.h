// SPDX-License-Identifier: Apache-2.0
// One run of a probe in its sandbox, with {out} as a folder of its own that is gone afterwards.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "node/check/inference_check.h"
#include "node/check/process.h"

namespace lineside::node {

// A folder that is removed at the end.
class ScratchDir {
 public:
  // kDenied, kNoSpace, kIo.
  static Result<ScratchDir> make(const Path& parent);
  ~ScratchDir();
  ScratchDir(ScratchDir&& other) noexcept;
  ScratchDir& operator=(ScratchDir&&) = delete;
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  [[nodiscard]] const Path& path() const { return path_; }

 private:
  explicit ScratchDir(Path path) : path_(std::move(path)) {}
  Path path_;
};

struct SandboxedRun {
  ProcessRun process;
  // Set if the sandbox itself could not be made: the probe never ran.
  std::optional<std::string> sandbox_failure;
  // Set if the sandbox stood but argv[0] could not be executed in it.
  std::optional<std::string> exec_failure;
};

// kCancelled, and kNotFound, kDenied or kIo if bubblewrap cannot be started.
// The first device that the probe asks for, that is there, and that `options` does not let it have.
std::optional<std::string> withheld_device(const Disk& disk, const CheckOptions& options,
                                           const runtime::ProbeSpec& spec);

Result<SandboxedRun> run_probe(const Disk& disk, const CheckOptions& options, const Path& tree,
                               const Path& out, const runtime::ProbeSpec& spec,
                               std::stop_token stop);

}  // namespace lineside::node

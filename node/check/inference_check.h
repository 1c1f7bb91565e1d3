// SPDX-License-Identifier: Apache-2.0
// Runs a bundle's own inference check in the sandbox and judges what comes out of it.
//
//     tree/validation/probe.json ─▶ bwrap ─▶ probe ─▶ fd 3: JSON lines ─▶ versions, provider,
//     budgets
//                                              └────▶ {out}: tensors ───▶ compare() with the golden
//                                              ones
//
// A fault of the bundle is Verdict::kFail and names the first check that failed. What keeps the
// check from being run at all (no bubblewrap, no namespaces) is Verdict::kError: the bundle is not
// to blame.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "node/check/verdict.h"
#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/runtime/probe_spec.h"
#include "proto/trust/manifest.h"

namespace lineside::node {

struct CheckOptions {
  std::string bwrap = "bwrap";
  Path scratch;                               // a folder for {out}; made as needed
  std::vector<std::string> devices;           // below /dev: all that a probe may be given
  unsigned busy_attempts = 3;                 // for exit status 75
  std::chrono::milliseconds busy_wait{2000};  // doubles each time
  std::chrono::milliseconds grace{2000};      // between SIGTERM and SIGKILL
};

struct CheckRequest {
  Path tree;
  const trust::Manifest* manifest = nullptr;
  // The tree that runs now, to measure p50_ratio_vs_running against; empty: that budget is not
  // checked.
  Path running;
};

// What the agent needs of a check.
class Checker {
 public:
  virtual ~Checker() = default;
  // Blocks for as long as the probe runs. The only error is kCancelled. Any thread, one at a time.
  [[nodiscard]] virtual Result<CheckReport> run(const CheckRequest& request,
                                                std::stop_token stop) const = 0;
};

class InferenceCheck final : public Checker {
 public:
  // `disk` and `clock` outlive it.
  InferenceCheck(const Disk& disk, const Clock& clock, CheckOptions options);

  [[nodiscard]] Result<CheckReport> run(const CheckRequest& request,
                                        std::stop_token stop) const override;

 private:
  const Disk& disk_;
  const Clock& clock_;
  CheckOptions options_;
};

}  // namespace lineside::node

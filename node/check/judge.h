// SPDX-License-Identifier: Apache-2.0
// From what a probe said and wrote to the single checks of a report.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "node/check/probe_lines.h"
#include "node/check/process.h"
#include "node/check/verdict.h"
#include "proto/base/disk.h"
#include "proto/runtime/probe_spec.h"
#include "proto/trust/manifest.h"

namespace lineside::node {

struct JudgeInput {
  const Disk& disk;
  const Path& tree;
  const Path& out;
  const runtime::ProbeSpec& spec;
  const trust::Manifest& manifest;
};

// deps.versions, provider, load.model, infer.case.*, infer.negative.*, infer.determinism and the
// budgets, each as one item of `report`.
void judge_result(const JudgeInput& input, const ProbeResult& result, const ProcessRun& process,
                  CheckReport& report);

// latency.p50_ratio; not run if one of the two has no latencies.
void judge_ratio(const std::vector<double>& latency, const std::vector<double>& running,
                 double limit, CheckReport& report);

// Wall and CPU time and memory, for the report's `measured`.
void measure(const ProcessRun& process, CheckReport& report);

// Valid UTF-8 without control characters other than tab and end of line, at most 4 KiB, its end
// kept.
std::string clean_text(std::string_view text);

}  // namespace lineside::node

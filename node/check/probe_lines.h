// SPDX-License-Identifier: Apache-2.0
// What a probe says on file descriptor 3: one JSON object a line, UTF-8, the last one {"t":"done"}.
//
//     {"t":"start","schema":1,"runtime":{"python":"3.11.2","numpy":"1.24.2"},"provider":"CPU"}
//     {"t":"import","ms":54.6}
//     {"t":"load","model":"models/vad.onnx","ms":48.5}
//     {"t":"case","name":"speech","outputs":{"output":"speech.output.npy"}}
//     {"t":"latency","n":200,"us":[73.1,72.8]}
//     {"t":"done"}
//
// Unknown kinds and members are ignored, so that probes can say more to later agents. A case said
// twice is a second run of it, by which determinism is judged.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::node {

struct CaseRun {
  std::string name;
  std::map<std::string, std::string> outputs;  // output -> file below {out}, a safe relative path
};

struct ProbeResult {
  bool started = false;
  std::map<std::string, std::string> runtime;  // versions seen by the probe
  std::string provider;
  std::optional<double> import_ms;
  std::optional<double> load_ms;    // of all models together
  std::vector<std::string> loaded;  // models
  std::vector<CaseRun> cases;
  std::vector<double> latency_us;
  bool done = false;
};

inline constexpr std::size_t kMaxProbeLineBytes = 64 * 1024;

// kMalformed naming the line; kTooLarge for a line over kMaxProbeLineBytes or too many of them.
// A last line without its end, or anything after "done", is malformed.
Result<ProbeResult> parse_probe_lines(BytesView bytes);

// The value below which `share` (0.5: the median) of them lie, interpolated as numpy.percentile
// does; nullopt if there are none.
std::optional<double> percentile(std::vector<double> values, double share);

}  // namespace lineside::node

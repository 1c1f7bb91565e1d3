// SPDX-License-Identifier: Apache-2.0
// validation/probe.json: what the bundle's owner says a working inference is. Its floats
// (tolerances, limits) make it plain JSON, not canonical JSON; it is signed as a file of the tree.
// The vendor packs and the device checks by this one reading of it. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/result.h"
#include "proto/base/sha256.h"

namespace lineside::runtime {

// How close is close enough: numpy.allclose, with numpy's defaults.
struct Tolerance {
  double rtol = 1e-5;
  double atol = 1e-8;
  bool equal_nan = false;
};

// Absent: unbounded on that side.
struct Bounds {
  std::optional<double> min;
  std::optional<double> max;
};

struct GoldenOutput {
  std::string file;  // below validation/
  Tolerance tolerance;
};

struct ProbeCase {
  std::string name;
  std::map<std::string, std::string> inputs;    // name -> file below validation/, for the probe
  std::map<std::string, GoldenOutput> outputs;  // at least one
};

struct NegativeCase {
  std::string name;
  std::map<std::string, Bounds> expect;  // at least one bound
};

struct ProbeModel {
  std::string path;  // below the tree, "models/vad.onnx"
  std::optional<Digest> sha256;
};

// Absent budgets are not checked.
struct Budgets {
  std::optional<double> import_ms, load_ms, p50_ms, p50_ratio_vs_running, rss_mb, cpu_ms;
};

struct ProbeLimits {
  std::uint64_t wall_s = 60;
  std::uint64_t memory_mb = 1024;
  std::uint64_t pids = 64;
  std::uint64_t tmp_mb = 64;
  std::uint64_t output_kb = 256;
};

struct ProbeSpec {
  std::vector<std::string> argv;           // with {runtime}, {ml}, {models}, {validation}, {out}
  std::map<std::string, std::string> env;  // the same placeholders
  std::vector<ProbeModel> models;
  std::vector<ProbeCase> cases;
  std::vector<NegativeCase> negative_cases;
  std::string required_provider;  // empty: any
  Budgets budgets;
  ProbeLimits limits;
  std::vector<std::string> devices;  // "/dev/…", offered to the sandbox if they exist
};

inline constexpr std::uint64_t kMaxProbeSpecBytes = 1ULL << 20;

// kMalformed naming the member, unknown members included; kUnsupported for another schema;
// kTooLarge. A spec without a single case is refused: it would prove nothing.
Result<ProbeSpec> parse_probe_spec(BytesView bytes);

}  // namespace lineside::runtime

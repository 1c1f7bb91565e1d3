// SPDX-License-Identifier: Apache-2.0
#include "node/check/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "node/check/compare.h"
#include "proto/runtime/pep503.h"
#include "proto/trust/utf8.h"

namespace lineside::node {
namespace {

std::string number(double value) {
  return fmt::format("{:.4g}", value);
}

// Reads one of the probe's files. Nothing that it may have put in the way is followed or waited
// for.
Result<Tensor> read_output(const JudgeInput& input, const std::string& name) {
  Path place = input.out;
  Path relative(name);
  for (auto part = relative.begin(); part != relative.end(); ++part) {
    place /= *part;
    TRY_ASSIGN(auto info, input.disk.stat(place));
    bool last = std::next(part) == relative.end();
    if (!info || info->type != (last ? FileType::kFile : FileType::kDirectory)) {
      return Error{Code::kNotFound, name + " is no file in {out}"};
    }
  }
  TRY_ASSIGN(Bytes bytes, input.disk.read(place, kMaxTensorBytes));
  return parse_npy(bytes, name);
}

// What of the manifest's runtime has no reported version though it needs one: the interpreter and,
// since no probe imports every package, any one package. Empty if both are there.
std::string unreported(const trust::Manifest& manifest, const ProbeResult& result) {
  bool python = false;
  bool package = false;
  for (const auto& [name, version] : result.runtime) {
    (name == "python" ? python : package) = true;
  }
  if (!manifest.python.empty() && !python) return "python " + manifest.python;
  if (!manifest.packages.empty() && !package) return "a package of the manifest";
  return {};
}

void judge_versions(const JudgeInput& input, const ProbeResult& result, CheckReport& report) {
  const trust::Manifest& manifest = input.manifest;
  for (const auto& [name, version] : result.runtime) {
    report.measured["version." + name] = version;
  }
  if (manifest.packages.empty() && manifest.python.empty()) return;
  for (const auto& [name, version] : result.runtime) {
    std::string expected = manifest.python;
    if (name != "python") {
      auto found = manifest.packages.find(runtime::normalize_name(name));
      expected = found == manifest.packages.end() ? "" : found->second;
    }
    if (expected == version) continue;
    report.fail("deps.versions", "the runtime has " + name + " " + version,
                expected.empty() ? "not in the manifest" : name + " " + expected);
    return;
  }
  // A probe that says nothing of the runtime has not shown that it is the one of the manifest.
  std::string missing = unreported(manifest, result);
  if (!missing.empty()) {
    report.fail("deps.versions", "the probe reports no version", missing);
    return;
  }
  report.pass("deps.versions", fmt::format("{} versions", result.runtime.size()));
}

void judge_provider(const JudgeInput& input, const ProbeResult& result, CheckReport& report) {
  report.measured["provider"] = result.provider;
  if (input.spec.required_provider.empty()) return;
  if (result.provider == input.spec.required_provider) {
    report.pass("provider", result.provider);
  } else {
    report.fail("provider", result.provider.empty() ? "none" : result.provider,
                input.spec.required_provider);
  }
}

void judge_loads(const JudgeInput& input, const ProbeResult& result, CheckReport& report) {
  std::set<std::string> loaded(result.loaded.begin(), result.loaded.end());
  for (const runtime::ProbeModel& model : input.spec.models) {
    if (loaded.count(model.path) == 0) {
      report.fail("load.model", model.path + " was not loaded");
      return;
    }
  }
  report.pass("load.model", fmt::format("{} models", loaded.size()));
}

// All runs of one case; the first is compared, the others must repeat it bit by bit.
std::vector<const CaseRun*> runs_of(const ProbeResult& result, const std::string& name) {
  std::vector<const CaseRun*> runs;
  for (const CaseRun& run : result.cases) {
    if (run.name == name) runs.push_back(&run);
  }
  return runs;
}

// `compare_one` gets the tensor that the probe wrote for `output`.
template <class Expected, class CompareOne>
void judge_case(const JudgeInput& input, const ProbeResult& result, const std::string& id,
                const std::string& name, const std::map<std::string, Expected>& expected,
                CompareOne compare_one, CheckReport& report) {
  auto runs = runs_of(result, name);
  if (runs.empty()) {
    report.fail(id, "the probe did not run it");
    return;
  }
  double worst = 0;
  for (const auto& [output, wanted] : expected) {
    auto file = runs.front()->outputs.find(output);
    if (file == runs.front()->outputs.end()) {
      report.fail(id, "no output \"" + output + "\"");
      return;
    }
    auto tensor = read_output(input, file->second);
    if (!tensor.ok()) {
      report.fail(id, output + ": " + tensor.error().what);
      return;
    }
    Result<Comparison> comparison = compare_one(*tensor, wanted);
    if (!comparison.ok() || !comparison->close) {
      report.fail(id,
                  output + ": " + (comparison.ok() ? comparison->why : comparison.error().what));
      return;
    }
    worst = std::max(worst, comparison->max_difference);
  }
  report.pass(id, "largest difference " + number(worst));
  report.measured[id + ".max_diff"] = number(worst);
}

void judge_cases(const JudgeInput& input, const ProbeResult& result, CheckReport& report) {
  auto golden = [&input](const Tensor& tensor,
                         const runtime::GoldenOutput& wanted) -> Result<Comparison> {
    TRY_ASSIGN(Bytes bytes,
               input.disk.read(input.tree / "validation" / wanted.file, kMaxTensorBytes));
    TRY_ASSIGN(Tensor expected, parse_npy(bytes, wanted.file));
    return compare(tensor, expected, wanted.tolerance);
  };
  for (const runtime::ProbeCase& one : input.spec.cases) {
    judge_case(input, result, "infer.case." + one.name, one.name, one.outputs, golden, report);
  }
  auto bounds = [](const Tensor& tensor, const runtime::Bounds& wanted) -> Result<Comparison> {
    return within(tensor, wanted);
  };
  for (const runtime::NegativeCase& one : input.spec.negative_cases) {
    judge_case(input, result, "infer.negative." + one.name, one.name, one.expect, bounds, report);
  }
}

void judge_determinism(const JudgeInput& input, const ProbeResult& result, CheckReport& report) {
  unsigned repeats = 0;
  for (const runtime::ProbeCase& one : input.spec.cases) {
    auto runs = runs_of(result, one.name);
    for (std::size_t i = 1; i < runs.size(); ++i, ++repeats) {
      for (const auto& [output, file] : runs.front()->outputs) {
        auto again = runs[i]->outputs.find(output);
        auto first = read_output(input, file);
        auto second = again == runs[i]->outputs.end()
                          ? Result<Tensor>(Error{Code::kNotFound, output + " is missing"})
                          : read_output(input, again->second);
        if (first.ok() && second.ok() && *first == *second) continue;
        report.fail("infer.determinism", one.name + ": " + output + " differs from run to run");
        return;
      }
    }
  }
  if (repeats > 0) report.pass("infer.determinism", fmt::format("{} repeats", repeats));
}

void judge_budget(const char* id, std::optional<double> measured, std::optional<double> limit,
                  const char* unit, CheckReport& report) {
  if (!limit) return;
  std::string allowed = number(*limit) + unit;
  if (!measured) {
    report.fail(id, "not measured by the probe", allowed);
  } else if (*measured > *limit) {
    report.fail(id, number(*measured) + unit, allowed);
  } else {
    report.pass(id, number(*measured) + unit, allowed);
  }
}

void judge_budgets(const JudgeInput& input, const ProbeResult& result, const ProcessRun& process,
                   CheckReport& report) {
  const runtime::Budgets& budgets = input.spec.budgets;
  auto p50 = percentile(result.latency_us, 0.5);
  if (p50) {
    report.measured["latency.n"] = std::to_string(result.latency_us.size());
    report.measured["latency.p50_us"] = number(*p50);
    report.measured["latency.p95_us"] = number(*percentile(result.latency_us, 0.95));
    report.measured["latency.p99_us"] = number(*percentile(result.latency_us, 0.99));
  }
  if (result.import_ms) report.measured["import_ms"] = number(*result.import_ms);
  if (result.load_ms) report.measured["load_ms"] = number(*result.load_ms);
  judge_budget("time.import", result.import_ms, budgets.import_ms, " ms", report);
  judge_budget("time.load", result.load_ms, budgets.load_ms, " ms", report);
  if (p50) *p50 /= 1000;
  judge_budget("latency.p50_abs", p50, budgets.p50_ms, " ms", report);
  judge_budget("mem.peak", static_cast<double>(process.max_rss_bytes) / (1 << 20), budgets.rss_mb,
               " MiB", report);
  judge_budget("cpu.time", static_cast<double>(process.cpu.count()), budgets.cpu_ms, " ms", report);
}

}  // namespace

void judge_result(const JudgeInput& input, const ProbeResult& result, const ProcessRun& process,
                  CheckReport& report) {
  judge_versions(input, result, report);
  judge_provider(input, result, report);
  judge_loads(input, result, report);
  judge_cases(input, result, report);
  judge_determinism(input, result, report);
  judge_budgets(input, result, process, report);
}

void judge_ratio(const std::vector<double>& latency, const std::vector<double>& running,
                 double limit, CheckReport& report) {
  auto fresh = percentile(latency, 0.5);
  auto old = percentile(running, 0.5);
  if (!fresh || !old || *old <= 0) {
    report.checks.push_back(
        {"latency.p50_ratio", CheckStatus::kNotRun, "the running tree has none", number(limit)});
    return;
  }
  report.measured["latency.running_p50_us"] = number(*old);
  judge_budget("latency.p50_ratio", *fresh / *old, limit, "", report);
}

void measure(const ProcessRun& process, CheckReport& report) {
  report.measured["wall_ms"] = std::to_string(process.wall.count());
  report.measured["cpu_ms"] = std::to_string(process.cpu.count());
  report.measured["rss_mb"] = number(static_cast<double>(process.max_rss_bytes) / (1 << 20));
}

std::string clean_text(std::string_view text) {
  constexpr std::size_t kMax = 4096;
  if (text.size() > kMax) text.remove_prefix(text.size() - kMax);
  std::string clean;
  while (!text.empty()) {
    std::size_t length = trust::utf8_length(text);
    bool control = length == 1 && static_cast<unsigned char>(text[0]) < 0x20 && text[0] != '\n' &&
                   text[0] != '\t';
    if (length == 0 || control || text[0] == 0x7f) {
      clean += '?';
      length = 1;
    } else {
      clean += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return clean;
}

}  // namespace lineside::node

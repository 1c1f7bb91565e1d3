// SPDX-License-Identifier: Apache-2.0
#include "node/check/inference_check.h"

#include <fmt/format.h>

#include <thread>

#include "node/check/judge.h"
#include "node/check/probe_run.h"

namespace lineside::node {
namespace {

constexpr std::uint64_t kMaxReadPortion = 1 << 20;

Result<Digest> hash_of(const Disk& disk, const Path& path) {
  TRY_ASSIGN(auto file, disk.open(path));
  Sha256 hash;
  Bytes portion(kMaxReadPortion);
  for (std::uint64_t at = 0;;) {
    TRY_ASSIGN(std::size_t count, file->read_at(at, portion));
    if (count == 0) return hash.finish();
    hash.update(BytesView(portion).first(count));
    at += count;
  }
}

// With the runtime's own words first: what they name, a package say, is what people need.
std::string cause_of(const EndMeaning& meaning, std::string_view tail) {
  std::string words = telling_line(tail);
  return words.empty() ? meaning.cause : fmt::format("{} ({})", words, meaning.cause);
}

// One check of one tree: the state that its steps share.
class Run {
 public:
  Run(const Disk& disk, const CheckOptions& options, const CheckRequest& request)
      : disk_(disk), options_(options), request_(request) {}

  Result<CheckReport> go(std::stop_token stop) {
    if (!read_spec() || !check_models()) return std::move(report_);
    if (auto device = withheld_device(disk_, options_, spec_)) {
      return environment("the probe asks for " + *device +
                         ", which this device has and its configuration does not list in "
                         "[check] devices");
    }
    auto scratch = ScratchDir::make(options_.scratch);
    if (!scratch.ok()) return environment(scratch.error().describe());
    auto run = run_until_free(scratch->path(), stop);
    if (!run.ok()) {
      if (run.error().code == Code::kCancelled) return run.error();
      return environment(run.error().describe());
    }
    report_.stderr_tail = clean_text(run->process.output_tail);
    if (run->sandbox_failure)
      return environment("the sandbox: " + clean_text(*run->sandbox_failure));
    judge(*run, scratch->path());
    if (report_.verdict != Verdict::kFail && needs_ratio()) TRY(measure_ratio(stop));
    if (report_.verdict != Verdict::kFail) report_.verdict = Verdict::kPass;
    return std::move(report_);
  }

 private:
  CheckReport environment(const std::string& why) {
    report_.verdict = Verdict::kError;
    report_.cause = "environment: " + why;
    return std::move(report_);
  }

  bool read_spec() {
    auto bytes =
        disk_.read(request_.tree / "validation" / "probe.json", runtime::kMaxProbeSpecBytes);
    if (!bytes.ok()) {
      report_.fail("integrity.check", bytes.error().what);
      return false;
    }
    if (sha256(*bytes) != request_.manifest->check) {
      report_.fail("integrity.check",
                   "validation/probe.json is not the one that the manifest names");
      return false;
    }
    report_.pass("integrity.check");
    auto spec = runtime::parse_probe_spec(*bytes);
    if (!spec.ok()) {
      report_.fail("protocol", spec.error().what);
      return false;
    }
    spec_ = std::move(*spec);
    return true;
  }

  bool check_models() {
    std::vector<std::pair<std::string, Digest>> expected;
    for (const trust::ModelFact& model : request_.manifest->models) {
      expected.emplace_back(model.path, model.sha256);
    }
    for (const runtime::ProbeModel& model : spec_.models) {
      if (model.sha256) expected.emplace_back(model.path, *model.sha256);
    }
    for (const auto& [path, digest] : expected) {
      auto found = hash_of(disk_, request_.tree / path);
      if (found.ok() && *found == digest) continue;
      report_.fail("integrity.models",
                   found.ok() ? path + " has sha256 " + found->hex() : found.error().what,
                   digest.hex());
      return false;
    }
    report_.pass("integrity.models", fmt::format("{} files", expected.size()));
    return true;
  }

  // Exit status 75: sensor or accelerator busy, so later again.
  Result<SandboxedRun> run_until_free(const Path& out, const std::stop_token& stop) {
    auto wait = options_.busy_wait;
    for (unsigned attempt = 1;; ++attempt) {
      TRY_ASSIGN(SandboxedRun run, run_probe(disk_, options_, request_.tree, out, spec_, stop));
      bool busy = !run.sandbox_failure && !run.exec_failure &&
                  meaning_of(run.process.end).kind == EndKind::kRetry;
      if (!busy || attempt >= options_.busy_attempts) return run;
      for (auto left = wait; left.count() > 0 && !stop.stop_requested(); left -= kSlice) {
        std::this_thread::sleep_for(std::min(left, kSlice));
      }
      wait *= 2;
    }
  }

  void judge(const SandboxedRun& run, const Path& out) {
    if (run.exec_failure) {
      report_.fail("unclassified", "cannot be executed: " + clean_text(*run.exec_failure));
      return;
    }
    measure(run.process, report_);
    EndMeaning meaning = meaning_of(run.process.end);
    if (meaning.kind != EndKind::kGood) {
      report_.fail(meaning.check, cause_of(meaning, report_.stderr_tail));
      return;
    }
    auto lines = parse_probe_lines(run.process.results);
    if (!lines.ok() || !lines->done) {
      report_.fail("protocol", lines.ok() ? "the probe ended with status 0 but without \"done\""
                                          : lines.error().what);
      return;
    }
    report_.pass("protocol");
    latency_ = lines->latency_us;
    judge_result({disk_, request_.tree, out, spec_, *request_.manifest}, *lines, run.process,
                 report_);
  }

  [[nodiscard]] bool needs_ratio() const {
    return spec_.budgets.p50_ratio_vs_running && !request_.running.empty() && !latency_.empty();
  }

  // The rest of new, running, new, running: drift of the machine hits both alike.
  Result<void> measure_ratio(const std::stop_token& stop) {
    std::vector<double> running;
    auto bytes =
        disk_.read(request_.running / "validation" / "probe.json", runtime::kMaxProbeSpecBytes);
    auto spec =
        bytes.ok() ? runtime::parse_probe_spec(*bytes) : Result<runtime::ProbeSpec>(bytes.error());
    if (spec.ok()) {
      TRY(add_latencies(request_.running, *spec, running, stop));
      TRY(add_latencies(request_.tree, spec_, latency_, stop));
      TRY(add_latencies(request_.running, *spec, running, stop));
    }
    judge_ratio(latency_, running, *spec_.budgets.p50_ratio_vs_running, report_);
    return ok();
  }

  Result<void> add_latencies(const Path& tree, const runtime::ProbeSpec& spec,
                             std::vector<double>& into, const std::stop_token& stop) {
    auto scratch = ScratchDir::make(options_.scratch);
    if (!scratch.ok()) return ok();
    auto run = run_probe(disk_, options_, tree, scratch->path(), spec, stop);
    if (!run.ok()) return run.error().code == Code::kCancelled ? Result<void>(run.error()) : ok();
    auto lines = parse_probe_lines(run->process.results);
    if (!lines.ok()) return ok();
    into.insert(into.end(), lines->latency_us.begin(), lines->latency_us.end());
    return ok();
  }

  static constexpr std::chrono::milliseconds kSlice{100};

  const Disk& disk_;
  const CheckOptions& options_;
  const CheckRequest& request_;
  runtime::ProbeSpec spec_;
  std::vector<double> latency_;
  CheckReport report_;
};

}  // namespace

InferenceCheck::InferenceCheck(const Disk& disk, const Clock& clock, CheckOptions options)
    : disk_(disk), clock_(clock), options_(std::move(options)) {}

Result<CheckReport> InferenceCheck::run(const CheckRequest& request, std::stop_token stop) const {
  UtcTime started = clock_.now();
  TRY_ASSIGN(CheckReport report, Run(disk_, options_, request).go(std::move(stop)));
  report.started = started;
  report.finished = clock_.now();
  return report;
}

}  // namespace lineside::node

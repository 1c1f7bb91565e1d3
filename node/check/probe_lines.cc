// SPDX-License-Identifier: Apache-2.0
#include "node/check/probe_lines.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "proto/trust/listing.h"

namespace lineside::node {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxLines = 20'000;
constexpr std::size_t kMaxCases = 4096;
constexpr std::size_t kMaxLatencies = 1'000'000;

class LineReader {
 public:
  explicit LineReader(ProbeResult& result) : result_(result) {}

  Result<void> read(std::string_view line) {
    ++number_;
    if (number_ > kMaxLines) return Error{Code::kTooLarge, "probe results: too many lines"};
    if (line.size() > kMaxProbeLineBytes) {
      return Error{Code::kTooLarge, where() + ": more than 64 KiB"};
    }
    if (result_.done) return fail("something after \"done\"");
    bool deep = false;
    auto shallow = [&deep](int level, json::parse_event_t, json&) {
      deep = deep || level > 8;
      return level <= 8;
    };
    json value = json::parse(line.begin(), line.end(), shallow, false);
    if (value.is_discarded() || deep || !value.is_object()) return fail("no JSON object");
    auto kind = value.find("t");
    if (kind == value.end() || !kind->is_string()) return fail("no member \"t\"");
    return dispatch(kind->get<std::string>(), value);
  }

 private:
  [[nodiscard]] std::string where() const {
    return "probe results, line " + std::to_string(number_);
  }
  [[nodiscard]] Error fail(std::string_view what) const {
    return {Code::kMalformed, where() + ": " + std::string(what)};
  }

  Result<void> dispatch(const std::string& kind, const json& value) {
    if (kind != "start" && !result_.started) return fail("\"start\" must come first");
    if (kind == "start") return start(value);
    if (kind == "import") return milliseconds(value, result_.import_ms);
    if (kind == "load") return load(value);
    if (kind == "case") return run(value);
    if (kind == "latency") return latency(value);
    if (kind == "done") result_.done = true;
    return ok();
  }

  Result<void> start(const json& value) {
    if (result_.started) return fail("a second \"start\"");
    auto schema = value.find("schema");
    if (schema == value.end() || *schema != 1) return fail("schema: expected 1");
    result_.started = true;
    if (auto provider = value.find("provider"); provider != value.end()) {
      if (!provider->is_string()) return fail("provider: expected a string");
      result_.provider = provider->get<std::string>();
    }
    auto runtime = value.find("runtime");
    if (runtime == value.end()) return ok();
    if (!runtime->is_object()) return fail("runtime: expected an object");
    for (const auto& [name, version] : runtime->items()) {
      if (!version.is_string()) return fail("runtime: expected strings");
      result_.runtime[name] = version.get<std::string>();
    }
    return ok();
  }

  Result<void> milliseconds(const json& value, std::optional<double>& sum) {
    auto ms = value.find("ms");
    bool good = ms != value.end() && ms->is_number() && std::isfinite(ms->get<double>());
    if (!good || ms->get<double>() < 0) return fail("ms: expected a number");
    sum = sum.value_or(0) + ms->get<double>();
    return ok();
  }

  Result<void> load(const json& value) {
    TRY(milliseconds(value, result_.load_ms));
    if (auto model = value.find("model"); model != value.end() && model->is_string()) {
      result_.loaded.push_back(model->get<std::string>());
    }
    return ok();
  }

  Result<void> run(const json& value) {
    auto name = value.find("name");
    auto outputs = value.find("outputs");
    if (name == value.end() || !name->is_string()) return fail("name: expected a string");
    if (outputs == value.end() || !outputs->is_object()) return fail("outputs: expected an object");
    if (result_.cases.size() == kMaxCases) return Error{Code::kTooLarge, where() + ": cases"};
    CaseRun one{name->get<std::string>(), {}};
    for (const auto& [output, file] : outputs->items()) {
      if (!file.is_string() || !trust::check_path(file.get<std::string>()).ok()) {
        return fail("outputs: expected file names below {out}");
      }
      one.outputs[output] = file.get<std::string>();
    }
    result_.cases.push_back(std::move(one));
    return ok();
  }

  Result<void> latency(const json& value) {
    auto values = value.find("us");
    if (values == value.end() || !values->is_array()) return fail("us: expected a list");
    for (const json& item : *values) {
      bool good = item.is_number() && std::isfinite(item.get<double>()) && item.get<double>() >= 0;
      if (!good) return fail("us: expected numbers");
      if (result_.latency_us.size() == kMaxLatencies) {
        return Error{Code::kTooLarge, where() + ": latencies"};
      }
      result_.latency_us.push_back(item.get<double>());
    }
    return ok();
  }

  ProbeResult& result_;
  std::size_t number_ = 0;
};

}  // namespace

Result<ProbeResult> parse_probe_lines(BytesView bytes) {
  ProbeResult result;
  LineReader reader(result);
  std::string_view text = as_text(bytes);
  while (!text.empty()) {
    std::size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      return Error{Code::kMalformed, "probe results: the last line has no end"};
    }
    TRY(reader.read(text.substr(0, end)));
    text.remove_prefix(end + 1);
  }
  return result;
}

std::optional<double> percentile(std::vector<double> values, double share) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  double place = share * static_cast<double>(values.size() - 1);
  auto below = static_cast<std::size_t>(place);
  std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (values[above] - values[below]) * (place - static_cast<double>(below));
}

}  // namespace lineside::node

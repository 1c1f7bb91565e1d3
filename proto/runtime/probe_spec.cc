// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/probe_spec.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "proto/trust/listing.h"

namespace lineside::runtime {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxItems = 1024;

// Reads one object; remembers the first error of the whole document in `*error`.
class Object {
 public:
  Object(const json& value, std::string path, Error* error)
      : value_(value), path_(std::move(path)), error_(error) {
    if (!value.is_object()) fail("", "expected an object");
  }
  ~Object() {
    if (!value_.is_object()) return;
    for (const auto& [key, ignored] : value_.items()) {
      if (known_.count(key) == 0) fail(key, "unknown member");
    }
  }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  const json* get(const std::string& name, bool required = false) {
    known_.insert(name);
    if (!value_.is_object()) return nullptr;
    auto found = value_.find(name);
    if (found == value_.end()) {
      if (required) fail(name, "missing");
      return nullptr;
    }
    return &*found;
  }
  std::string text(const std::string& name, bool required = true) {
    const json* value = get(name, required);
    if (value == nullptr) return {};
    if (value->is_string() && value->get_ref<const std::string&>().size() <= 4096) return *value;
    fail(name, "expected a string");
    return {};
  }
  std::optional<double> number(const std::string& name) {
    const json* value = get(name);
    if (value == nullptr) return std::nullopt;
    if (value->is_number() && std::isfinite(value->get<double>())) return value->get<double>();
    fail(name, "expected a number");
    return std::nullopt;
  }
  std::optional<double> positive(const std::string& name) {
    std::optional<double> value = number(name);
    if (value && *value < 0) fail(name, "expected a number of at least 0");
    return value;
  }
  std::uint64_t whole(const std::string& name, std::uint64_t fallback, std::uint64_t max) {
    const json* value = get(name);
    if (value == nullptr) return fallback;
    if (value->is_number_unsigned() && value->get<std::uint64_t>() >= 1 &&
        value->get<std::uint64_t>() <= max) {
      return value->get<std::uint64_t>();
    }
    fail(name, "expected 1 to " + std::to_string(max));
    return fallback;
  }
  // A file or folder name below its root.
  std::string file(const std::string& name) { return checked(name, text(name)); }
  std::string checked(const std::string& name, std::string path) {
    if (auto good = trust::check_path(path); !good.ok()) fail(name, good.error().what);
    return path;
  }
  const json& items(const std::string& name, json::value_t type) {
    static const json kNone = json::array();
    const json* value = get(name);
    if (value == nullptr) return kNone;
    if (value->type() == type && value->size() <= kMaxItems) return *value;
    fail(name, type == json::value_t::array ? "expected a list" : "expected an object");
    return kNone;
  }
  void fail(const std::string& name, const std::string& what) {
    if (!error_->what.empty()) return;
    std::string where = name.empty() ? path_ : path_ + "." + name;
    *error_ = {Code::kMalformed, where.substr(0, 200) + ": " + what};
  }
  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "." + name; }
  Error* error() { return error_; }

 private:
  const json& value_;
  std::string path_;
  Error* error_;
  std::set<std::string> known_;
};

std::vector<std::string> read_texts(Object& object, const std::string& name) {
  std::vector<std::string> texts;
  for (const json& item : object.items(name, json::value_t::array)) {
    if (item.is_string() && item.get_ref<const std::string&>().find('\0') == std::string::npos) {
      texts.push_back(item);
    } else {
      object.fail(name, "expected strings");
    }
  }
  return texts;
}

std::map<std::string, std::string> read_text_map(Object& object, const std::string& name) {
  std::map<std::string, std::string> map;
  for (const auto& [key, value] : object.items(name, json::value_t::object).items()) {
    bool sane = value.is_string() && !key.empty() && key.find('=') == std::string::npos &&
                key.find('\0') == std::string::npos;
    if (sane && value.get_ref<const std::string&>().find('\0') == std::string::npos) {
      map[key] = value.get<std::string>();
    } else {
      object.fail(name, "expected strings");
    }
  }
  return map;
}

ProbeCase read_case(const json& value, const std::string& path, Error* error) {
  Object object(value, path, error);
  ProbeCase result;
  result.name = object.file("name");
  result.inputs = read_text_map(object, "inputs");
  for (auto& [name, file] : result.inputs) object.checked("inputs." + name, file);
  for (const auto& [name, item] : object.items("outputs", json::value_t::object).items()) {
    Object output(item, object.path("outputs." + name), error);
    GoldenOutput golden;
    golden.file = output.file("file");
    golden.tolerance.rtol = output.positive("rtol").value_or(golden.tolerance.rtol);
    golden.tolerance.atol = output.positive("atol").value_or(golden.tolerance.atol);
    if (const json* nan = output.get("equal_nan")) {
      if (!nan->is_boolean()) output.fail("equal_nan", "expected true or false");
      golden.tolerance.equal_nan = nan->is_boolean() && nan->get<bool>();
    }
    result.outputs[name] = golden;
  }
  if (result.outputs.empty()) object.fail("outputs", "expected at least one output");
  return result;
}

NegativeCase read_negative(const json& value, const std::string& path, Error* error) {
  Object object(value, path, error);
  NegativeCase result;
  result.name = object.file("name");
  for (auto& [name, file] : read_text_map(object, "inputs")) object.checked("inputs." + name, file);
  for (const auto& [name, item] : object.items("expect", json::value_t::object).items()) {
    Object expected(item, object.path("expect." + name), error);
    Bounds bounds{expected.number("min"), expected.number("max")};
    if (!bounds.min && !bounds.max) expected.fail("", "expected min or max");
    result.expect[name] = bounds;
  }
  if (result.expect.empty()) object.fail("expect", "expected at least one output");
  return result;
}

ProbeModel read_model(const json& value, const std::string& path, Error* error) {
  Object object(value, path, error);
  ProbeModel model;
  model.path = object.file("path");
  for (const char* known : {"format", "ir_version", "opset"}) object.get(known);
  if (object.get("sha256") != nullptr) {
    auto digest = Digest::parse(object.text("sha256"));
    if (!digest.ok()) object.fail("sha256", "expected 64 hexadecimal digits");
    if (digest.ok()) model.sha256 = *digest;
  }
  return model;
}

Budgets read_budgets(const json& value, const std::string& path, Error* error) {
  Object object(value, path, error);
  return {object.positive("import_ms"), object.positive("load_ms"),
          object.positive("p50_ms"),    object.positive("p50_ratio_vs_running"),
          object.positive("rss_mb"),    object.positive("cpu_ms")};
}

ProbeLimits read_limits(const json& value, const std::string& path, Error* error) {
  Object object(value, path, error);
  ProbeLimits limits;
  limits.wall_s = object.whole("wall_s", limits.wall_s, 3600);
  limits.memory_mb = object.whole("memory_mb", limits.memory_mb, 1 << 20);
  limits.pids = object.whole("pids", limits.pids, 4096);
  limits.tmp_mb = object.whole("tmp_mb", limits.tmp_mb, 1 << 16);
  limits.output_kb = object.whole("output_kb", limits.output_kb, 1 << 16);
  return limits;
}

template <class T, class Read>
std::vector<T> read_list(Object& object, const std::string& name, Read read) {
  std::vector<T> list;
  for (const json& item : object.items(name, json::value_t::array)) {
    std::string path = object.path(name) + "[" + std::to_string(list.size()) + "]";
    list.push_back(read(item, path, object.error()));
  }
  return list;
}

void check_names(const ProbeSpec& spec, Object& object) {
  std::set<std::string> names;
  for (const ProbeCase& one : spec.cases) {
    if (!names.insert(one.name).second) object.fail("cases", "the name " + one.name + " twice");
  }
  for (const NegativeCase& one : spec.negative_cases) {
    if (!names.insert(one.name).second) {
      object.fail("negative_cases", "the name " + one.name + " twice");
    }
  }
}

void read_spec(const json& document, ProbeSpec& spec, Error* error) {
  Object object(document, "probe.json", error);
  object.get("schema");
  spec.argv = read_texts(object, "argv");
  if (spec.argv.empty()) object.fail("argv", "expected a program");
  spec.env = read_text_map(object, "env");
  spec.models = read_list<ProbeModel>(object, "models", read_model);
  spec.cases = read_list<ProbeCase>(object, "cases", read_case);
  if (spec.cases.empty()) object.fail("cases", "expected at least one case");
  spec.negative_cases = read_list<NegativeCase>(object, "negative_cases", read_negative);
  check_names(spec, object);
  spec.required_provider = object.text("required_provider", false);
  if (const json* value = object.get("budgets")) {
    spec.budgets = read_budgets(*value, "probe.json.budgets", error);
  }
  if (const json* value = object.get("repeat")) {  // the probe's own business
    Object repeat(*value, "probe.json.repeat", error);
    repeat.whole("warmup", 1, 1'000'000);
    repeat.whole("runs", 1, 1'000'000);
  }
  if (const json* value = object.get("limits")) {
    spec.limits = read_limits(*value, "probe.json.limits", error);
  }
  spec.devices = read_texts(object, "devices");
  for (const std::string& device : spec.devices) {
    bool safe = device.rfind("/dev/", 0) == 0 && trust::check_path(device.substr(1)).ok();
    if (!safe) object.fail("devices", "expected paths below /dev");
  }
}

}  // namespace

Result<ProbeSpec> parse_probe_spec(BytesView bytes) {
  if (bytes.size() > kMaxProbeSpecBytes) {
    return Error{Code::kTooLarge, "probe.json: more than 1 MiB"};
  }
  // Depth is bounded before the recursive reader sees the text.
  int depth = 0;
  auto shallow = [&depth](int level, json::parse_event_t, json&) {
    depth = std::max(depth, level);
    return level <= 16;
  };
  json document = json::parse(bytes.begin(), bytes.end(), shallow, false);
  if (document.is_discarded() || depth > 16) {
    return Error{Code::kMalformed, "probe.json: not JSON of at most 16 levels"};
  }
  auto schema = document.is_object() ? document.find("schema") : document.end();
  if (!document.is_object() || schema == document.end() || !schema->is_number_integer()) {
    return Error{Code::kMalformed, "probe.json.schema: expected a number"};
  }
  if (*schema != 1) return Error{Code::kUnsupported, "probe.json.schema: expected 1"};
  ProbeSpec spec;
  Error error;
  read_spec(document, spec, &error);
  if (!error.what.empty()) return error;
  return spec;
}

}  // namespace lineside::runtime

// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/probe_spec.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace lineside::runtime {
namespace {

using nlohmann::json;

json good() {
  return json::parse(R"({"schema":1,
    "argv":["{ml}/bin/python3","{validation}/probe/run.py"],
    "env":{"OMP_NUM_THREADS":"1"},
    "models":[{"path":"models/vad.onnx","format":"onnx","ir_version":8,"opset":{"ai.onnx":16}}],
    "cases":[{"name":"speech","inputs":{"input":"cases/speech/input_0.npy"},
              "outputs":{"output":{"file":"cases/speech/output_0.npy","rtol":1e-3,"atol":1e-4}}}],
    "negative_cases":[{"name":"silence","expect":{"output":{"max":0.2}}}],
    "required_provider":"CPUExecutionProvider",
    "budgets":{"import_ms":5000,"p50_ms":0.5},
    "repeat":{"warmup":20,"runs":200},
    "limits":{"wall_s":60,"memory_mb":400,"pids":64,"tmp_mb":64,"output_kb":256},
    "devices":["/dev/video0"]})");
}

Result<ProbeSpec> parse(const json& value) {
  return parse_probe_spec(as_bytes(value.dump()));
}

TEST(ProbeSpec, ReadsTheContract) {
  auto spec = parse(good());
  ASSERT_TRUE(spec.ok()) << spec.error().what;
  EXPECT_EQ(spec->argv.size(), 2U);
  EXPECT_EQ(spec->cases[0].outputs.at("output").tolerance.rtol, 1e-3);
  EXPECT_EQ(spec->negative_cases[0].expect.at("output").max, 0.2);
  EXPECT_EQ(spec->budgets.p50_ms, 0.5);
  EXPECT_FALSE(spec->budgets.load_ms);
  EXPECT_EQ(spec->limits.memory_mb, 400U);
}

TEST(ProbeSpec, NamesTheMemberThatIsWrong) {
  struct Change {
    const char* pointer;
    json value;
    const char* names;
  };
  const Change changes[] = {
      {"/argv", json::array(), "argv"},
      {"/cases", json::array(), "cases"},
      {"/cases/0/name", "../escape", "cases[0].name"},
      {"/cases/0/outputs/output/file", "/etc/passwd", "file"},
      {"/cases/0/outputs/output/rtol", -1, "rtol"},
      {"/cases/0/outputs", json::object(), "outputs"},
      {"/cases/0/tolerence", 1, "tolerence"},
      {"/negative_cases/0/expect/output", json::object(), "expect.output"},
      {"/negative_cases/0/name", "speech", "twice"},
      {"/limits/wall_s", 0, "wall_s"},
      {"/limits/wall_s", 1e9, "wall_s"},
      {"/limits/memory", 5, "memory"},
      {"/budgets/p50_ms", "fast", "p50_ms"},
      {"/devices/0", "/etc/shadow", "devices"},
      {"/devices/0", "/dev/../etc", "devices"},
      {"/env/A=B", "x", "env"},
      {"/surprise", true, "surprise"},
      {"/schema", "1", "schema"},
  };
  for (const Change& change : changes) {
    json value = good();
    value[json::json_pointer(change.pointer)] = change.value;
    auto spec = parse(value);
    ASSERT_FALSE(spec.ok()) << change.pointer;
    EXPECT_NE(spec.error().what.find(change.names), std::string::npos)
        << change.pointer << ": " << spec.error().what;
  }
}

TEST(ProbeSpec, RefusesOtherSchemasDeepAndLargeText) {
  json value = good();
  value["schema"] = 2;
  EXPECT_EQ(parse(value).error().code, Code::kUnsupported);
  EXPECT_FALSE(parse_probe_spec(as_bytes(std::string(100'000, '['))).ok());
  EXPECT_EQ(parse_probe_spec(as_bytes(std::string(2 << 20, ' '))).error().code, Code::kTooLarge);
  EXPECT_FALSE(parse_probe_spec(as_bytes("[]")).ok());
  EXPECT_FALSE(parse_probe_spec({}).ok());
}

}  // namespace
}  // namespace lineside::runtime

// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/sbom.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace lineside::runtime {
namespace {

Inventory small() {
  Inventory out;
  out.pythons = {{11, "3.11.2", "runtime/bin/python3.11"}};
  out.packages = {
      {"ONNX_Runtime", "1.20.1+cpu", "runtime/a.dist-info", {"numpy>=1.21.6", "gone"}, "", {}},
      {"numpy", "1.26.4", "runtime/b.dist-info", {}, "", {}}};
  out.models = {{"models/vad.onnx", "onnx", 3, sha256(as_bytes("vad")), OnnxFacts{8, "", "", {}}}};
  return out;
}

TEST(Sbom, ListsWhatIsInTheBundle) {
  nlohmann::json bom =
      cyclonedx(small(), {"line7-vision", "4.3.0", *parse_utc("2026-11-22T20:00:00Z")});
  EXPECT_EQ(bom["bomFormat"], "CycloneDX");
  EXPECT_EQ(bom["specVersion"], "1.5");
  EXPECT_EQ(bom["metadata"]["component"]["version"], "4.3.0");
  ASSERT_EQ(bom["components"].size(), 4U);
  EXPECT_EQ(bom["components"][1]["purl"], "pkg:pypi/onnx-runtime@1.20.1%2Bcpu");
  EXPECT_EQ(bom["components"][3]["hashes"][0]["content"], sha256(as_bytes("vad")).hex());
}

TEST(Sbom, DependsOnlyOnWhatIsThere) {
  nlohmann::json bom = cyclonedx(small(), {"b", "1", {}});
  EXPECT_EQ(bom["dependencies"][0]["dependsOn"],
            nlohmann::json::array({"pkg:pypi/numpy@1.26.4#runtime/b.dist-info"}));
}

TEST(Sbom, TheSameBundleHasTheSameSerialNumber) {
  auto one = cyclonedx(small(), {"b", "1", {}});
  EXPECT_EQ(one, cyclonedx(small(), {"b", "1", {}}));
  EXPECT_NE(one["serialNumber"], cyclonedx(small(), {"b", "2", {}})["serialNumber"]);
  EXPECT_EQ(one["serialNumber"].get<std::string>().size(), 45U);
}

}  // namespace
}  // namespace lineside::runtime

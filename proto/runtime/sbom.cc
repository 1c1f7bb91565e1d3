// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/sbom.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "proto/runtime/pep503.h"
#include "proto/runtime/pep508.h"

namespace lineside::runtime {
namespace {

using Json = nlohmann::json;

// Package URL specification, percent-encoding: what is not unreserved is encoded.
std::string encoded(std::string_view text) {
  static constexpr std::string_view kPlain = "-._~";
  std::string out;
  for (char c : text) {
    bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                 kPlain.find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string purl(const Package& package) {
  return "pkg:pypi/" + encoded(normalize_name(package.name)) + "@" + encoded(package.version);
}

// Two copies of one version are two components: their places tell them apart.
std::string reference(const Package& package) {
  return purl(package) + "#" + package.place;
}

Json component(const Package& package) {
  return {{"type", "library"},
          {"bom-ref", reference(package)},
          {"name", package.name},
          {"version", package.version},
          {"purl", purl(package)},
          {"properties", {{{"name", "lineside:path"}, {"value", package.place}}}}};
}

Json component(const ModelFile& model) {
  Json out = {{"type", "machine-learning-model"},
              {"bom-ref", "model:" + model.path},
              {"name", model.path},
              {"hashes", {{{"alg", "SHA-256"}, {"content", model.sha256.hex()}}}},
              {"properties", {{{"name", "lineside:format"}, {"value", model.format}}}}};
  if (model.onnx) {
    out["properties"].push_back(
        {{"name", "lineside:onnx-ir"}, {"value", std::to_string(model.onnx->ir_version)}});
  }
  return out;
}

Json component(const PythonRuntime& python) {
  return {{"type", "platform"},
          {"bom-ref", fmt::format("python:{}:{}", python.version, python.where)},
          {"name", "python"},
          {"version", python.version}};
}

Json dependencies(const Inventory& inventory) {
  std::map<std::string, std::set<std::string>> by_name;
  for (const Package& package : inventory.packages) {
    by_name[normalize_name(package.name)].insert(reference(package));
  }
  std::string python = inventory.pythons.empty() ? "3.11" : inventory.pythons.front().version;
  auto arch = inventory.provides.find("__arch");
  Environment environment =
      linux_environment(python, arch == inventory.provides.end() ? "" : arch->second);
  Json out = Json::array();
  for (const Package& package : inventory.packages) {
    std::set<std::string> on;
    for (const std::string& line : package.requires_dist) {
      auto requirement = Requirement::parse(line);
      if (!requirement.ok()) continue;
      auto applies = requirement->applies(environment);
      if (!applies.ok() || !*applies) continue;
      on.merge(std::set(by_name[normalize_name(requirement->name)]));
    }
    out.push_back({{"ref", reference(package)}, {"dependsOn", on}});
  }
  return out;
}

// RFC 4122 layout, the bits of a name-based UUID made from a digest.
std::string serial_number(const Json& content) {
  Digest digest = sha256(as_bytes(content.dump(-1, ' ', false, Json::error_handler_t::replace)));
  digest.bytes[6] = static_cast<std::uint8_t>((digest.bytes[6] & 0x0f) | 0x80);
  digest.bytes[8] = static_cast<std::uint8_t>((digest.bytes[8] & 0x3f) | 0x80);
  std::string hex = digest.hex();
  return fmt::format("urn:uuid:{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4),
                     hex.substr(12, 4), hex.substr(16, 4), hex.substr(20, 12));
}

}  // namespace

Json cyclonedx(const Inventory& inventory, const SbomSubject& subject) {
  Json components = Json::array();
  for (const PythonRuntime& python : inventory.pythons) components.push_back(component(python));
  for (const Package& package : inventory.packages) components.push_back(component(package));
  for (const ModelFile& model : inventory.models) components.push_back(component(model));
  Json out = {{"bomFormat", "CycloneDX"},
              {"specVersion", "1.5"},
              {"version", 1},
              {"metadata",
               {{"timestamp", format_utc(subject.made)},
                {"component",
                 {{"type", "firmware"},
                  {"bom-ref", "bundle"},
                  {"name", subject.name},
                  {"version", subject.version}}}}},
              {"components", std::move(components)},
              {"dependencies", dependencies(inventory)}};
  out["serialNumber"] = serial_number(out);
  return out;
}

}  // namespace lineside::runtime

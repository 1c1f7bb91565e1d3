// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "proto/runtime/inventory.h"

namespace lineside::runtime {
namespace {

using Json = nlohmann::json;

Json package_json(const Package& package) {
  Json tags = Json::array();
  for (const WheelTag& tag : package.tags) tags.push_back(tag.str());
  return {{"name", package.name},
          {"version", package.version},
          {"place", package.place},
          {"requires", package.requires_dist},
          {"requires_python", package.requires_python},
          {"tags", tags}};
}

Json model_json(const ModelFile& model) {
  Json out = {{"path", model.path},
              {"format", model.format},
              {"size", model.size},
              {"sha256", model.sha256.hex()}};
  if (model.onnx) {
    out["ir"] = model.onnx->ir_version;
    out["opset"] = model.onnx->opsets;
    out["producer"] = model.onnx->producer_name;
    out["producer_version"] = model.onnx->producer_version;
  }
  return out;
}

Package read_package(const Json& json) {
  Package out;
  json.at("name").get_to(out.name);
  json.at("version").get_to(out.version);
  json.at("place").get_to(out.place);
  json.at("requires").get_to(out.requires_dist);
  json.at("requires_python").get_to(out.requires_python);
  for (const Json& tag : json.at("tags")) {
    for (WheelTag& one : parse_wheel_tags("Tag: " + tag.get<std::string>())) {
      out.tags.push_back(std::move(one));
    }
  }
  return out;
}

Result<ModelFile> read_model(const Json& json) {
  ModelFile out;
  json.at("path").get_to(out.path);
  json.at("format").get_to(out.format);
  json.at("size").get_to(out.size);
  TRY_ASSIGN(out.sha256, Digest::parse(json.at("sha256").get<std::string>()));
  if (json.contains("ir")) {
    out.onnx.emplace();
    json.at("ir").get_to(out.onnx->ir_version);
    json.at("opset").get_to(out.onnx->opsets);
    json.at("producer").get_to(out.onnx->producer_name);
    json.at("producer_version").get_to(out.onnx->producer_version);
  }
  return out;
}

Result<Inventory> read(const Json& json) {
  Inventory out;
  for (const Json& python : json.at("python")) {
    TRY_ASSIGN(PythonRuntime runtime, declared_python(python.at("version").get<std::string>()));
    python.at("where").get_to(runtime.where);
    out.pythons.push_back(std::move(runtime));
  }
  for (const Json& package : json.at("packages")) out.packages.push_back(read_package(package));
  for (const Json& model : json.at("models")) {
    TRY_ASSIGN(ModelFile file, read_model(model));
    out.models.push_back(std::move(file));
  }
  json.at("provides").get_to(out.provides);
  json.at("rootfs").get_to(out.has_rootfs);
  return out;
}

}  // namespace

Json inventory_json(const Inventory& inventory) {
  Json pythons = Json::array();
  for (const PythonRuntime& python : inventory.pythons) {
    pythons.push_back(
        {{"version", python.version}, {"abi", python.abi()}, {"where", python.where}});
  }
  Json packages = Json::array();
  for (const Package& package : inventory.packages) packages.push_back(package_json(package));
  Json models = Json::array();
  for (const ModelFile& model : inventory.models) models.push_back(model_json(model));
  return {{"python", pythons},
          {"packages", packages},
          {"models", models},
          {"provides", inventory.provides},
          {"rootfs", inventory.has_rootfs}};
}

Result<Inventory> parse_inventory(const Json& json) {
  try {
    return read(json);
  } catch (const Json::exception& bad) {
    return Error{Code::kMalformed, fmt::format("inventory: {}", bad.what())};
  }
}

}  // namespace lineside::runtime

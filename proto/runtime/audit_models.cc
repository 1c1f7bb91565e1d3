// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "proto/runtime/audit_context.h"
#include "proto/runtime/pep503.h"

namespace lineside::runtime {
namespace {

void check_model(const AuditContext& context, const ModelFile& model, std::vector<Finding>& out) {
  for (const auto& [name, packages] : context.visible) {
    if (name != "onnxruntime" && !name.starts_with("onnxruntime-")) continue;
    for (const Package* package : packages) {
      auto version = Version::parse(package->version);
      auto most = version.ok() ? onnxruntime_max_ir(*version) : std::nullopt;
      if (!most || model.onnx->ir_version <= *most) continue;
      Finding finding;
      finding.rule = "model-ir";
      finding.subject = model.path;
      finding.fact_a = fmt::format("{} has ONNX IR version {}", model.path, model.onnx->ir_version);
      finding.fact_b = fmt::format("{} loads at most {}", described(*package), *most);
      finding.message = finding.fact_a + ", " + finding.fact_b;
      finding.advice = "export the model for an older IR version, or take a newer onnxruntime";
      out.push_back(std::move(finding));
    }
  }
}

Facts collect(const AuditContext& context) {
  Facts out;
  for (const auto& [name, packages] : context.visible) {
    for (const Package* package : packages) out.emplace(name, package->version);
  }
  if (context.python) out.emplace("python", context.python->version);
  for (const auto& [name, value] : context.provides) out.emplace(name, value);
  for (const ModelFile& model : context.inventory.models) {
    if (!model.onnx) continue;
    out.emplace("model.onnx.ir", std::to_string(model.onnx->ir_version));
    for (const auto& [domain, version] : model.onnx->opsets) {
      if (domain == "ai.onnx") out.emplace("model.onnx.opset", std::to_string(version));
    }
  }
  return out;
}

}  // namespace

void model_findings(const AuditContext& context, std::vector<Finding>& out) {
  for (const ModelFile& model : context.inventory.models) {
    if (model.onnx) check_model(context, model, out);
  }
}

void matrix_findings(const AuditContext& context, std::vector<Finding>& out) {
  Facts facts = collect(context);
  for (const MatrixRule& rule : context.options.matrix) {
    for (const Breach& breach : breaches(rule, facts)) {
      Finding finding;
      finding.rule = rule.id;
      finding.subject = rule.id;
      finding.fact_a = fmt::format("{} asks for {}", breach.cause, breach.wanted);
      finding.fact_b = breach.found;
      finding.message =
          fmt::format("{}: {}, the bundle holds {}", rule.id, finding.fact_a, finding.fact_b);
      if (!rule.reason.empty()) finding.message += " (" + rule.reason + ")";
      out.push_back(std::move(finding));
    }
  }
}

}  // namespace lineside::runtime

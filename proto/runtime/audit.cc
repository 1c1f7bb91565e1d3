// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "proto/runtime/audit_context.h"

namespace lineside::runtime {
namespace {

// The heaviest first; a matrix rule's id is not in the list and stands where "" does.
constexpr std::array<std::string_view, 15> kWeights = {"dep-version",
                                                       "dep-missing",
                                                       "python-abi",
                                                       "requires-python",
                                                       "elf-machine",
                                                       "elf-version",
                                                       "cpu-level",
                                                       "elf-needed",
                                                       "model-ir",
                                                       "",
                                                       "dist-duplicate",
                                                       "record-mismatch",
                                                       "record-missing-file",
                                                       "unreadable",
                                                       "python-unknown"};

std::size_t weight(const Finding& finding) {
  const auto* found = std::find(kWeights.begin(), kWeights.end(), finding.rule);
  if (found == kWeights.end()) found = std::find(kWeights.begin(), kWeights.end(), "");
  return static_cast<std::size_t>(found - kWeights.begin());
}

void apply_waivers(const AuditOptions& options, Finding& finding) {
  for (const Waiver& waiver : options.waivers) {
    if (waiver.rule != finding.rule || waiver.subject != finding.subject) continue;
    finding.waiver = waiver;
    if (options.now < waiver.until) {
      finding.severity = Severity::kWaived;
      return;  // any that is in force will do
    }
  }
  if (finding.waiver) {
    finding.message += fmt::format(" (the waiver by {} ran out on {})", finding.waiver->by,
                                   format_utc(finding.waiver->until));
  }
}

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kWaived:
      return "waived";
  }
  return "error";
}

}  // namespace

Result<std::vector<Finding>> audit(const Inventory& inventory, const AuditOptions& options) {
  TRY_ASSIGN(AuditContext context, make_context(inventory, options));
  std::vector<Finding> out;
  package_findings(context, out);
  python_findings(context, out);
  native_findings(context, out);
  model_findings(context, out);
  matrix_findings(context, out);
  file_findings(context, out);
  for (Finding& finding : out) apply_waivers(options, finding);
  std::stable_sort(out.begin(), out.end(), [](const Finding& a, const Finding& b) {
    return std::pair(a.severity, weight(a)) < std::pair(b.severity, weight(b));
  });
  return out;
}

bool passes(const std::vector<Finding>& findings) {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& one) { return one.severity == Severity::kError; });
}

std::string line_of(const Finding& finding) {
  if (finding.severity != Severity::kWaived) {
    return fmt::format("{}: {}", severity_name(finding.severity), finding.message);
  }
  return fmt::format("waived (by {} until {}: {}): {}", finding.waiver->by,
                     format_utc(finding.waiver->until), finding.waiver->reason, finding.message);
}

nlohmann::json finding_json(const Finding& finding) {
  nlohmann::json out = {{"rule", finding.rule},       {"severity", severity_name(finding.severity)},
                        {"subject", finding.subject}, {"message", finding.message},
                        {"required", finding.fact_a}, {"found", finding.fact_b}};
  if (!finding.advice.empty()) out["advice"] = finding.advice;
  if (finding.waiver) {
    out["waiver"] = {{"by", finding.waiver->by},
                     {"until", format_utc(finding.waiver->until)},
                     {"reason", finding.waiver->reason}};
  }
  return out;
}

}  // namespace lineside::runtime

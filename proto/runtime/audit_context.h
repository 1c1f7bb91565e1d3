// SPDX-License-Identifier: Apache-2.0
// What the groups of audit rules share. Private to the audit.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proto/runtime/audit.h"
#include "proto/runtime/pep508.h"

namespace lineside::runtime {

struct AuditContext {
  const Inventory& inventory;
  const AuditOptions& options;
  std::optional<PythonRuntime> python;
  std::map<std::string, std::string, std::less<>> provides;  // measured, then the device's
  Environment environment;
  // The packages that the runtime's Python imports, by normalised name: those below runtime/, and
  // the firmware's where the runtime has no copy.
  std::map<std::string, std::vector<const Package*>, std::less<>> visible;
  std::vector<const Package*> audited;

  [[nodiscard]] std::string provided(std::string_view name) const {
    auto found = provides.find(name);
    return found == provides.end() ? std::string() : found->second;
  }
};

inline std::string described(const Package& package) {
  return package.name + " " + package.version;
}

Result<AuditContext> make_context(const Inventory& inventory, const AuditOptions& options);

void package_findings(const AuditContext& context, std::vector<Finding>& out);
void python_findings(const AuditContext& context, std::vector<Finding>& out);
void native_findings(const AuditContext& context, std::vector<Finding>& out);
void model_findings(const AuditContext& context, std::vector<Finding>& out);
void matrix_findings(const AuditContext& context, std::vector<Finding>& out);
void file_findings(const AuditContext& context, std::vector<Finding>& out);

}  // namespace lineside::runtime

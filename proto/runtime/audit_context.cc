// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/audit_context.h"

#include <fmt/format.h>

#include <algorithm>

#include "proto/runtime/pep503.h"

namespace lineside::runtime {
namespace {

bool in_runtime(const Package& package) {
  return package.place.starts_with("runtime/");
}

// No interpreter in the tree: ".../lib/python3.11/site-packages" says which one it is meant for,
// and so do the names of compiled modules.
std::optional<PythonRuntime> inferred_python(const Inventory& inventory) {
  std::map<int, int> votes;
  for (const Package& package : inventory.packages) {
    static constexpr std::string_view kMark = "/lib/python3.";
    std::size_t at = package.place.find(kMark);
    if (at == std::string::npos) continue;
    std::string digits = package.place.substr(at + kMark.size(), 2);
    if (digits.ends_with('/')) digits.pop_back();
    if (auto python = declared_python("3." + digits); python.ok()) votes[python->minor] += 1000;
  }
  for (const std::string& path : inventory.extensions) ++votes[*extension_minor(path)];
  auto most = std::max_element(votes.begin(), votes.end(),
                               [](auto& a, auto& b) { return a.second < b.second; });
  if (most == votes.end()) return std::nullopt;
  return PythonRuntime{most->first, fmt::format("3.{}", most->first), "inferred from its packages"};
}

void choose_packages(AuditContext& context) {
  const auto& all = context.inventory.packages;
  bool any_runtime = std::any_of(all.begin(), all.end(), in_runtime);
  for (const Package& package : all) {
    if (any_runtime && !in_runtime(package)) continue;
    context.audited.push_back(&package);
    context.visible[normalize_name(package.name)].push_back(&package);
  }
  std::map<std::string, std::vector<const Package*>, std::less<>> below;
  for (const Package& package : all) {
    if (any_runtime && !in_runtime(package))
      below[normalize_name(package.name)].push_back(&package);
  }
  context.visible.merge(below);  // the runtime's own copies win
}

}  // namespace

Result<AuditContext> make_context(const Inventory& inventory, const AuditOptions& options) {
  AuditContext out{inventory, options, std::nullopt, inventory.provides, {}, {}, {}};
  if (!options.python.empty()) {
    auto declared = declared_python(options.python);
    if (!declared.ok()) return Error{Code::kUsage, declared.error().what};
    out.python = std::move(*declared);
  } else if (!inventory.pythons.empty()) {
    out.python = inventory.pythons.front();
  } else {
    out.python = inferred_python(inventory);
  }
  for (const auto& [name, value] : options.device) {
    if (name == "__arch" && !inventory.has_rootfs) out.provides[name] = value;
    out.provides.emplace(name, value);
  }
  choose_packages(out);
  out.environment =
      linux_environment(out.python ? out.python->version : "3.11", out.provided("__arch"));
  return out;
}

}  // namespace lineside::runtime

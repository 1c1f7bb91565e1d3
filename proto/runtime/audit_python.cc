// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "proto/runtime/audit_context.h"
#include "proto/runtime/pep503.h"

namespace lineside::runtime {
namespace {

std::string described(const PythonRuntime& python) {
  return fmt::format("Python {} ({})", python.version, python.abi());
}

// A runtime of which only "3.11" is known may be any 3.11.x.
bool python_fits(const SpecifierSet& range, const PythonRuntime& python) {
  std::vector<std::string> candidates = {python.version};
  if (std::count(python.version.begin(), python.version.end(), '.') == 1) {
    candidates.push_back(python.version + ".999");
  }
  return std::any_of(candidates.begin(), candidates.end(), [&](const std::string& text) {
    auto version = Version::parse(text);
    return version.ok() && range.contains(*version);
  });
}

Finding against_python(std::string_view rule, std::string subject, std::string required,
                       const PythonRuntime& python) {
  Finding out;
  out.rule = rule;
  out.subject = std::move(subject);
  out.fact_a = std::move(required);
  out.fact_b = described(python);
  out.message = fmt::format("{}, the runtime is {}", out.fact_a, out.fact_b);
  return out;
}

void check_requires_python(const Package& package, const PythonRuntime& python,
                           std::vector<Finding>& out) {
  if (package.requires_python.empty()) return;
  auto range = SpecifierSet::parse(package.requires_python);
  if (!range.ok() || python_fits(*range, python)) return;
  out.push_back(against_python(
      "requires-python", normalize_name(package.name),
      fmt::format("{} requires Python {}", described(package), package.requires_python), python));
}

void check_tags(const AuditContext& context, const Package& package, std::vector<Finding>& out) {
  if (package.tags.empty()) return;
  std::string machine = context.provided("__arch");
  bool fits = std::any_of(package.tags.begin(), package.tags.end(), [&](const WheelTag& tag) {
    return tag_fits(tag, context.python->minor, machine);
  });
  if (fits) return;
  out.push_back(against_python(
      "python-abi", normalize_name(package.name),
      fmt::format("{} is built for {}", described(package), package.tags.front().str()),
      *context.python));
  if (!machine.empty()) out.back().message += " on " + machine;
}

// "…/numpy/core/_umath.cpython-39-x86_64-linux-gnu.so" -> "…/numpy", by the folder of its package.
std::string import_package(const AuditContext& context, const std::string& path) {
  std::string_view best;
  for (const Package* package : context.audited) {
    std::string_view root = folder_of(package->place);
    if (root.size() > best.size() && path.starts_with(std::string(root) + "/")) best = root;
  }
  std::size_t start = best.empty() ? 0 : best.size() + 1;
  return path.substr(0, path.find('/', start));
}

// Some distributions install modules for several Pythons side by side: one that fits is enough.
bool has_fitting_sibling(const std::set<std::string, std::less<>>& all, const std::string& path,
                         int minor) {
  std::size_t mark = path.rfind(".cpython-");
  std::string sibling = path.substr(0, mark) + fmt::format(".cpython-3{}", minor);
  auto found = all.lower_bound(sibling);
  return found != all.end() && found->starts_with(sibling);
}

void check_extensions(const AuditContext& context, std::vector<Finding>& out) {
  const auto& extensions = context.inventory.extensions;
  std::set<std::string, std::less<>> all(extensions.begin(), extensions.end());
  std::map<std::string, std::vector<std::string>> wrong;
  for (const std::string& path : all) {
    if (extension_minor(path) == context.python->minor) continue;
    if (has_fitting_sibling(all, path, context.python->minor)) continue;
    wrong[import_package(context, path)].push_back(path);
  }
  for (const auto& [package, paths] : wrong) {
    std::string others = paths.size() > 1 ? fmt::format(" and {} more", paths.size() - 1) : "";
    out.push_back(against_python(
        "python-abi", package,
        fmt::format("{}{} for cp3{}", paths.front(), others, *extension_minor(paths.front())),
        *context.python));
    out.back().advice = "Python does not see modules with another version in their name";
  }
}

}  // namespace

void python_findings(const AuditContext& context, std::vector<Finding>& out) {
  if (!context.python) {
    if (context.audited.empty()) return;
    Finding finding;
    finding.rule = "python-unknown";
    finding.severity = Severity::kWarning;
    finding.subject = "python";
    finding.message = "the tree shows no Python; markers are read as for Python 3.11";
    finding.advice = "declare the Python that will import these packages";
    return out.push_back(std::move(finding));
  }
  for (const Package* package : context.audited) {
    check_requires_python(*package, *context.python, out);
    check_tags(context, *package, out);
  }
  check_extensions(context, out);
}

}  // namespace lineside::runtime

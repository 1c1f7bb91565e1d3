// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "proto/runtime/audit_context.h"
#include "proto/runtime/pep503.h"

namespace lineside::runtime {
namespace {

// "numpy>=1.20", however it was written.
std::string compact(const Requirement& requirement) {
  std::string out = requirement.name;
  for (char c : requirement.specifiers.str()) {
    if (c != ' ' && c != '\t') out += c;
  }
  if (!requirement.url.empty()) out += " @ " + requirement.url;
  return out;
}

Finding cannot_compare(const Package& package, const std::string& why) {
  Finding out;
  out.rule = "unreadable";
  out.severity = Severity::kWarning;
  out.subject = normalize_name(package.name);
  out.message = fmt::format("{}: {}", described(package), why);
  return out;
}

Finding unmet(const Package& package, const Requirement& requirement, const Package* found) {
  Finding out;
  out.rule = found ? "dep-version" : "dep-missing";
  out.subject = normalize_name(package.name) + "->" + normalize_name(requirement.name);
  out.fact_a = fmt::format("{} requires {}", described(package), compact(requirement));
  out.fact_b = found ? described(*found) : "no " + requirement.name;
  out.message = fmt::format("{}, the bundle holds {}", out.fact_a, out.fact_b);
  out.advice = found ? fmt::format("install {} in the runtime, or a {} that takes {}",
                                   compact(requirement), package.name, out.fact_b)
                     : fmt::format("install {} in the runtime", compact(requirement));
  return out;
}

void check_requirement(const AuditContext& context, const Package& package, const std::string& line,
                       std::vector<Finding>& out) {
  auto requirement = Requirement::parse(line);
  if (!requirement.ok()) return out.push_back(cannot_compare(package, requirement.error().what));
  auto applies = requirement->applies(context.environment);
  if (!applies.ok()) return out.push_back(cannot_compare(package, applies.error().what));
  if (!*applies) return;
  auto found = context.visible.find(normalize_name(requirement->name));
  if (found == context.visible.end()) return out.push_back(unmet(package, *requirement, nullptr));
  if (requirement->specifiers.clauses().empty()) return;
  for (const Package* other : found->second) {
    auto version = Version::parse(other->version);
    if (!version.ok()) {
      out.push_back(cannot_compare(*other, version.error().what));
    } else if (!requirement->specifiers.contains(*version, other->version)) {
      out.push_back(unmet(package, *requirement, other));
    }
  }
}

void check_duplicates(const AuditContext& context, std::vector<Finding>& out) {
  std::map<std::string, std::vector<const Package*>> by_name;
  for (const Package* package : context.audited) {
    by_name[normalize_name(package->name)].push_back(package);
  }
  for (const auto& [name, copies] : by_name) {
    auto other =
        std::find_if(copies.begin(), copies.end(), [&copies = copies](const Package* copy) {
          return copy->version != copies.front()->version;
        });
    if (other == copies.end()) continue;
    Finding finding;
    finding.rule = "dist-duplicate";
    finding.subject = name;
    finding.fact_a = fmt::format("{} in {}", described(*copies.front()), copies.front()->place);
    finding.fact_b = fmt::format("{} in {}", described(**other), (*other)->place);
    finding.message =
        fmt::format("two versions of {}: {}, and {}", name, finding.fact_a, finding.fact_b);
    finding.advice = "remove one: which of them is imported depends on the search path";
    out.push_back(std::move(finding));
  }
}

// A few files are named one by one; more of them are one mistake, a package installed over another.
void changed_files(const std::string& package, const std::vector<std::string>& paths,
                   std::vector<Finding>& out) {
  constexpr std::size_t kNamed = 3;
  bool many = paths.size() > kNamed;
  for (const std::string& path : paths) {
    Finding finding;
    finding.rule = "record-mismatch";
    finding.subject = many ? normalize_name(package) : path;
    finding.fact_a = package + "'s RECORD";
    finding.fact_b = path;
    finding.message =
        many ? fmt::format(
                   "{} files are not those that {} installed (its RECORD has other hashes), first "
                   "{}",
                   paths.size(), package, path)
             : fmt::format("{} is not the file that {} installed (its RECORD has another hash)",
                           path, package);
    out.push_back(std::move(finding));
    if (many) return;
  }
}

}  // namespace

void package_findings(const AuditContext& context, std::vector<Finding>& out) {
  for (const Package* package : context.audited) {
    for (const std::string& line : package->requires_dist) {
      check_requirement(context, *package, line, out);
    }
  }
  check_duplicates(context, out);
}

void file_findings(const AuditContext& context, std::vector<Finding>& out) {
  std::map<std::string, std::vector<std::string>> changed;
  std::map<std::string, std::vector<std::string>> code_gone;
  std::map<std::string, std::vector<std::string>> others_gone;
  for (const RecordProblem& problem : context.inventory.record_problems) {
    if (problem.kind == RecordProblem::Kind::kMissing) {
      bool code = problem.path.ends_with(".py") || problem.path.find(".so") != std::string::npos;
      (code ? code_gone : others_gone)[problem.package].push_back(problem.path);
      continue;
    }
    changed[problem.package].push_back(problem.path);
  }
  for (const auto& [package, paths] : changed) changed_files(package, paths, out);
  auto gone = [&](const auto& packages, Severity severity) {
    for (const auto& [package, paths] : packages) {
      Finding finding;
      finding.rule = "record-missing-file";
      finding.severity = severity;
      finding.subject = normalize_name(package);
      finding.fact_a = package + "'s RECORD";
      finding.fact_b = paths.front();
      finding.message = fmt::format("{} file(s) that {} installed are gone, first {}", paths.size(),
                                    package, paths.front());
      out.push_back(std::move(finding));
    }
  };
  gone(code_gone, Severity::kError);
  gone(others_gone, Severity::kWarning);  // tests and headers are left out to save space
  for (const std::string& unread : context.inventory.unread) {
    Finding finding;
    finding.rule = "unreadable";
    finding.severity = unread.starts_with("models/") ? Severity::kError : Severity::kWarning;
    finding.subject = unread.substr(0, unread.find(": "));
    finding.message = unread;
    out.push_back(std::move(finding));
  }
}

}  // namespace lineside::runtime

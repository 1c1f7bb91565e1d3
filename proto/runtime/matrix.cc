// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "proto/runtime/pep503.h"
#include "proto/runtime/python_text.h"

namespace lineside::runtime {
namespace {

bool is_name(char c) {
  return is_alnum(c) || c == '_' || c == '-' || c == '.';
}

// "__cpu >= x86-64-v2" compares the number.
std::string plain_level(std::string_view name, std::string_view text) {
  static constexpr std::string_view kPrefix = "x86-64-v";
  std::string out(text);
  if (name != "__cpu") return out;
  for (std::size_t at = out.find(kPrefix); at != std::string::npos; at = out.find(kPrefix)) {
    out.erase(at, kPrefix.size());
  }
  if (out == "x86-64") out = "1";
  return out;
}

// "== x86_64": an equality of what is no version. Empty for any other range.
std::string_view equality(std::string_view range, bool& equal) {
  equal = range.starts_with("==");
  if (!equal && !range.starts_with("!=")) return {};
  return trim_space(range.substr(2));
}

// The values that fit a term, as "name value".
std::vector<std::string> fitting(const Term& term, const Facts& facts, bool wanted) {
  std::vector<std::string> out;
  auto [begin, end] = facts.equal_range(term.name);
  for (auto it = begin; it != end; ++it) {
    if (value_fits(term, it->second) == wanted) out.push_back(it->first + " " + it->second);
  }
  return out;
}

// True if every term fits some value; `why` names one for each.
bool all_hold(const std::vector<Term>& terms, const Facts& facts, std::string& why) {
  for (const Term& term : terms) {
    std::vector<std::string> found = fitting(term, facts, true);
    if (found.empty()) return false;
    why += (why.empty() ? "" : " and ") + found.front();
  }
  return true;
}

Result<std::vector<Term>> optional_terms(const std::string& text) {
  if (text.empty()) return std::vector<Term>{};
  return parse_terms(text);
}

Result<MatrixRule> read_rule(Config& config, const std::string& key) {
  if (!config.has(key + "id")) return Error{Code::kMalformed, "'id' expected"};
  if (!config.has(key + "when")) return Error{Code::kMalformed, "'when' expected"};
  MatrixRule out;
  out.id = config.text(key + "id");
  std::string when = config.text(key + "when");
  std::string require = config.text(key + "require", "");
  std::string forbid = config.text(key + "forbid", "");
  out.reason = config.text(key + "reason", "");
  TRY_ASSIGN(out.when, optional_terms(when));
  TRY_ASSIGN(out.require, optional_terms(require));
  TRY_ASSIGN(out.forbid, optional_terms(forbid));
  if (out.require.empty() && out.forbid.empty()) {
    return Error{Code::kMalformed, "'require' or 'forbid' expected"};
  }
  return out;
}

}  // namespace

Result<Term> parse_term(std::string_view text) {
  text = trim_space(text);
  auto end = std::find_if_not(text.begin(), text.end(), is_name);
  auto length = static_cast<std::size_t>(end - text.begin());
  Term out{std::string(text.substr(0, length)), std::string(trim_space(text.substr(length))),
           std::string(text)};
  if (out.name.empty()) {
    return Error{Code::kMalformed, fmt::format("'{}': a name and a range expected", text)};
  }
  if (!out.name.starts_with("__") && !out.name.starts_with("model.")) {
    out.name = normalize_name(out.name);
  }
  bool equal = false;
  if (!SpecifierSet::parse(plain_level(out.name, out.range)).ok() &&
      equality(out.range, equal).empty()) {
    return Error{Code::kMalformed, fmt::format("'{}': a range such as '>= 1.21' expected", text)};
  }
  return out;
}

Result<std::vector<Term>> parse_terms(std::string_view text) {
  static constexpr std::string_view kAnd = " and ";
  std::vector<Term> out;
  for (bool last = false; !last;) {
    std::size_t end = text.find(kAnd);
    last = end == std::string_view::npos;
    TRY_ASSIGN(Term term, parse_term(text.substr(0, end)));
    out.push_back(std::move(term));
    if (!last) text.remove_prefix(end + kAnd.size());
  }
  return out;
}

bool value_fits(const Term& term, std::string_view value) {
  auto range = SpecifierSet::parse(plain_level(term.name, term.range));
  auto version = Version::parse(plain_level(term.name, value));
  if (range.ok() && range->clauses().empty()) return true;
  if (range.ok() && version.ok()) return range->contains(*version);
  bool equal = false;
  std::string_view wanted = equality(term.range, equal);
  return !wanted.empty() && (wanted == value) == equal;
}

Result<std::vector<MatrixRule>> read_matrix(Config& config) {
  std::vector<MatrixRule> out;
  std::set<std::string> ids;
  for (std::size_t i = 0; i < config.count("rule"); ++i) {
    auto rule = read_rule(config, fmt::format("rule.{}.", i));
    if (!rule.ok()) {
      return Error{Code::kUsage, fmt::format("matrix rule {}: {}", i + 1, rule.error().what)};
    }
    if (!ids.insert(rule->id).second) {
      return Error{Code::kUsage, fmt::format("matrix rule '{}' is there twice", rule->id)};
    }
    out.push_back(std::move(*rule));
  }
  return out;
}

std::vector<Breach> breaches(const MatrixRule& rule, const Facts& facts) {
  std::vector<Breach> out;
  std::string cause;
  if (!all_hold(rule.when, facts, cause)) return out;
  for (const Term& term : rule.require) {
    if (!facts.contains(term.name)) out.push_back({term.text, "no " + term.name, cause});
    for (const std::string& found : fitting(term, facts, false)) {
      out.push_back({term.text, found, cause});
    }
  }
  std::string forbidden;
  if (!rule.forbid.empty() && all_hold(rule.forbid, facts, forbidden)) {
    std::string terms;
    for (const Term& term : rule.forbid) terms += (terms.empty() ? "" : " and ") + term.text;
    out.push_back({"not " + terms, forbidden, cause});
  }
  return out;
}

}  // namespace lineside::runtime

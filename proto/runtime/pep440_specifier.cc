// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "proto/runtime/pep440.h"
#include "proto/runtime/python_text.h"

namespace lineside::runtime {
namespace {

constexpr std::array<std::pair<std::string_view, SpecifierOp>, 8> kOperators = {
    {{"===", SpecifierOp::kArbitrary},  // before "==": the longest wins
     {"~=", SpecifierOp::kCompatible},
     {"==", SpecifierOp::kEqual},
     {"!=", SpecifierOp::kNotEqual},
     {"<=", SpecifierOp::kLessEqual},
     {">=", SpecifierOp::kGreaterEqual},
     {"<", SpecifierOp::kLess},
     {">", SpecifierOp::kGreater}}};

// Same epoch, and the first `count` release numbers agree, the shorter one padded with zeros.
bool same_prefix(const Version& a, const Version& b, std::size_t count) {
  if (a.epoch != b.epoch) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (a.part(i) != b.part(i)) return false;
  }
  return true;
}

bool same_release(const Version& a, const Version& b) {
  return same_prefix(a, b, std::max(a.release.size(), b.release.size()));
}

bool same_public(const Version& a, const Version& b) {
  return same_release(a, b) && a.pre == b.pre && a.post == b.post && a.dev == b.dev;
}

// ">V" leaves out V's local versions, and its post-releases unless V is one.
bool greater(const Version& candidate, const Version& than) {
  if (candidate <= than) return false;
  if (than.dev || than.post) return !same_public(candidate, than);
  return !(same_release(candidate, than) && candidate.pre == than.pre);
}

// "<V" leaves out V's pre-releases unless V is one.
bool less(const Version& candidate, const Version& than) {
  if (than.is_prerelease()) return candidate < than;
  Version first = than;
  first.dev = Number();
  first.local.clear();
  return candidate < first;
}

bool equal(const Specifier& spec, const Version& candidate) {
  if (spec.prefix) return same_prefix(candidate, spec.version, spec.version.release.size());
  if (spec.version.local.empty()) return same_public(candidate, spec.version);
  return candidate == spec.version;
}

// Python's str.lower() as far as it can turn something into ASCII: the Kelvin sign is the one such
// letter outside ASCII.
std::string python_lower(std::string_view text) {
  static constexpr std::string_view kKelvin = "\xE2\x84\xAA";
  std::string out = lowered(text);
  for (std::size_t at = out.find(kKelvin); at != std::string::npos; at = out.find(kKelvin)) {
    out.replace(at, kKelvin.size(), "k");
  }
  return out;
}

std::string_view arbitrary_part(std::string_view text) {
  return trim_space(text.substr(3));
}

// "===" alone, which compares with nothing, is refused by packaging from 26.4 on.
bool valid_arbitrary(std::string_view text) {
  if (text.empty()) return false;
  while (!text.empty()) {
    if (leading_space(text) != 0 || text.front() == ';' || text.front() == ')') return false;
    text.remove_prefix(1);
  }
  return true;
}

// What the version part may be, operator by operator.
bool allowed(SpecifierOp op, const Version& version, bool prefix) {
  bool equality = op == SpecifierOp::kEqual || op == SpecifierOp::kNotEqual;
  if (!equality && (prefix || !version.local.empty())) return false;
  if (prefix && (version.is_prerelease() || version.post || !version.local.empty())) return false;
  return op != SpecifierOp::kCompatible || version.release.size() >= 2;
}

}  // namespace

Result<Specifier> Specifier::parse(std::string_view input) {
  std::string_view text = trim_space(input);
  Error bad{Code::kMalformed, fmt::format("'{}' is not a version specifier (PEP 440)", input)};
  const auto* found = std::find_if(kOperators.begin(), kOperators.end(),
                                   [&](const auto& row) { return text.starts_with(row.first); });
  if (found == kOperators.end()) return bad;
  Specifier out{.op = found->second, .version = {}, .prefix = false, .text = std::string(text)};
  std::string_view rest = trim_space(text.substr(found->first.size()));
  if (out.op == SpecifierOp::kArbitrary) {
    if (!valid_arbitrary(rest)) return bad;
    return out;
  }
  if (rest.ends_with(".*")) {
    out.prefix = true;
    rest.remove_suffix(2);
    if (trim_space(rest) != rest) return bad;
  }
  auto version = Version::parse(rest);
  if (!version.ok() || !allowed(out.op, *version, out.prefix)) return bad;
  out.version = std::move(*version);
  return out;
}

bool Specifier::contains(const Version& candidate, std::string_view spelling) const {
  switch (op) {
    case SpecifierOp::kCompatible:
      return candidate >= version && same_prefix(candidate, version, version.release.size() - 1);
    case SpecifierOp::kEqual:
      return equal(*this, candidate);
    case SpecifierOp::kNotEqual:
      return !equal(*this, candidate);
    case SpecifierOp::kLessEqual:
      return candidate <= version || same_public(candidate, version);
    case SpecifierOp::kGreaterEqual:
      return candidate >= version;
    case SpecifierOp::kLess:
      return less(candidate, version);
    case SpecifierOp::kGreater:
      return greater(candidate, version);
    case SpecifierOp::kArbitrary:
      return python_lower(spelling) == python_lower(arbitrary_part(text));
  }
  return false;
}

Result<SpecifierSet> SpecifierSet::parse(std::string_view text) {
  SpecifierSet out;
  while (!text.empty()) {
    std::size_t comma = std::min(text.find(','), text.size());
    std::string_view clause = trim_space(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (clause.empty()) continue;
    TRY_ASSIGN(Specifier parsed, Specifier::parse(clause));
    out.clauses_.push_back(std::move(parsed));
  }
  return out;
}

bool SpecifierSet::contains(const Version& candidate, std::string_view spelling) const {
  return std::all_of(clauses_.begin(), clauses_.end(),
                     [&](const Specifier& clause) { return clause.contains(candidate, spelling); });
}

std::string SpecifierSet::str() const {
  std::string out;
  for (const Specifier& clause : clauses_) out += (out.empty() ? "" : ",") + clause.text;
  return out;
}

std::string_view pep440_line(std::string_view line) {
  std::size_t tab = line.find('\t');
  if (tab == std::string_view::npos) return "invalid";
  auto specifiers = SpecifierSet::parse(line.substr(0, tab));
  std::string_view spelling = line.substr(tab + 1);
  auto version = Version::parse(spelling);
  if (!specifiers.ok() || !version.ok()) return "invalid";
  return specifiers->contains(*version, spelling) ? "true" : "false";
}

}  // namespace lineside::runtime

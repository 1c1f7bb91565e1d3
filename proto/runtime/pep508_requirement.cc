// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "proto/runtime/pep503.h"
#include "proto/runtime/pep508.h"
#include "proto/runtime/python_text.h"

namespace lineside::runtime {
namespace {

constexpr std::size_t kMaxLine = 16 * 1024;

std::string_view take(std::string_view& rest, std::size_t n) {
  std::string_view out = rest.substr(0, n);
  rest.remove_prefix(std::min(n, rest.size()));
  return out;
}

// "[a, b]" at the front of `rest`, if it is there.
Result<std::vector<std::string>> take_extras(std::string_view& rest) {
  std::vector<std::string> out;
  if (!rest.starts_with('[')) return out;
  std::size_t end = rest.find(']');
  if (end == std::string_view::npos) return Error{Code::kMalformed, "']' expected after extras"};
  std::string_view list = trim_space(rest.substr(1, end - 1));
  take(rest, end + 1);
  rest = trim_space(rest);
  while (!list.empty()) {
    std::size_t comma = list.find(',');
    std::string_view extra = trim_space(list.substr(0, comma));
    if (!valid_name(extra)) return Error{Code::kMalformed, "names expected between '[' and ']'"};
    out.emplace_back(extra);
    if (comma == std::string_view::npos) break;
    list = list.substr(comma + 1);
    if (list.empty()) return Error{Code::kMalformed, "a name expected after ','"};
  }
  return out;
}

Result<SpecifierSet> take_specifiers(std::string_view& rest) {
  if (!rest.starts_with('(')) {
    return SpecifierSet::parse(take(rest, std::min(rest.find(';'), rest.size())));
  }
  std::size_t end = rest.find(')');
  if (end == std::string_view::npos) return Error{Code::kMalformed, "')' expected"};
  std::string_view inside = take(rest, end + 1).substr(1, end - 1);
  return SpecifierSet::parse(inside);
}

Result<void> parse_tail(Requirement& out, std::string_view rest) {
  TRY_ASSIGN(out.extras, take_extras(rest));
  if (rest.starts_with('@')) {
    rest = trim_space(rest.substr(1));
    out.url = take(rest, std::min(rest.find_first_of(" \t"), rest.size()));
    if (out.url.empty()) return Error{Code::kMalformed, "an address expected after '@'"};
  } else {
    TRY_ASSIGN(out.specifiers, take_specifiers(rest));
  }
  rest = trim_space(rest);
  if (rest.empty()) return ok();
  if (rest.front() != ';') return Error{Code::kMalformed, "';' or the end expected"};
  TRY_ASSIGN(out.marker, Marker::parse(rest.substr(1)));
  return ok();
}

}  // namespace

Result<Requirement> Requirement::parse(std::string_view line) {
  if (line.size() > kMaxLine) return Error{Code::kTooLarge, "requirement: more than 16 KiB"};
  Requirement out;
  std::string_view rest = trim_space(line);
  out.text = rest;
  auto end = std::find_if_not(rest.begin(), rest.end(), [](char c) {
    return is_alnum(c) || c == '-' || c == '_' || c == '.';
  });
  out.name = take(rest, static_cast<std::size_t>(end - rest.begin()));
  auto parsed = valid_name(out.name)
                    ? parse_tail(out, trim_space(rest))
                    : Result<void>(Error{Code::kMalformed, "the name of a distribution expected"});
  if (!parsed.ok()) return parsed.error().with(fmt::format("requirement '{}'", out.text));
  return out;
}

Result<bool> Requirement::applies(const Environment& environment) const {
  if (!marker) return true;
  return marker->holds(environment);
}

}  // namespace lineside::runtime

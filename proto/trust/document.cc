// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proto/trust/json.h"
#include "proto/trust/utf8.h"

namespace lineside::trust {
namespace {

constexpr std::size_t kMaxName = 64;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kExpectedName = "expected a name [a-z0-9][a-z0-9._-]{0,63}";
constexpr std::string_view kExpectedLabel =
    "expected 1 to 256 bytes of text without control characters";

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}
bool is_default_label(std::string_view text) {
  return is_label(text);
}

std::string item(std::string_view member, std::size_t index) {
  return fmt::format("{}[{}]", member, index);
}

// Asked before anything is built from the items: a document of some megabytes can have a million.
bool has_at_most(Fields& fields, std::string_view member, std::size_t max) {
  if (fields.raw(member).size() <= max) return true;
  fields.fail(member, fmt::format("expected at most {} items", max));
  return false;
}

std::vector<std::string> checked_list(Fields& fields, std::string_view member, std::size_t max,
                                      bool (*valid)(std::string_view), std::string_view expected) {
  if (!has_at_most(fields, member, max)) return {};
  std::vector<std::string> texts = fields.texts(member);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!valid(texts[i])) fields.fail(item(member, i), expected);
  }
  return texts;
}

}  // namespace

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > kMaxName) return false;
  if (!is_lower(text[0]) && !is_digit(text[0])) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_lower(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
  });
}

bool is_version(std::string_view text) {
  auto alphanumeric = [](char c) { return is_lower(c) || is_upper(c) || is_digit(c); };
  if (text.empty() || text.size() > kMaxName || !alphanumeric(text[0])) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return alphanumeric(c) || c == '.' || c == '+' || c == '~' || c == '-';
  });
}

bool is_label(std::string_view text, std::size_t max) {
  return !text.empty() && text.size() <= max && std::none_of(text.begin(), text.end(), is_control);
}

bool is_manifest_name(std::string_view text) {
  constexpr std::string_view kSuffix = ".json";
  std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || !text.ends_with(kSuffix)) return false;
  std::string_view version = text.substr(slash + 1);
  version.remove_suffix(std::min(version.size(), kSuffix.size()));
  return is_name(text.substr(0, slash)) && is_version(version);
}

std::string clean_text(std::string_view text, std::size_t max) {
  std::string out;
  while (!text.empty()) {
    std::size_t length = utf8_length(text);
    std::string_view next = length == 0 ? kReplacement : text.substr(0, length);
    if (length == 1 && is_control(next[0])) next = " ";
    if (out.size() + next.size() > max) break;
    out += next;
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string checked_text(Fields& fields, std::string_view member, bool (*valid)(std::string_view),
                         std::string_view expected) {
  std::string text = fields.text(member);
  if (!valid(text)) fields.fail(member, expected);
  return text;
}

std::string name_text(Fields& fields, std::string_view member) {
  return checked_text(fields, member, is_name, kExpectedName);
}

std::string label_text(Fields& fields, std::string_view member) {
  return checked_text(fields, member, is_default_label, kExpectedLabel);
}

std::string prose_text(Fields& fields, std::string_view member) {
  std::string text = fields.text(member);
  if (!text.empty() && !is_label(text, kMaxProseBytes)) {
    fields.fail(member, fmt::format("expected at most {} bytes of text without control characters",
                                    kMaxProseBytes));
  }
  return text;
}

std::vector<std::string> name_list(Fields& fields, std::string_view member, std::size_t max) {
  return checked_list(fields, member, max, is_name, kExpectedName);
}

std::vector<std::string> label_list(Fields& fields, std::string_view member, std::size_t max) {
  return checked_list(fields, member, max, is_default_label, kExpectedLabel);
}

std::vector<std::string> sorted_names(Fields& fields, std::string_view member, std::size_t max) {
  std::vector<std::string> names = name_list(fields, member, max);
  auto bad = std::adjacent_find(names.begin(), names.end(), std::greater_equal<>());
  if (bad != names.end()) {
    auto index = static_cast<std::size_t>(bad - names.begin()) + 1;
    fields.fail(item(member, index), "expected names in ascending order, none twice");
  }
  return names;
}

std::map<std::string, std::string> label_map(Fields& fields, std::string_view member,
                                             std::size_t max, EmptyValues empty) {
  if (!has_at_most(fields, member, max)) return {};
  std::map<std::string, std::string> map = fields.text_map(member);
  for (const auto& [key, value] : map) {
    bool good = is_label(value) || (value.empty() && empty == EmptyValues::kAllowed);
    if (!is_label(key) || !good) fields.fail(member, kExpectedLabel);
  }
  return map;
}

std::map<std::string, std::int64_t> number_map(Fields& fields, std::string_view member,
                                               std::size_t max) {
  if (!has_at_most(fields, member, max)) return {};
  std::map<std::string, std::int64_t> map = fields.integer_map(member);
  for (const auto& [key, value] : map) {
    if (!is_label(key)) fields.fail(member, kExpectedLabel);
  }
  return map;
}

std::vector<Fields> bounded_list(Fields& fields, std::string_view member, std::size_t max) {
  if (!has_at_most(fields, member, max)) return {};
  return fields.list(member);
}

std::uint64_t size_number(Fields& fields, std::string_view member) {
  return static_cast<std::uint64_t>(fields.integer(member, 0, kMaxInteger));
}

Result<nlohmann::json> parse_document(BytesView bytes, std::string_view name,
                                      std::uint64_t max_bytes) {
  JsonLimits limits;
  limits.max_bytes = max_bytes;
  TRY_ASSIGN(nlohmann::json tree, parse_json(bytes, name, limits));
  Fields fields(tree, std::string(name), UnknownMembers::kAllowed);
  std::int64_t schema = fields.integer("schema", 0, kMaxInteger);
  TRY(fields.finish());
  if (schema != kSchema) {
    return Error{Code::kUnsupported, fmt::format("{}.schema: {} is not known, this build reads {}",
                                                 name, schema, kSchema)};
  }
  return tree;
}

Bytes document_bytes(const nlohmann::json& tree) {
  using nlohmann::json;
  return to_bytes(tree.dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace lineside::trust

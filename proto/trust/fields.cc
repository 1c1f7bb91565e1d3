// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/fields.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace lineside::trust {

using nlohmann::json;

struct Fields::Node {
  const json* object = nullptr;
  std::string path;
  UnknownMembers unknown = UnknownMembers::kRefused;
  std::shared_ptr<std::optional<Error>> error;  // one for the whole document
  std::set<std::string, std::less<>> known;
  std::vector<std::shared_ptr<Node>> children;

  [[nodiscard]] Result<void> finish() const {
    if (unknown == UnknownMembers::kRefused) {
      for (const auto& [name, value] : object->items()) {
        if (!known.contains(name)) {
          return Error{Code::kMalformed, path + "." + name.substr(0, 80) + ": unknown member"};
        }
      }
    }
    for (const auto& child : children) TRY(child->finish());
    return ok();
  }
};

namespace {

const json& empty_object() {
  static const json value = json::object();
  return value;
}
const json& null_value() {
  static const json value;
  return value;
}

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

Fields::Fields(const json& object, std::string name, UnknownMembers unknown)
    : node_(std::make_shared<Node>()) {
  node_->object = object.is_object() ? &object : &empty_object();
  node_->path = std::move(name);
  node_->unknown = unknown;
  node_->error = std::make_shared<std::optional<Error>>();
  if (!object.is_object()) fail_path(node_->path, "expected an object");
}

Fields::Fields(std::shared_ptr<Node> node) : node_(std::move(node)) {}

Fields Fields::child(const json& value, std::string path) {
  auto node = std::make_shared<Node>();
  node->object = value.is_object() ? &value : &empty_object();
  node->path = std::move(path);
  node->unknown = node_->unknown;
  node->error = node_->error;
  if (!value.is_object()) fail_path(node->path, "expected an object");
  node_->children.push_back(node);
  return Fields(std::move(node));
}

const json* Fields::member(std::string_view name, bool required) {
  node_->known.emplace(name);
  auto found = node_->object->find(std::string(name));
  if (found != node_->object->end()) return &*found;
  if (required) fail(name, "missing");
  return nullptr;
}

void Fields::fail_path(const std::string& path, std::string_view expected) {
  if (!node_->error->has_value()) {
    *node_->error = Error{Code::kMalformed, path + ": " + std::string(expected)};
  }
}

void Fields::fail(std::string_view name, std::string_view expected) {
  fail_path(node_->path + "." + std::string(name), expected);
}

void Fields::ignore(std::string_view name) {
  node_->known.emplace(name);
}

const std::string& Fields::path() const {
  return node_->path;
}

bool Fields::has(std::string_view name) const {
  return node_->object->contains(name);
}

Result<void> Fields::finish() const {
  if (node_->error->has_value()) return **node_->error;
  return node_->finish();
}

// --- members that may be absent

std::optional<std::string> Fields::optional_text(std::string_view name) {
  const json* value = member(name, false);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  fail(name, "expected a string");
  return std::nullopt;
}

std::optional<std::int64_t> Fields::optional_integer(std::string_view name, std::int64_t min,
                                                     std::int64_t max) {
  const json* value = member(name, false);
  if (value == nullptr) return std::nullopt;
  if (value->is_number_integer()) {
    bool too_big = value->is_number_unsigned() &&
                   value->get<std::uint64_t>() > static_cast<std::uint64_t>(kMaxInteger);
    std::int64_t number = too_big ? 0 : value->get<std::int64_t>();
    if (!too_big && number >= min && number <= max) return number;
  }
  fail(name, "expected an integer from " + std::to_string(min) + " to " + std::to_string(max));
  return std::nullopt;
}

std::optional<bool> Fields::optional_boolean(std::string_view name) {
  const json* value = member(name, false);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  fail(name, "expected true or false");
  return std::nullopt;
}

std::optional<Digest> Fields::optional_digest(std::string_view name) {
  auto hex = optional_text(name);
  if (!hex) return std::nullopt;
  auto digest = Digest::parse(*hex);
  if (digest.ok() && is_lower_hex(*hex)) return *digest;
  fail(name, "expected 64 lower-case hexadecimal digits");
  return std::nullopt;
}

std::optional<UtcTime> Fields::optional_utc(std::string_view name) {
  auto text = optional_text(name);
  if (!text) return std::nullopt;
  auto time = parse_utc(*text);
  if (time.ok()) return *time;
  fail(name, "expected a time as 2026-11-22T19:13:23Z");
  return std::nullopt;
}

std::optional<Fields> Fields::optional_object(std::string_view name) {
  const json* value = member(name, false);
  if (value == nullptr) return std::nullopt;
  return child(*value, node_->path + "." + std::string(name));
}

// --- members that must be there: the same, after noting that an absent one is an error

std::string Fields::text(std::string_view name) {
  member(name, true);
  return optional_text(name).value_or("");
}

std::int64_t Fields::integer(std::string_view name, std::int64_t min, std::int64_t max) {
  member(name, true);
  return optional_integer(name, min, max).value_or(0);
}

bool Fields::boolean(std::string_view name) {
  member(name, true);
  return optional_boolean(name).value_or(false);
}

Digest Fields::digest(std::string_view name) {
  member(name, true);
  return optional_digest(name).value_or(Digest{});
}

UtcTime Fields::utc(std::string_view name) {
  member(name, true);
  return optional_utc(name).value_or(UtcTime{});
}

const json& Fields::raw(std::string_view name) {
  const json* value = member(name, true);
  return value == nullptr ? null_value() : *value;
}

Fields Fields::object(std::string_view name) {
  const json* value = member(name, true);
  return child(value == nullptr ? empty_object() : *value, node_->path + "." + std::string(name));
}

std::vector<std::string> Fields::texts(std::string_view name) {
  std::vector<std::string> out;
  const json* value = member(name, true);
  if (value == nullptr) return out;
  if (!value->is_array()) {
    fail(name, "expected an array of strings");
    return out;
  }
  for (std::size_t i = 0; i < value->size(); ++i) {
    if ((*value)[i].is_string()) {
      out.push_back((*value)[i].get<std::string>());
    } else {
      fail(std::string(name) + "[" + std::to_string(i) + "]", "expected a string");
    }
  }
  return out;
}

std::vector<Fields> Fields::list(std::string_view name) {
  std::vector<Fields> out;
  const json* value = member(name, true);
  if (value == nullptr) return out;
  if (!value->is_array()) {
    fail(name, "expected an array of objects");
    return out;
  }
  out.reserve(value->size());
  for (std::size_t i = 0; i < value->size(); ++i) {
    out.push_back(
        child((*value)[i], node_->path + "." + std::string(name) + "[" + std::to_string(i) + "]"));
  }
  return out;
}

// --- objects used as dictionaries

std::map<std::string, std::string> Fields::text_map(std::string_view name) {
  Fields dictionary = object(name);
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : dictionary.node_->object->items()) {
    out.emplace(key, dictionary.text(key));
  }
  return out;
}

std::map<std::string, std::int64_t> Fields::integer_map(std::string_view name) {
  Fields dictionary = object(name);
  std::map<std::string, std::int64_t> out;
  for (const auto& [key, value] : dictionary.node_->object->items()) {
    out.emplace(key,
                dictionary.integer(key, std::numeric_limits<std::int64_t>::min(), kMaxInteger));
  }
  return out;
}

std::map<std::string, Fields> Fields::object_map(std::string_view name) {
  Fields dictionary = object(name);
  std::map<std::string, Fields> out;
  for (const auto& [key, value] : dictionary.node_->object->items()) {
    out.emplace(key, dictionary.object(key));
  }
  return out;
}

}  // namespace lineside::trust

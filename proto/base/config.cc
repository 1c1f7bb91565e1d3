// SPDX-License-Identifier: Apache-2.0
#include "proto/base/config.h"

#include <fmt/format.h>

#include <charconv>
#include <set>
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace lineside {

struct Config::State {
  toml::table root;
  std::string name;
  std::set<std::string, std::less<>> known;
  std::optional<Error> first;

  void fail(const toml::node* node, std::string_view key, std::string_view expected) {
    if (first) return;
    std::string place = name;
    if (node != nullptr) place += fmt::format(":{}", node->source().begin.line);
    first = Error{Code::kUsage, fmt::format("{}: '{}' {}", place, key, expected)};
  }

  const toml::node* at(std::string_view key) const {
    const toml::node* node = &root;
    while (!key.empty()) {
      std::size_t dot = key.find('.');
      std::string_view part = key.substr(0, dot);
      key = dot == std::string_view::npos ? "" : key.substr(dot + 1);
      if (const auto* table = node->as_table()) {
        node = table->get(part);
      } else if (const auto* array = node->as_array()) {
        std::size_t index = 0;
        auto [end, bad] = std::from_chars(part.data(), part.data() + part.size(), index);
        node = bad == std::errc() && end == part.data() + part.size() ? array->get(index) : nullptr;
      } else {
        node = nullptr;
      }
      if (node == nullptr) return nullptr;
    }
    return node;
  }

  const toml::node* ask(std::string_view key) {
    known.emplace(key);
    return first ? nullptr : at(key);
  }

  void refuse_unknown(const toml::node& node, const std::string& key) {
    if (known.contains(key)) return;
    if (const auto* table = node.as_table()) {
      for (const auto& [name_of, child] : *table) {
        refuse_unknown(child, key.empty() ? std::string(name_of.str())
                                          : key + "." + std::string(name_of.str()));
      }
    } else if (const auto* array = node.as_array();
               array != nullptr && array->is_array_of_tables()) {
      for (std::size_t i = 0; i < array->size(); ++i) {
        refuse_unknown(*array->get(i), fmt::format("{}.{}", key, i));
      }
    } else {
      fail(&node, key, "is not a setting that is known here");
    }
  }
};

namespace {

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (bad != std::errc() || number < 0 || number > 1'000'000'000) return std::nullopt;
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit == "s" || unit.empty()) return std::chrono::seconds(number);
  if (unit == "m") return std::chrono::minutes(number);
  if (unit == "h") return std::chrono::hours(number);
  if (unit == "d") return std::chrono::days(number);
  return std::nullopt;
}

}  // namespace

Config::Config(std::unique_ptr<State> state) : state_(std::move(state)) {}
Config::~Config() = default;
Config::Config(Config&&) noexcept = default;
Config& Config::operator=(Config&&) noexcept = default;

Result<Config> Config::load(const Disk& disk, const Path& path) {
  constexpr std::uint64_t kMaxBytes = 1 << 20;
  TRY_ASSIGN(Bytes data, disk.read(path, kMaxBytes));
  return parse(as_text(data), path.string());
}

Result<Config> Config::parse(std::string_view text, std::string name) {
  toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& bad = parsed.error();
    return Error{Code::kUsage,
                 fmt::format("{}:{}: {}", name, bad.source().begin.line, bad.description())};
  }
  auto state = std::make_unique<State>();
  state->root = std::move(parsed).table();
  state->name = std::move(name);
  return Config(std::move(state));
}

bool Config::has(std::string_view key) const {
  return state_->at(key) != nullptr;
}

std::string Config::text(std::string_view key) {
  if (!state_->first && !has(key)) state_->fail(nullptr, key, "is missing: a text is expected");
  return text(key, "");
}

std::string Config::text(std::string_view key, std::string_view fallback) {
  const toml::node* node = state_->ask(key);
  if (node == nullptr) return std::string(fallback);
  if (const auto* value = node->as_string()) return value->get();
  state_->fail(node, key, "must be a text in quotes");
  return std::string(fallback);
}

std::int64_t Config::integer(std::string_view key, std::int64_t fallback, std::int64_t min,
                             std::int64_t max) {
  const toml::node* node = state_->ask(key);
  if (node == nullptr) return fallback;
  const auto* value = node->as_integer();
  if (value != nullptr && value->get() >= min && value->get() <= max) return value->get();
  state_->fail(node, key, fmt::format("must be a whole number from {} to {}", min, max));
  return fallback;
}

bool Config::boolean(std::string_view key, bool fallback) {
  const toml::node* node = state_->ask(key);
  if (node == nullptr) return fallback;
  if (const auto* value = node->as_boolean()) return value->get();
  state_->fail(node, key, "must be true or false");
  return fallback;
}

std::vector<std::string> Config::texts(std::string_view key) {
  const toml::node* node = state_->ask(key);
  std::vector<std::string> values;
  if (node == nullptr) return values;
  const auto* array = node->as_array();
  bool good = array != nullptr;
  if (good) {
    for (const toml::node& item : *array) {
      const auto* value = item.as_string();
      good = good && value != nullptr;
      if (value != nullptr) values.push_back(value->get());
    }
  }
  if (!good) state_->fail(node, key, "must be a list of texts in quotes");
  return values;
}

std::vector<std::pair<std::string, std::string>> Config::table(std::string_view key) {
  const toml::node* node = state_->ask(key);
  std::vector<std::pair<std::string, std::string>> values;
  if (node == nullptr) return values;
  const auto* table = node->as_table();
  if (table == nullptr) {
    state_->fail(node, key, "must be a table of texts");
    return values;
  }
  for (const auto& [name, child] : *table) {
    if (const auto* value = child.as_string()) {
      values.emplace_back(std::string(name.str()), value->get());
    } else {
      state_->fail(&child, fmt::format("{}.{}", key, name.str()), "must be a text in quotes");
    }
  }
  return values;
}

std::size_t Config::count(std::string_view key) {
  if (state_->first) return 0;
  const toml::node* node = state_->at(key);
  if (node == nullptr) return 0;
  const auto* array = node->as_array();
  if (array != nullptr && array->is_array_of_tables()) return array->size();
  state_->fail(node, key, "must be a list of tables");
  return 0;
}

std::chrono::seconds Config::duration(std::string_view key, std::chrono::seconds fallback) {
  const toml::node* node = state_->ask(key);
  if (node == nullptr) return fallback;
  std::optional<std::chrono::seconds> value;
  if (const auto* text_value = node->as_string()) value = parse_duration(text_value->get());
  if (const auto* number = node->as_integer(); number != nullptr && number->get() >= 0) {
    value = std::chrono::seconds(number->get());
  }
  if (value) return *value;
  state_->fail(node, key, "must be a time like \"90s\", \"15m\", \"12h\" or \"7d\"");
  return fallback;
}

Path Config::path(std::string_view key) {
  Path value = text(key);
  return value.empty() ? value : Path(state_->name).parent_path() / value;
}

Path Config::path(std::string_view key, std::string_view fallback) {
  Path value = text(key, fallback);
  return value.empty() ? value : Path(state_->name).parent_path() / value;
}

void Config::refuse(std::string_view key, std::string_view expected) {
  state_->fail(state_->at(key), key, expected);
}

Result<void> Config::finish() const {
  if (!state_->first) state_->refuse_unknown(state_->root, "");
  if (state_->first) return *state_->first;
  return ok();
}

}  // namespace lineside

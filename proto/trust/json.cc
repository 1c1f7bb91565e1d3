// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

namespace lineside::trust {
namespace {

using nlohmann::json;

// Walks the input and counts what the parser has taken, so that an error of ours can say where.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* taken) : at_(at), taken_(taken) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*taken_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator old = *this;
    ++*this;
    return old;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  std::size_t* taken_;
};

// Builds the tree from the parser's events and refuses what JSON allows but we do not. A callback
// that returns false ends the parsing.
class StrictBuilder {
 public:
  StrictBuilder(unsigned max_depth, const std::size_t& taken)
      : max_depth_(max_depth), taken_(taken) {}

  bool null() { return add(nullptr) != nullptr; }
  bool boolean(bool value) { return add(value) != nullptr; }
  bool number_integer(std::int64_t value) { return add(value) != nullptr; }
  bool number_unsigned(std::uint64_t value) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return fail(Code::kMalformed, "an integer outside 64 bits");
    }
    return add(static_cast<std::int64_t>(value)) != nullptr;
  }
  bool number_float(double /*value*/, const std::string& text) {
    return fail(Code::kMalformed,
                fmt::format("the number {}, which is no integer of 64 bits", text.substr(0, 40)));
  }
  bool string(std::string& value) { return add(std::move(value)) != nullptr; }
  bool binary(json::binary_t& /*value*/) { return fail(Code::kMalformed, "a binary value"); }

  bool start_object(std::size_t /*unknown*/) { return open(json::object()); }
  bool end_object() { return close(); }
  bool start_array(std::size_t /*unknown*/) { return open(json::array()); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    if (open_.back()->contains(name)) {
      return fail(Code::kMalformed, fmt::format("the member \"{}\" twice", name.substr(0, 80)));
    }
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string& last,
                   const json::exception& /*error*/) {
    bool end = last.empty() || last == "<end of input>";
    error_ = Error{Code::kMalformed,
                   end ? fmt::format("byte {}: the JSON text is cut off or empty", position)
                       : fmt::format("byte {}: not JSON", position)};
    return false;
  }

  json take() { return std::move(root_); }
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  json* add(json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    json& slot = parent[key_];
    slot = std::move(value);
    return &slot;
  }
  bool open(json container) {
    if (open_.size() >= max_depth_) {
      return fail(Code::kTooLarge, fmt::format("nested deeper than {}", max_depth_));
    }
    open_.push_back(add(std::move(container)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  bool fail(Code code, std::string_view found) {
    error_ = Error{code, fmt::format("byte {}: {}", taken_, found)};
    return false;
  }

  unsigned max_depth_;
  const std::size_t& taken_;
  json root_;
  std::vector<json*> open_;  // the containers that are not closed; each is within the one before
  std::string key_;
  Error error_;
};

void append_string(std::string_view text, Bytes& out) {
  out.push_back('"');
  for (char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(static_cast<std::uint8_t>(c));
  }
  out.push_back('"');
}

void append_text(std::string_view text, Bytes& out) {
  out.insert(out.end(), text.begin(), text.end());
}

Result<void> append_value(const json& value, Bytes& out);

Result<void> append_object(const json& object, Bytes& out) {
  std::vector<std::string_view> names;
  names.reserve(object.size());
  for (const auto& [name, member] : object.items()) names.emplace_back(name);
  // string_view compares as unsigned bytes, which for UTF-8 is the order of code points.
  std::sort(names.begin(), names.end());
  out.push_back('{');
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out.push_back(',');
    append_string(names[i], out);
    out.push_back(':');
    TRY(append_value(object.at(std::string(names[i])), out));
  }
  out.push_back('}');
  return ok();
}

Result<void> append_array(const json& array, Bytes& out) {
  out.push_back('[');
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (i > 0) out.push_back(',');
    TRY(append_value(array[i], out));
  }
  out.push_back(']');
  return ok();
}

Result<void> append_value(const json& value, Bytes& out) {
  switch (value.type()) {
    case json::value_t::object:
      return append_object(value, out);
    case json::value_t::array:
      return append_array(value, out);
    case json::value_t::string:
      append_string(value.get_ref<const std::string&>(), out);
      return ok();
    case json::value_t::boolean:
      append_text(value.get<bool>() ? "true" : "false", out);
      return ok();
    case json::value_t::number_integer:
      append_text(fmt::format("{}", value.get<std::int64_t>()), out);
      return ok();
    case json::value_t::number_unsigned:
      append_text(fmt::format("{}", value.get<std::uint64_t>()), out);
      return ok();
    case json::value_t::null:
      append_text("null", out);
      return ok();
    default:
      return Error{Code::kMalformed, "canonical JSON has only integers as numbers"};
  }
}

}  // namespace

Result<nlohmann::json> parse_json(BytesView text, std::string_view name, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return Error{Code::kTooLarge, fmt::format("{}: {} bytes, at most {} are allowed", name,
                                              text.size(), limits.max_bytes)};
  }
  std::string_view view = as_text(text);
  // The parser takes a NUL for the end of the input and would not see what stands behind it; it
  // also skips a byte order mark, which RFC 8259 section 8.1 forbids.
  if (auto nul = view.find('\0'); nul != std::string_view::npos) {
    return Error{Code::kMalformed, fmt::format("{}: byte {}: a NUL", name, nul)};
  }
  if (view.substr(0, 3) == "\xEF\xBB\xBF") {
    return Error{Code::kMalformed, fmt::format("{}: byte 0: a byte order mark", name)};
  }
  std::size_t taken = 0;
  StrictBuilder builder(limits.max_depth, taken);
  try {
    if (json::sax_parse(CountingIterator(view.data(), &taken),
                        CountingIterator(view.data() + view.size(), &taken), &builder)) {
      return builder.take();
    }
  } catch (const json::exception&) {
    return Error{Code::kMalformed, fmt::format("{}: byte {}: not JSON", name, taken)};
  }
  return builder.error().with(name);
}

Result<Bytes> canonical_json(const nlohmann::json& value) {
  Bytes out;
  TRY(append_value(value, out));
  return out;
}

}  // namespace lineside::trust

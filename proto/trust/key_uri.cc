// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/key_uri.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "proto/base/bytes.h"
#include "proto/trust/document.h"

namespace lineside::trust {
namespace {

constexpr std::string_view kScheme = "pkcs11:";
// RFC 7512 section 2.3.
constexpr std::string_view kPathNames[] = {"token",
                                           "manufacturer",
                                           "serial",
                                           "model",
                                           "library-manufacturer",
                                           "library-version",
                                           "library-description",
                                           "object",
                                           "type",
                                           "id",
                                           "slot-manufacturer",
                                           "slot-description",
                                           "slot-id"};
constexpr std::string_view kQueryNames[] = {"module-path", "pin-value", "pin-source"};

template <class Names>
bool is_one_of(const Names& names, std::string_view text) {
  return std::find(std::begin(names), std::end(names), text) != std::end(names);
}

Error bad(std::string_view what, std::string_view part) {
  return {Code::kUsage,
          fmt::format("key URI: {} \"{}\"; expected pkcs11:token=…;object=…[?module-path=…]", what,
                      clean_text(part, 60))};
}

Result<std::string> decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    Result<Bytes> byte = from_hex(text.substr(i + 1, 2));
    if (!byte.ok() || byte->size() != 1 || byte->front() == 0) return bad("broken %XX in", text);
    out += static_cast<char>(byte->front());
    i += 2;
  }
  return out;
}

std::string encode(std::string_view text) {
  std::string out;
  for (char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

// "name=value" pieces between separators, each name once.
template <class Names, class Take>
Result<void> read_attributes(std::string_view text, char separator, const Names& names, Take take) {
  std::set<std::string, std::less<>> seen;
  while (!text.empty()) {
    std::string_view piece = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(text.size(), piece.size() + 1));
    std::size_t equals = piece.find('=');
    std::string_view name = piece.substr(0, equals);
    if (equals == std::string_view::npos || !is_one_of(names, name)) {
      return bad("does not know", name);
    }
    if (!seen.emplace(name).second) return bad("twice", name);
    TRY_ASSIGN(std::string value, decode(piece.substr(equals + 1)));
    take(std::string(name), std::move(value));
  }
  return ok();
}

}  // namespace

bool is_key_uri(std::string_view text) {
  return text.starts_with(kScheme);
}

bool KeyUri::has_pin() const {
  return query.contains("pin-value") || query.contains("pin-source");
}

std::string KeyUri::text() const {
  std::string out = shown();
  char separator = '?';
  for (const auto& [name, value] : query) {
    out += separator + name + "=" + encode(value);
    separator = '&';
  }
  return out;
}

std::string KeyUri::token_text() const {
  KeyUri plain = *this;
  plain.query.erase("module-path");
  return plain.text();
}

Result<KeyUri> parse_key_uri(std::string_view text) {
  if (!is_key_uri(text) || text.size() > kMaxKeyUriBytes) return bad("is none:", text);
  text.remove_prefix(kScheme.size());
  KeyUri uri;
  std::size_t question = text.find('?');
  uri.path = text.substr(0, question);
  bool names_a_key = false;
  TRY(read_attributes(uri.path, ';', kPathNames, [&](const std::string& name, const std::string&) {
    names_a_key |= name == "object" || name == "id";
  }));
  if (!names_a_key) return bad("neither object nor id in", uri.path);
  if (question == std::string_view::npos) return uri;
  TRY(read_attributes(
      text.substr(question + 1), '&', kQueryNames,
      [&](const std::string& name, std::string value) { uri.query[name] = std::move(value); }));
  return uri;
}

}  // namespace lineside::trust

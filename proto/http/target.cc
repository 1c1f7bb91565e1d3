// SPDX-License-Identifier: Apache-2.0
#include "proto/http/target.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace lineside::http {
namespace {

constexpr std::size_t kMaxTarget = 8192;
constexpr std::size_t kMaxQueryKeys = 64;

Error malformed(std::string_view what, std::string_view input) {
  return {Code::kMalformed,
          std::string(what) + " in \"" + std::string(input.substr(0, 200)) + "\""};
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// Decodes one path segment or one side of a query pair.
Result<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      int high = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
      int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) return malformed("\"%\" without two hexadecimal digits", text);
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    } else if (c == ' ') {
      return malformed("an unencoded space", text);
    }
    if (c == '\0' || (is_control(c) && !plus_is_space)) {
      return malformed("a control character", text);
    }
    out += c;
  }
  return out;
}

Result<std::string> decode_path(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('/'), text.size());
    TRY_ASSIGN(std::string segment, decode(text.substr(0, end), false));
    if (segment == "." || segment == "..") return malformed("a dot segment", text);
    if (segment.find_first_of("/\\") != std::string::npos) {
      return malformed("a slash inside a segment", text);
    }
    if (!segment.empty()) out += '/' + segment;
    if (end == text.size()) return out;
    text.remove_prefix(end + 1);
  }
  return out + '/';
}

Result<std::map<std::string, std::string>> decode_query(std::string_view text) {
  std::map<std::string, std::string> query;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('&'), text.size());
    std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    std::size_t equals = std::min(pair.find('='), pair.size());
    TRY_ASSIGN(std::string key, decode(pair.substr(0, equals), true));
    TRY_ASSIGN(std::string value, decode(pair.substr(std::min(equals + 1, pair.size())), true));
    if (!query.emplace(key, std::move(value)).second) {
      return malformed("the key \"" + key + "\" twice", pair);
    }
    if (query.size() > kMaxQueryKeys) return Error{Code::kTooLarge, "more than 64 query keys"};
  }
  return query;
}

// Digits only, no sign, no overflow.
template <class T>
std::optional<T> number(std::string_view text) {
  T value = 0;
  if (text.empty() || hex_value(text[0]) < 0) return std::nullopt;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string host_port(const std::string& host, std::uint16_t port) {
  bool v6 = host.find(':') != std::string::npos;
  return (v6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

struct HostPort {
  std::string_view host;
  std::optional<std::string_view> port;
};

// Splits "host", "host:port", "[v6]" and "[v6]:port"; nullopt for anything else.
std::optional<HostPort> split_host(std::string_view text) {
  if (!text.empty() && text[0] == '[') {
    std::size_t close = text.find(']');
    if (close == std::string_view::npos || close < 2) return std::nullopt;
    std::string_view host = text.substr(1, close - 1);
    if (host.find_first_not_of("0123456789abcdefABCDEF:.") != host.npos) return std::nullopt;
    std::string_view rest = text.substr(close + 1);
    if (rest.empty()) return HostPort{host, std::nullopt};
    if (rest[0] != ':') return std::nullopt;
    return HostPort{host, rest.substr(1)};
  }
  std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return HostPort{text, std::nullopt};
  return HostPort{text.substr(0, colon), text.substr(colon + 1)};
}

bool starts_with_scheme(std::string_view text, std::string_view scheme) {
  return text.size() >= scheme.size() &&
         std::equal(scheme.begin(), scheme.end(), text.begin(), [](char a, char b) {
           return a == ((b >= 'A' && b <= 'Z') ? static_cast<char>(b + 32) : b);
         });
}

}  // namespace

Result<Target> parse_target(std::string_view text) {
  if (text.size() > kMaxTarget) return Error{Code::kTooLarge, "a request target over 8192 bytes"};
  if (starts_with_scheme(text, "http://") || starts_with_scheme(text, "https://")) {
    std::size_t slash = text.find_first_of("/?", text.find("//") + 2);
    text = slash == std::string_view::npos ? std::string_view("/") : text.substr(slash);
  }
  if (text.empty() || text[0] != '/') return malformed("no leading \"/\"", text);
  if (text.find('#') != std::string_view::npos) return malformed("a fragment", text);
  std::size_t mark = std::min(text.find('?'), text.size());
  Target target;
  TRY_ASSIGN(target.path, decode_path(text.substr(1, mark > 0 ? mark - 1 : 0)));
  TRY_ASSIGN(target.query, decode_query(text.substr(std::min(mark + 1, text.size()))));
  return target;
}

std::string encode_path(std::string_view path) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : path) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '-' || c == '.' || c == '_' || c == '~' || c == '/';
    if (plain) {
      out += c;
      continue;
    }
    auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string Url::authority() const {
  return host_port(host, port);
}

std::string Url::origin() const {
  return (tls ? "https://" : "http://") + authority();
}

Result<Url> parse_url(std::string_view text) {
  Url url;
  std::string_view rest = text;
  if (starts_with_scheme(text, "https://")) {
    url.tls = true;
    rest.remove_prefix(8);
  } else if (starts_with_scheme(text, "http://")) {
    rest.remove_prefix(7);
  } else {
    return malformed("neither http:// nor https://", text);
  }
  for (char c : text) {
    if (c == ' ' || is_control(c)) return malformed("a space or control character", text);
  }
  rest = rest.substr(0, rest.find('#'));
  std::size_t slash = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) {
    return Error{Code::kMalformed, "a URL with a user name or password"};  // not repeated: a secret
  }
  auto parts = split_host(authority);
  if (!parts || parts->host.empty()) return malformed("no host", text);
  url.host = parts->host;
  url.port = url.tls ? 443 : 80;
  if (parts->port) {
    auto port = number<std::uint16_t>(*parts->port);
    if (!port || *port == 0) return malformed("no port from 1 to 65535", text);
    url.port = *port;
  }
  url.target = rest.substr(slash);
  if (url.target.empty() || url.target[0] != '/') url.target.insert(0, "/");
  return url;
}

RangeChoice choose_range(std::string_view header, std::uint64_t size) {
  RangeChoice whole{RangeChoice::Kind::kWhole, 0, size};
  if (!starts_with_scheme(header, "bytes=")) return whole;
  header.remove_prefix(6);
  while (!header.empty() && header.front() == ' ') header.remove_prefix(1);
  while (!header.empty() && header.back() == ' ') header.remove_suffix(1);
  std::size_t dash = header.find('-');
  if (dash == std::string_view::npos) return whole;
  std::string_view first_text = header.substr(0, dash);
  std::string_view last_text = header.substr(dash + 1);
  auto first = number<std::uint64_t>(first_text);
  auto last = number<std::uint64_t>(last_text);
  if (first_text.empty()) {
    if (!last) return whole;
    if (*last == 0 || size == 0) return {RangeChoice::Kind::kUnsatisfiable, 0, 0};
    std::uint64_t length = std::min(*last, size);
    return {RangeChoice::Kind::kPart, size - length, length};
  }
  if (!first || (!last && !last_text.empty()) || (last && *last < *first)) return whole;
  if (*first >= size) return {RangeChoice::Kind::kUnsatisfiable, 0, 0};
  std::uint64_t end = last ? std::min(*last, size - 1) : size - 1;
  return {RangeChoice::Kind::kPart, *first, end - *first + 1};
}

Result<ContentRange> parse_content_range(std::string_view header) {
  std::string_view text = header;
  if (!starts_with_scheme(text, "bytes ")) return malformed("no \"bytes \"", header);
  text.remove_prefix(6);
  std::size_t dash = text.find('-');
  std::size_t slash = text.find('/');
  if (dash == text.npos || slash == text.npos || slash < dash) {
    return malformed("no FIRST-LAST/TOTAL", header);
  }
  auto first = number<std::uint64_t>(text.substr(0, dash));
  auto last = number<std::uint64_t>(text.substr(dash + 1, slash - dash - 1));
  if (!first || !last || *last < *first) return malformed("no FIRST-LAST", header);
  ContentRange range{*first, *last, std::nullopt};
  if (text.substr(slash + 1) == "*") return range;
  range.total = number<std::uint64_t>(text.substr(slash + 1));
  if (!range.total || *range.total <= *last) return malformed("no total beyond LAST", header);
  return range;
}

std::string Endpoint::text() const {
  return host_port(ip, port);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  auto parts = split_host(text);
  auto port = parts && parts->port ? number<std::uint16_t>(*parts->port) : std::nullopt;
  if (!parts || parts->host.empty() || !port) {
    return Error{Code::kUsage, "\"" + std::string(text) +
                                   "\" is no address: expected IP:PORT, e.g. 192.0.2.1:7443"};
  }
  return Endpoint{std::string(parts->host), *port};
}

}  // namespace lineside::http

// SPDX-License-Identifier: Apache-2.0
// The parsers of outside text that the server and the client share: request targets, URLs, ranges,
// listening addresses. Pure functions over text; they hold nothing and may be called from any
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/result.h"

namespace lineside::http {

// A request target (RFC 9112 section 3.2), decoded and safe to join to a folder.
struct Target {
  // Begins with "/"; percent-decoded; no empty, "." or ".." segment, no control character, no
  // backslash. A final "/" is kept, since "/api/" and "/api" may be different things.
  std::string path;
  // Decoded names and values ("+" is a space).
  std::map<std::string, std::string> query;
};

// Origin form ("/a?b=c") or absolute form ("http://host/a"), at most 8 KiB. Repeated slashes count
// as one. kMalformed for bad percent-encoding, an encoded "/" or NUL, dot segments, a query key
// given twice (which of the two counts would be a guess) or more than 64 keys; kTooLarge.
Result<Target> parse_target(std::string_view text);

// Percent-encodes every byte of a path outside RFC 3986's "unreserved" and "/".
std::string encode_path(std::string_view path);

struct Url {
  bool tls = false;        // https
  std::string host;        // a name, an IPv4 or (without brackets) an IPv6 address
  std::uint16_t port = 0;  // 80 and 443 filled in
  std::string target;      // begins with "/"; as written, without the fragment

  // "host:port", with brackets where IPv6 needs them.
  [[nodiscard]] std::string authority() const;
  // "https://host:port"
  [[nodiscard]] std::string origin() const;
};

// http:// and https:// only. kMalformed for anything else, for user names and passwords in the URL,
// for spaces and control characters, for a port out of range.
Result<Url> parse_url(std::string_view text);

// What a Range header asks of a body of a known size.
struct RangeChoice {
  enum class Kind { kWhole, kPart, kUnsatisfiable };
  Kind kind = Kind::kWhole;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// "bytes=0-99", "bytes=100-", "bytes=-50" (RFC 9110 section 14.1.2). Anything else, several ranges
// included, is ignored as section 14.2 allows: the whole body is the answer.
RangeChoice choose_range(std::string_view header, std::uint64_t size);

struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;              // inclusive
  std::optional<std::uint64_t> total;  // absent for "*"
};

// "bytes 0-99/1000" or "bytes 0-99/*"; kMalformed otherwise, or if it contradicts itself.
Result<ContentRange> parse_content_range(std::string_view header);

struct Endpoint {
  std::string ip;  // numeric; without brackets
  std::uint16_t port = 0;

  // "127.0.0.1:80", "[::1]:80"
  [[nodiscard]] std::string text() const;
};

// "IP:port" or "[IPv6]:port", port 0 to 65535; kUsage otherwise. The IP is checked when it is
// bound.
Result<Endpoint> parse_endpoint(std::string_view text);

}  // namespace lineside::http

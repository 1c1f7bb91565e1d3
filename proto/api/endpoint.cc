// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>

#include <charconv>

#include "proto/api/site_api.h"

namespace lineside::api {
namespace {

bool is_address(const std::string& text, int family) {
  unsigned char buffer[16];
  return ::inet_pton(family, text.c_str(), buffer) == 1;
}

}  // namespace

std::string Endpoint::text() const {
  bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  Error malformed{Code::kMalformed,
                  "'" + std::string(text.substr(0, 80)) + "' is not of the form ADDRESS:PORT"};
  std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return malformed;
  std::string_view host = text.substr(0, colon);
  std::string_view digits = text.substr(colon + 1);
  unsigned port = 0;
  auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (bad != std::errc() || end != digits.data() + digits.size() || port > 65535) return malformed;
  bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  std::string address(bracketed ? host.substr(1, host.size() - 2) : host);
  if (!is_address(address, bracketed ? AF_INET6 : AF_INET)) return malformed;
  return Endpoint{std::move(address), static_cast<std::uint16_t>(port)};
}

}  // namespace lineside::api

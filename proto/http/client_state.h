// SPDX-License-Identifier: Apache-2.0
// Internal to proto/http: what request() and download() share.
#pragma once

#include "proto/http/client.h"
#include "proto/http/exchange.h"
#include "proto/http/wire.h"

namespace lineside::http {

struct Client::State {
  ClientOptions options;
  WireOptions wire_options;
  Url base;
  std::unique_ptr<Wire> wire;  // kept between requests
  std::uint64_t received = 0;

  // The request target for what the caller named.
  [[nodiscard]] Result<std::string> resolve_target(std::string_view target) const;
  [[nodiscard]] Result<std::string> request_head(std::string_view method, const std::string& target,
                                                 std::size_t body_size,
                                                 const Headers& headers) const;
  // Connects if need be, sends, reads the answer's head.
  Result<std::unique_ptr<Exchange>> start(std::string_view method, const std::string& target,
                                          BytesView body, const Headers& headers,
                                          const std::stop_token& stop, SteadyTime deadline);
  // After each exchange: counts its bytes, keeps or drops the connection.
  void finish(const Exchange& exchange);
  Result<Bytes> read_body(Exchange& exchange, std::uint64_t max_bytes) const;
  Result<Reply> once(std::string_view method, const std::string& target, BytesView body,
                     const Headers& headers, const std::stop_token& stop, SteadyTime deadline);
};

}  // namespace lineside::http

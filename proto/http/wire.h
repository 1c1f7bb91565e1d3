// SPDX-License-Identifier: Apache-2.0
// Internal to proto/http: one client connection with blocking calls that time out and can be
// cancelled.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/result.h"
#include "proto/http/identity.h"
#include "proto/http/target.h"

namespace lineside::http {

struct WireOptions {
  std::vector<Bytes> pinned_keys;  // none: the public authorities, for https
  std::string ca_pem;
  std::optional<Identity> identity;
  std::chrono::milliseconds connect_timeout{};
  std::chrono::milliseconds read_timeout{};
  bool any_key = false;  // https without pinned keys: the server's key is not judged
};

// One thread at a time. After an error the connection is closed and every call fails.
class Wire {
 public:
  // kNetwork, kTimeout, kCancelled, kUnknownKey (the server's key or certificate is refused),
  // kDenied (the server refuses us), kInternal. Errors name host and port.
  static Result<std::unique_ptr<Wire>> connect(const Url& url, const WireOptions& options,
                                               std::stop_token stop);
  ~Wire();

  Result<void> write(BytesView data, std::stop_token stop, SteadyTime deadline);
  // 0 is the orderly end of the stream.
  Result<std::size_t> read_some(std::span<std::uint8_t> out, std::stop_token stop,
                                SteadyTime deadline);
  // Sleeps; kCancelled if stopped meanwhile.
  Result<void> pause(std::chrono::nanoseconds time, std::stop_token stop);
  // Looks, without waiting, whether the server has closed the connection (or sent what nobody asked
  // for).
  [[nodiscard]] bool is_stale() const;

 private:
  struct State;
  explicit Wire(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace lineside::http

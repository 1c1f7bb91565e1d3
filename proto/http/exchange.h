// SPDX-License-Identifier: Apache-2.0
// Internal to proto/http: one request on one Wire and its answer, read piece by piece.
#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "proto/http/message.h"
#include "proto/http/wire.h"

namespace lineside::http {

class Exchange {
 public:
  Exchange(Wire& wire, std::string name, std::stop_token stop, SteadyTime deadline);
  ~Exchange();

  // Sends `head` and `body`, reads the answer's head. `head_only` for HEAD.
  Result<void> begin(const std::string& head, BytesView body, bool head_only);
  // The next bytes of the body; 0 at its end. kNetwork if the connection ends before the body does.
  Result<std::size_t> read(std::span<std::uint8_t> out);

  [[nodiscard]] int status() const;
  [[nodiscard]] Headers headers() const;
  [[nodiscard]] std::optional<std::uint64_t> content_length() const;
  // The whole answer was read and the server keeps the connection.
  [[nodiscard]] bool reusable() const;
  // Bytes taken from the wire.
  [[nodiscard]] std::uint64_t received() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lineside::http

// SPDX-License-Identifier: Apache-2.0
// Where bytes come from: an HTTP server, a folder on a stick, a vendor in memory (tests/fakes).
#pragma once

#include <cstdint>
#include <string_view>

#include "proto/base/bytes.h"
#include "proto/base/result.h"

namespace lineside::trust {

class Fetcher {
 public:
  virtual ~Fetcher() = default;
  // The whole body at `path`, relative to the fetcher's base and already percent-encoded.
  // kNotFound if it does not exist (HTTP 404 or 403), kTooLarge as soon as there are more than
  // `max_bytes`, kNetwork, kTimeout, kHttp otherwise. May block.
  [[nodiscard]] virtual Result<Bytes> fetch(std::string_view path, std::uint64_t max_bytes) = 0;
};

}  // namespace lineside::trust

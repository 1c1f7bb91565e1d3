// SPDX-License-Identifier: Apache-2.0
// The vendor's repository as the gateway reaches it: over HTTP(S), or as a folder (a USB stick).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "proto/base/disk.h"
#include "proto/base/result.h"

namespace lineside::seeder {

struct FetchOptions {
  std::uint64_t max_bytes_per_second = 0;  // 0: no limit
  std::function<void(std::uint64_t have)> progress;
  std::stop_token stop;
};

class Origin {
 public:
  virtual ~Origin() = default;
  // The body at `path` below the repository, percent-encoded. Codes of trust::Fetcher::fetch.
  virtual Result<Bytes> fetch(std::string_view path, std::uint64_t max_bytes,
                              std::stop_token stop) = 0;
  // Brings `path` into `partial`, going on where it ends; at most `length` bytes. After an error
  // the file holds what came. Codes of http::Client::download.
  virtual Result<void> download(std::string_view path, std::uint64_t length, const Path& partial,
                                const FetchOptions& options) = 0;
  // Bytes received so far, failed calls included. A folder costs none: nothing crosses the WAN.
  [[nodiscard]] virtual std::uint64_t bytes_received() const = 0;
  // Whether those count: window, rate and budget are for the WAN.
  [[nodiscard]] virtual bool crosses_wan() const = 0;
};

// `where`: "https://…", "http://…", or a folder. One thread. kUsage for a bad URL. `disk` outlives
// it. `ca_pem`: authorities instead of the system's; empty: the system's.
Result<std::unique_ptr<Origin>> open_origin(Disk& disk, const std::string& where,
                                            const std::string& ca_pem);

}  // namespace lineside::seeder

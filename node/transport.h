// SPDX-License-Identifier: Apache-2.0
// How a delivery's bytes come to this device and go on to others.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "proto/api/site_api.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/base/sha256.h"

namespace lineside::node {

struct Carried {
  Digest root;
  std::uint64_t length = 0;
  Path file;
};

class Transport {
 public:
  virtual ~Transport() = default;

  // Begins to fetch, or goes on, also after it stopped for an error; then gives it to others. No
  // error if it is carried already.
  [[nodiscard]] virtual Result<void> fetch(const Carried& delivery,
                                           const std::vector<Digest>& leaves) = 0;
  // Blocks until the file is complete and durable. kCancelled, kNotFound for an unknown root, or
  // why the transfer stopped; kTimeout if it stands still, which
  // does not end it.
  [[nodiscard]] virtual Result<void> wait(const Digest& root, std::stop_token stop) = 0;
  // Gives a complete file to others. No error if it is carried already.
  [[nodiscard]] virtual Result<void> seed(const Carried& delivery,
                                          const std::vector<Digest>& leaves) = 0;
  // Stops carrying it; no error for an unknown root.
  [[nodiscard]] virtual Result<void> forget(const Digest& root, bool delete_file) = 0;

  // "IP:port" of those who want or have it; the gateway's counts separately. Bad ones are skipped.
  virtual void meet(const Digest& root, const std::string& gateway,
                    const std::vector<std::string>& peers) = 0;
  // nullopt for an unknown root.
  [[nodiscard]] virtual std::optional<api::Transfer> transfer(const Digest& root) const = 0;
  // The bytes received that transfer() tells of begin at zero again. No effect for an unknown root.
  virtual void count_anew(const Digest& root) = 0;
  // "IP:port" where others reach us; empty if unknown.
  [[nodiscard]] virtual std::string endpoint() const = 0;
};

}  // namespace lineside::node

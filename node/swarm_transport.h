// SPDX-License-Identifier: Apache-2.0
// Deliveries over the site's swarm.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "node/transport.h"
#include "proto/swarm/swarm.h"

namespace lineside::node {

class SwarmTransport final : public Transport {
 public:
  // `options.on_change` is ours. `gateway` is "https://host:port": the address that the kernel
  // would use towards it is what peers are told when `options.listen` is a wildcard. `patience`:
  // how long a transfer may stand still.
  static Result<std::unique_ptr<SwarmTransport>> start(Disk& disk, swarm::SwarmOptions options,
                                                       const std::string& gateway,
                                                       std::chrono::milliseconds patience);

  [[nodiscard]] Result<void> fetch(const Carried& delivery,
                                   const std::vector<Digest>& leaves) override;
  [[nodiscard]] Result<void> wait(const Digest& root, std::stop_token stop) override;
  [[nodiscard]] Result<void> seed(const Carried& delivery,
                                  const std::vector<Digest>& leaves) override;
  [[nodiscard]] Result<void> forget(const Digest& root, bool delete_file) override;
  // Takes as many of `peers` as it needs.
  void meet(const Digest& root, const std::string& gateway,
            const std::vector<std::string>& peers) override;
  [[nodiscard]] std::optional<api::Transfer> transfer(const Digest& root) const override;
  void count_anew(const Digest& root) override;
  [[nodiscard]] std::string endpoint() const override;

 private:
  struct Received {
    std::uint64_t from_gateway = 0;  // bytes
    std::uint64_t from_peers = 0;
  };
  SwarmTransport() = default;

  std::string listen_;
  std::string gateway_;
  std::chrono::milliseconds patience_{0};
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<Digest, Received> counted_;   // of the swarm's figures, before the last count_anew()
  std::unique_ptr<swarm::Swarm> swarm_;  // last: its thread calls us until it is gone
};

// The address of this machine on the way to "https://host:port"; empty if there is none.
std::string local_address_towards(const std::string& url);

}  // namespace lineside::node

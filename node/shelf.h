// SPDX-License-Identifier: Apache-2.0
// What other nodes may take from this device, behind a lock: the agent fills it, the gossip server
// and the gossip thread read it.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "node/peers.h"
#include "proto/base/disk.h"

namespace lineside::node {

class Shelf {
 public:
  // `disk` outlives it. `state`: the state folder, for the vendor's timestamp.
  Shelf(const Disk& disk, Path state);

  void show(Holdings holdings);
  // Never null; as shown last.
  [[nodiscard]] std::shared_ptr<const Holdings> holdings() const;
  // "IP:port" where others reach this device.
  void reached_at(std::string endpoint);
  // What is held, in short.
  [[nodiscard]] api::Heads heads() const;
  // Whose key it is, "device line3-cam07" or "gateway": of the roster, and not revoked.
  [[nodiscard]] std::optional<std::string> member(const std::optional<Bytes>& spki) const;

 private:
  const Disk& disk_;
  const Path state_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Holdings> holdings_;
  std::string endpoint_;
};

}  // namespace lineside::node

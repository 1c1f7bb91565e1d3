// SPDX-License-Identifier: Apache-2.0
// The device's configuration file; every key is explained in node/README.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "node/documents.h"
#include "node/patience.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"

namespace lineside::node {

struct NodeConfig {
  std::string device;                 // id, as the roster has it
  std::vector<std::string> hardware;  // classes
  Path state;                         // folder
  TrustAnchors anchors;
  std::vector<std::string> gateways;          // "https://192.0.2.1:7443"
  std::chrono::milliseconds poll_floor{500};  // never report more often
  std::string swarm_listen = "0.0.0.0:0";
  std::uint64_t upload_limit = 0;  // bytes a second, 0: none
  std::uint64_t download_limit = 0;
  bool local_discovery = true;
  std::string gossip_listen = "0.0.0.0:0";
  std::vector<std::string> gossip_peers;  // "192.0.2.7:7445"
  std::chrono::milliseconds gossip_every{10'000};
  std::chrono::seconds live_check{300};
  std::chrono::seconds verify_every{86'400};  // scan of the current tree
  std::uint64_t apply_memory_bytes = 64ULL << 20;
  std::string bwrap = "bwrap";
  std::vector<std::string> check_devices;  // below /dev, that a probe may have
  Patience patience;
};

// kUsage naming file and line.
Result<NodeConfig> load_config(const Disk& disk, const Path& file);

}  // namespace lineside::node

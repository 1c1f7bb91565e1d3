// SPDX-License-Identifier: Apache-2.0
#include "node/node_config.h"

#include "proto/base/config.h"

namespace lineside::node {
namespace {

constexpr std::int64_t kMaxRate = 1LL << 40;

Result<void> check(const NodeConfig& config, const Path& file) {
  auto fail = [&file](const std::string& what) {
    return Error{Code::kUsage, file.string() + ": " + what};
  };
  if (config.hardware.empty()) {
    return fail("device.hardware: expected at least one hardware class");
  }
  if (config.gateways.empty()) return fail("gateway.addresses: expected at least one address");
  for (const std::string& address : config.gateways) {
    if (address.rfind("https://", 0) != 0) {
      return fail("gateway.addresses: " + address + " does not begin with https://");
    }
  }
  return ok();
}

}  // namespace

Result<NodeConfig> load_config(const Disk& disk, const Path& file) {
  TRY_ASSIGN(Config config, Config::load(disk, file));
  NodeConfig node;
  node.device = config.text("device.id");
  node.hardware = config.texts("device.hardware");
  node.state = config.path("device.state", "/var/lib/lineside-node");
  node.anchors.site = config.text("site.name");
  node.anchors.site_root = config.path("site.root");
  node.anchors.vendor_root = config.path("vendor.root");
  node.gateways = config.texts("gateway.addresses");
  node.poll_floor =
      std::chrono::milliseconds(config.integer("gateway.poll_floor_ms", 500, 50, 60'000));
  node.swarm_listen = config.text("swarm.listen", node.swarm_listen);
  node.upload_limit =
      static_cast<std::uint64_t>(config.integer("swarm.upload_bytes_per_second", 0, 0, kMaxRate));
  node.download_limit =
      static_cast<std::uint64_t>(config.integer("swarm.download_bytes_per_second", 0, 0, kMaxRate));
  node.local_discovery = config.boolean("swarm.local_discovery", true);
  node.live_check = config.duration("live.check_every", node.live_check);
  node.verify_every = config.duration("live.verify_every", node.verify_every);
  node.apply_memory_bytes =
      static_cast<std::uint64_t>(config.integer("apply.memory_mb", 64, 4, 65'536)) << 20;
  node.bwrap = config.text("check.bwrap", node.bwrap);
  TRY(config.finish());
  TRY(check(node, file));
  return node;
}

}  // namespace lineside::node

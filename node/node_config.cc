// SPDX-License-Identifier: Apache-2.0
#include "node/node_config.h"

#include "proto/api/site_api.h"
#include "proto/base/config.h"
#include "proto/trust/document.h"

namespace lineside::node {
namespace {

constexpr std::int64_t kMaxRate = 1LL << 40;
constexpr const char* kName = "takes names of the form [a-z0-9][a-z0-9._-]{0,63}, not ";

std::string quoted(const std::string& text) {
  return "'" + text.substr(0, 80) + "'";
}

// What the types alone do not say. Mistakes are left in `config` with their lines.
void check(const NodeConfig& node, Config& config) {
  if (!trust::is_name(node.device)) config.refuse("device.id", kName + quoted(node.device));
  if (node.hardware.empty()) {
    config.refuse("device.hardware", "needs at least one hardware class");
  }
  for (const std::string& name : node.hardware) {
    if (!trust::is_name(name)) config.refuse("device.hardware", kName + quoted(name));
  }
  if (!trust::is_name(node.anchors.site)) {
    config.refuse("site.name", kName + quoted(node.anchors.site));
  }
  if (node.gateways.empty()) config.refuse("gateway.addresses", "needs at least one address");
  for (const std::string& address : node.gateways) {
    if (address.rfind("https://", 0) != 0) {
      config.refuse("gateway.addresses", "has to begin with https://, not " + quoted(address));
    }
  }
  auto listen = api::parse_endpoint(node.swarm_listen);
  if (!listen.ok())
    config.refuse("swarm.listen", "is no address to listen at: " + listen.error().what);
}

// bubblewrap gives a probe what is named here with all that the agent itself may do to it.
void check_devices(const NodeConfig& node, Config& config) {
  for (const std::string& device : node.check_devices) {
    const bool safe = device.rfind("/dev/", 0) == 0 && trust::check_path(device.substr(1)).ok();
    if (!safe) config.refuse("check.devices", "takes paths below /dev, not " + quoted(device));
  }
}

struct Wait {
  const char* key;
  std::chrono::milliseconds Patience::*value;
};
constexpr Wait kWaits[] = {{"patience.transfer", &Patience::transfer},
                           {"patience.smaller", &Patience::smaller},
                           {"patience.retry", &Patience::retry},
                           {"patience.unreachable", &Patience::unreachable},
                           {"patience.site_root", &Patience::site_root},
                           {"patience.gateway", &Patience::gateway},
                           {"patience.disk", &Patience::disk}};

// The addresses are of machines, not names: an introduction must not wait for a resolver.
void check_gossip(const NodeConfig& node, Config& config) {
  auto listen = api::parse_endpoint(node.gossip_listen);
  if (!listen.ok()) {
    config.refuse("gossip.listen", "is no address to listen at: " + listen.error().what);
  }
  for (const std::string& peer : node.gossip_peers) {
    auto endpoint = api::parse_endpoint(peer);
    if (!endpoint.ok() || endpoint->port == 0) {
      config.refuse("gossip.peers", "takes addresses like 192.0.2.7:7445, not " + quoted(peer));
    }
  }
  if (node.gossip_every < std::chrono::seconds(1) || node.gossip_every > std::chrono::hours(1)) {
    config.refuse("gossip.every", "takes 1s to 1h");
  }
}

// None is 0: a device that never pauses would keep a small machine busy with nothing else.
Patience read_patience(Config& config) {
  Patience patience;
  for (const Wait& wait : kWaits) {
    auto& value = patience.*wait.value;
    auto read = config.duration(wait.key, std::chrono::duration_cast<std::chrono::seconds>(value));
    if (read < std::chrono::seconds(1) || read > std::chrono::hours(24)) {
      config.refuse(wait.key, "takes 1s to 24h");
    } else {
      value = read;
    }
  }
  return patience;
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
  node.gossip_listen = config.text("gossip.listen", node.gossip_listen);
  node.gossip_peers = config.texts("gossip.peers");
  node.gossip_every = config.duration(
      "gossip.every", std::chrono::duration_cast<std::chrono::seconds>(node.gossip_every));
  node.live_check = config.duration("live.check_every", node.live_check);
  node.verify_every = config.duration("live.verify_every", node.verify_every);
  node.apply_memory_bytes =
      static_cast<std::uint64_t>(config.integer("apply.memory_mb", 64, 4, 65'536)) << 20;
  node.bwrap = config.text("check.bwrap", node.bwrap);
  node.check_devices = config.texts("check.devices");
  node.patience = read_patience(config);
  check(node, config);
  check_devices(node, config);
  check_gossip(node, config);
  TRY(config.finish());
  return node;
}

}  // namespace lineside::node

// SPDX-License-Identifier: Apache-2.0
#include "node/shelf.h"

#include "node/kept_roots.h"

namespace lineside::node {
Shelf::Shelf(const Disk& disk, Path state)
    : disk_(disk), state_(std::move(state)), holdings_(std::make_shared<Holdings>()) {}

void Shelf::show(Holdings holdings) {
  auto next = std::make_shared<const Holdings>(std::move(holdings));
  std::scoped_lock lock(mutex_);
  holdings_ = std::move(next);
}

std::shared_ptr<const Holdings> Shelf::holdings() const {
  std::scoped_lock lock(mutex_);
  return holdings_;
}

void Shelf::reached_at(std::string endpoint) {
  std::scoped_lock lock(mutex_);
  endpoint_ = std::move(endpoint);
}

api::Heads Shelf::heads() const {
  auto held = holdings();
  api::Heads heads;
  {
    std::scoped_lock lock(mutex_);
    heads.gossip_endpoint = endpoint_;
  }
  heads.site_root = held->site_root;
  if (held->roster) {
    heads.roster = held->roster->roster.version;
    heads.roster_digest = held->roster->digest;
  }
  if (held->directive) {
    heads.directive = held->directive->directive.sequence;
    heads.directive_digest = held->directive->digest;
  }
  heads.vendor_timestamp = stored_version(disk_, state_ / "trust" / "vendor" / "timestamp.json");
  heads.attestations = api::evidence_digest(held->attestation_digests);
  heads.evidence = !held->evidence.empty();
  if (held->delivery) heads.delivery = held->delivery->root;
  heads.swarm_endpoint = held->swarm_endpoint;
  return heads;
}

std::optional<std::string> Shelf::member(const std::optional<Bytes>& spki) const {
  auto held = holdings();
  if (!spki || !held->roster) return std::nullopt;
  auto key = trust::PublicKey::from_spki(*spki);
  if (!key.ok()) return std::nullopt;
  const trust::Roster& roster = held->roster->roster;
  if (roster.is_gateway(*key)) return "gateway";
  const trust::Device* device = roster.find(*key);
  if (device == nullptr || device->revoked) return std::nullopt;
  return "device " + device->id;
}

}  // namespace lineside::node

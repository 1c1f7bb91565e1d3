// SPDX-License-Identifier: Apache-2.0
// The other nodes of the site as a device sees them: who can be asked when the gateway withholds or
// is gone. What comes from them is verified exactly as what comes from the gateway, by the same
// code; they carry no authority either.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/gateway_link.h"
#include "proto/api/gossip.h"
#include "proto/api/site_api.h"
#include "proto/trust/directive.h"
#include "proto/trust/roster.h"

namespace lineside::node {

// What this device gives to others. Only verified documents, the newest of each kind.
struct Holdings {
  std::int64_t site_root = 0;
  std::shared_ptr<const trust::VerifiedRoster> roster;  // also: who may ask, whom to ask
  std::shared_ptr<const trust::VerifiedDirective> directive;
  std::vector<Bytes> attestations;  // about the directive
  std::vector<Digest> attestation_digests;
  std::vector<Bytes> evidence;                 // two documents of one number, or none
  std::optional<api::DeliveryOffer> delivery;  // whole on the disk
  std::string swarm_endpoint;
};

// Something that another node holds and this one does not, as received.
struct Gift {
  enum class Kind { kSiteRoots, kRoster, kDirective, kAttestations, kEvidence, kSwarmPeer };
  Kind kind = Kind::kRoster;
  std::string from;          // "IP:port"
  std::int64_t first = 0;    // kSiteRoots: version of the first
  std::vector<Bytes> bytes;  // envelopes; kSiteRoots: each next version
  Digest delivery;           // kSwarmPeer: what it gives, at `endpoint`
  std::string endpoint;
};

class Peers {
 public:
  virtual ~Peers() = default;

  // "IP:port" where nodes may be asked, from whoever introduces them. Bad ones are skipped.
  virtual void meet(const std::vector<std::string>& endpoints) = 0;
  virtual void show(Holdings holdings) = 0;
  // What came since the last call, oldest first.
  [[nodiscard]] virtual std::vector<Gift> take() = 0;
  // Those that answered lately, as sources of what verifies itself; who holds newer metadata of the
  // vendor than this device comes first. Any thread; the links may be used by one thread at a time.
  [[nodiscard]] virtual std::vector<std::shared_ptr<GatewayLink>> sources() = 0;
  // "IP:port" where others reach us; empty if nobody can.
  [[nodiscard]] virtual std::string endpoint() const = 0;
};

}  // namespace lineside::node

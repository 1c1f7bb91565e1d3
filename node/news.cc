// SPDX-License-Identifier: Apache-2.0
#include "node/news.h"

#include "proto/base/log.h"

namespace lineside::node {
namespace {

constexpr std::int64_t kMaxRootsAtOnce = 32;
constexpr std::uint64_t kMaxRootBytes = 512 << 10;

// Newer, or of the same number and not the same.
bool differs(std::int64_t own, const Digest& own_digest, std::int64_t theirs,
             const Digest& their_digest) {
  return theirs > own || (theirs == own && theirs > 0 && their_digest != own_digest);
}

bool other_roster(const api::Heads& own, const api::Heads& theirs) {
  return differs(own.roster, own.roster_digest, theirs.roster, theirs.roster_digest);
}
bool other_directive(const api::Heads& own, const api::Heads& theirs) {
  return differs(own.directive, own.directive_digest, theirs.directive, theirs.directive_digest);
}
bool other_attestations(const api::Heads& own, const api::Heads& theirs) {
  return own.directive > 0 && theirs.directive_digest == own.directive_digest &&
         theirs.attestations != own.attestations && theirs.attestations != Digest{};
}

class Shopping {
 public:
  Shopping(HttpGatewayLink& peer, const std::string& name) : peer_(peer), name_(name) {}

  void add(Gift::Kind kind, Result<Bytes> bytes) {
    if (bytes.ok()) {
      gift(kind).bytes.push_back(std::move(*bytes));
    } else {
      refused(bytes.error());
    }
  }
  void add(Gift::Kind kind, Result<std::vector<Bytes>> all) {
    if (all.ok()) {
      gift(kind).bytes = std::move(*all);
    } else {
      refused(all.error());
    }
  }
  // Each version after `own`, as far as they come.
  void add_roots(std::int64_t own, std::int64_t theirs) {
    Gift gift{Gift::Kind::kSiteRoots, name_, own + 1, {}, {}, {}};
    for (std::int64_t version = own + 1; version - own <= std::min(theirs - own, kMaxRootsAtOnce);
         ++version) {
      auto bytes =
          peer_.site_metadata().fetch(std::to_string(version) + ".root.json", kMaxRootBytes);
      if (!bytes.ok()) break;
      gift.bytes.push_back(std::move(*bytes));
    }
    if (!gift.bytes.empty()) gifts_.push_back(std::move(gift));
  }
  Gift& gift(Gift::Kind kind) {
    gifts_.push_back({kind, name_, 0, {}, {}, {}});
    return gifts_.back();
  }
  std::vector<Gift> take() { return std::move(gifts_); }

 private:
  void refused(const Error& error) const {
    log(Level::kInfo, "a peer does not give what it has",
        {{"peer", name_}, {"why", error.describe()}});
  }

  HttpGatewayLink& peer_;
  const std::string& name_;
  std::vector<Gift> gifts_;
};

// Where its swarm is reached: its address as we know it, its port as it says.
std::string swarm_of(const std::string& name, const std::string& said) {
  auto own = api::parse_endpoint(said);
  auto reached = api::parse_endpoint(name);
  if (!own.ok() || !reached.ok()) return {};
  reached->port = own->port;
  return reached->text();
}

}  // namespace

bool has_news(const api::Heads& own, const api::Heads& theirs) {
  return theirs.site_root > own.site_root || other_roster(own, theirs) ||
         other_directive(own, theirs) || other_attestations(own, theirs) ||
         (theirs.evidence && !own.evidence);
}

std::vector<Gift> fetch_news(HttpGatewayLink& peer, const std::string& name, const api::Heads& own,
                             const api::Heads& theirs) {
  Shopping found(peer, name);
  // In the order in which they can be verified.
  if (theirs.site_root > own.site_root) found.add_roots(own.site_root, theirs.site_root);
  if (other_roster(own, theirs)) found.add(Gift::Kind::kRoster, peer.roster());
  if (other_directive(own, theirs)) found.add(Gift::Kind::kDirective, peer.directive());
  if (theirs.evidence && !own.evidence) found.add(Gift::Kind::kEvidence, peer.evidence());
  if (other_attestations(own, theirs)) {
    found.add(Gift::Kind::kAttestations, peer.attestations(own.directive_digest));
  }
  if (theirs.delivery != Digest{}) {
    Gift& gift = found.gift(Gift::Kind::kSwarmPeer);
    gift.delivery = theirs.delivery;
    gift.endpoint = swarm_of(name, theirs.swarm_endpoint);
  }
  return found.take();
}

}  // namespace lineside::node

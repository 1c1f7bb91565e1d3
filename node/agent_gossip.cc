// SPDX-License-Identifier: Apache-2.0
// The agent's side of the conversation with other nodes: what they give is taken through the same
// doors as what the gateway gives.
#include "node/agent.h"
#include "node/kept_roots.h"
#include "proto/base/log.h"

namespace lineside::node {
namespace {

constexpr std::uint64_t kMaxFileBytes = 1 << 20;

// A chain of roots that came in one piece.
class GivenRoots final : public trust::Fetcher {
 public:
  explicit GivenRoots(const Gift& gift) : gift_(gift) {}
  [[nodiscard]] Result<Bytes> fetch(std::string_view path, std::uint64_t max_bytes) override {
    const std::int64_t index = root_version(path) - gift_.first;
    if (index < 0 || index >= static_cast<std::int64_t>(gift_.bytes.size())) {
      return Error{Code::kNotFound, std::string(path)};
    }
    const Bytes& bytes = gift_.bytes[static_cast<std::size_t>(index)];
    if (bytes.size() > max_bytes) return Error{Code::kTooLarge, std::string(path)};
    return bytes;
  }

 private:
  const Gift& gift_;
};

// Nobody lied: the way to the document failed.
bool is_of_the_way(Code code) {
  return code == Code::kNetwork || code == Code::kTimeout || code == Code::kCancelled ||
         code == Code::kNotFound || code == Code::kHttp;
}

// The delivery lies whole on the disk in these states.
bool past_fetching(State state) {
  return state == State::kStaging || state == State::kChecking || state == State::kGated ||
         state == State::kActivating || state == State::kTrial || state == State::kConfirmed;
}

}  // namespace

Path own_attestation(const Path& state, std::int64_t sequence) {
  return state / "documents" / "attestations" / (std::to_string(sequence) + ".dsse");
}

void Agent::refuse(const std::string& what, const std::string& from, const Error& error) {
  log(Level::kWarning, what + " refused", {{"from", from}, {"why", error.describe()}});
  if (is_of_the_way(error.code)) return;
  refusal_ = api::Refusal{what, from, std::string(code_name(error.code)), error.what, now()};
}

void Agent::take_gifts() {
  for (const Gift& gift : around_.peers.take()) take_gift(gift);
}

void Agent::take_gift(const Gift& gift) {
  auto done = [&](const char* what, const Result<void>& taken) {
    if (taken.ok()) return;
    if (taken.error().code == Code::kBadSignature) site_refreshed_.reset();  // new operators?
    refuse(what, gift.from, taken.error());
  };
  switch (gift.kind) {
    case Gift::Kind::kSiteRoots: {
      GivenRoots roots(gift);
      done("site root", refresh_site(roots));
      return;
    }
    case Gift::Kind::kRoster:
      return done("roster", documents_.take_roster(gift.bytes.front()));
    case Gift::Kind::kDirective:
      return done("directive", documents_.take_directive(gift.bytes.front()));
    case Gift::Kind::kEvidence:
      return done("evidence", documents_.take_evidence(gift.bytes));
    case Gift::Kind::kAttestations:
      return take_attestations(gift.bytes, gift.from);
    case Gift::Kind::kSwarmPeer:
      if (Life life = ledger_->life(); life.delivery && life.delivery->root == gift.delivery) {
        around_.transport.meet(gift.delivery, "", {gift.endpoint});
      }
      return;
  }
}

void Agent::take_attestations(const std::vector<Bytes>& envelopes, const std::string& from) {
  if (!documents_.roster() || !documents_.directive()) return;
  const trust::VerifiedDirective& directive = *documents_.directive();
  attestations_.begin(directive.digest);
  for (const Bytes& envelope : envelopes) {
    auto added = attestations_.add(envelope, documents_.roster()->roster, directive.directive);
    if (!added.ok()) refuse("attestation", from, added.error());
  }
}

// Ours is given away like those of others.
void Agent::load_own_attestation() {
  if (!documents_.directive()) return;
  auto envelope = around_.disk.read(
      own_attestation(config_.state, documents_.directive()->directive.sequence), kMaxFileBytes);
  if (envelope.ok()) take_attestations({std::move(*envelope)}, "this device");
}

void Agent::show_holdings() {
  auto share = [](auto& shown, const auto& held) {
    if (!held) {
      shown.reset();
    } else if (!shown || shown->envelope != held->envelope) {
      shown = std::make_shared<const std::decay_t<decltype(*held)>>(*held);
    }
    return shown;
  };
  Holdings holdings;
  holdings.site_root = documents_.site_root_version();
  holdings.roster = share(shown_roster_, documents_.roster());
  holdings.directive = share(shown_directive_, documents_.directive());
  if (holdings.directive && attestations_.directive() == holdings.directive->digest) {
    holdings.attestations = attestations_.envelopes();
    holdings.attestation_digests = attestations_.digests();
  }
  if (documents_.conflict()) holdings.evidence = documents_.conflict()->envelopes;
  const Life life = ledger_->life();
  if (life.delivery && life.target && life.delivery->target == life.target->tree &&
      past_fetching(life.state)) {
    holdings.delivery = life.delivery;
  }
  holdings.swarm_endpoint = around_.transport.endpoint();
  around_.peers.show(std::move(holdings));
}

// The gateway tells people; that it may be the one who lies does not matter, since other nodes are
// told, too.
void Agent::post_evidence() {
  const auto& conflict = documents_.conflict();
  if (!conflict || evidence_posted_ || !reply_ || conflict->envelopes.size() != 2) return;
  auto posted = around_.link.post_evidence(conflict->envelopes);
  if (!posted.ok()) {
    log(Level::kWarning, "evidence not accepted yet", {{"why", posted.error().describe()}});
  }
  // A gateway that refuses it once does so again.
  evidence_posted_ = posted.ok() || posted.error().code == Code::kHttp;
}

}  // namespace lineside::node

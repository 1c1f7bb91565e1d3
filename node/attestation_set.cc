// SPDX-License-Identifier: Apache-2.0
#include "node/attestation_set.h"

#include <algorithm>

namespace lineside::node {

void AttestationSet::begin(const Digest& directive) {
  if (directive == directive_) return;
  directive_ = directive;
  envelopes_.clear();
  digests_.clear();
  devices_.clear();
}

Result<bool> AttestationSet::add(BytesView envelope, const trust::Roster& roster,
                                 const trust::Directive& directive) {
  TRY_ASSIGN(auto verified, trust::verify_attestation(envelope, roster));
  const trust::Attestation& said = verified.attestation;
  if (said.directive != directive_) {
    return Error{Code::kConflict, "attestation of " + said.device + " is about another directive"};
  }
  if (!directive.is_canary(said.device)) {
    return Error{Code::kConflict, "attestation of " + said.device + ", which is no canary"};
  }
  if (std::find(digests_.begin(), digests_.end(), verified.digest) != digests_.end()) return false;
  const auto held = std::count(devices_.begin(), devices_.end(), said.device);
  if (held >= static_cast<std::ptrdiff_t>(kMaxOfOneDevice)) {
    return Error{Code::kTooLarge, said.device + " attested too often for one directive"};
  }
  envelopes_.push_back(std::move(verified.envelope));
  digests_.push_back(verified.digest);
  devices_.push_back(said.device);
  return true;
}

}  // namespace lineside::node

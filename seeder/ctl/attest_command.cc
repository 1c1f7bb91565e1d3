// SPDX-License-Identifier: Apache-2.0
// What the canaries signed, judged here as every node judges it: by the gate itself.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "proto/trust/attestation.h"
#include "proto/trust/fields.h"
#include "proto/trust/gate.h"
#include "proto/trust/json.h"
#include "proto/trust/sigstore_bundle.h"
#include "seeder/ctl/commands.h"
#include "seeder/ctl/view_text.h"

namespace lineside::ctl {
namespace {

using nlohmann::json;
using trust::CanaryEvidence;
using trust::Evidence;

// What the gateway shows for `directive`, unread. It may withhold or invent.
Result<std::vector<Bytes>> shown_envelopes(Session& session, const Digest& directive) {
  TRY_ASSIGN(Gateway * gateway, session.gateway());
  TRY_ASSIGN(Bytes body, gateway->get("/v1/attestations?directive=" + directive.hex()));
  TRY_ASSIGN(json document, trust::parse_json(body, "attestations"));
  trust::Fields fields(document, "attestations", trust::UnknownMembers::kAllowed);
  std::vector<std::string> texts = fields.texts("envelopes");
  TRY(fields.finish());
  std::vector<Bytes> envelopes;
  for (const std::string& text : texts) {
    Result<Bytes> envelope = from_base64(text);
    // One that is no base64 is no envelope either: the gate names it.
    envelopes.push_back(envelope.ok() ? *envelope : Bytes(text.begin(), text.end()));
  }
  return envelopes;
}

std::string outcome_name(const trust::Attestation& said) {
  return said.outcome == trust::Outcome::kPassed   ? "PASSED"
         : said.outcome == trust::Outcome::kWarned ? "WARNED"
                                                   : "FAILED";
}

json attestation_json(const trust::VerifiedAttestation& verified) {
  const trust::Attestation& said = verified.attestation;
  return {{"device", said.device},           {"outcome", outcome_name(said)},
          {"bundle", said.bundle},           {"digest", verified.digest.hex()},
          {"manifest", said.manifest.hex()}, {"directive", said.directive.hex()},
          {"tree", said.tree.hex()},         {"finished", format_utc(said.finished)},
          {"measured", said.measured}};
}

std::string_view evidence_word(Evidence evidence) {
  switch (evidence) {
    case Evidence::kPassed:
      return "PASSED";
    case Evidence::kFailed:
      return "FAILED";
    case Evidence::kInvalid:
      return "INVALID";
    case Evidence::kMissing:
      return "MISSING";
  }
  return "MISSING";
}

std::string canary_line(const CanaryEvidence& canary, const trust::Directive& directive,
                        const trust::Manifest& manifest) {
  std::string line = fmt::format("{:<7} {} ", evidence_word(canary.evidence), canary.device);
  if (canary.evidence != Evidence::kPassed) return line + safe(canary.why, 300);
  line += fmt::format("{} tree {}", directive.bundle, manifest.tree.hex().substr(0, 12));
  if (canary.finished) line += " at " + format_utc(*canary.finished);
  return line + ": signature of its enrolled key, directive, manifest, tree and tests verified";
}

void print(Session& session, const trust::GateState& gate, const json& attestations,
           const std::vector<std::string>& lines) {
  if (!session.json()) {
    for (const std::string& line : lines) session.out() << line << "\n";
    for (const std::string& why : gate.refused) session.out() << "refused " << safe(why) << "\n";
    session.out() << "gate    " << safe(gate.describe(), 300) << "\n";
    return;
  }
  json canaries = json::array();
  for (const CanaryEvidence& canary : gate.canaries) {
    canaries.push_back({{"device", canary.device},
                        {"evidence", evidence_word(canary.evidence)},
                        {"why", canary.why}});
  }
  json out = {{"attestations", attestations},
              {"canaries", canaries},
              {"refused", gate.refused},
              {"gate_open", gate.open},
              {"gate", gate.describe()}};
  session.out() << out.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
}

// The envelope as it is, or a bundle for sigstore's tools; beside it the public key that verifies
// it.
Result<void> write_out(Session& session, const AttestExport& wanted,
                       const trust::VerifiedAttestation& verified, BytesView envelope,
                       const trust::Roster& roster) {
  const trust::Attestation& said = verified.attestation;
  const trust::Device* device = roster.find(said.device);
  if (device == nullptr) return Error{Code::kInternal, "a verified device that is not enrolled"};
  std::string stem = fmt::format("{}-{}", said.device, verified.digest.hex().substr(0, 12));
  TRY(session.disk().replace(wanted.folder / (said.device + ".pub.pem"),
                             as_bytes(device->key.pem())));
  if (!wanted.sigstore) {
    return session.disk().replace(wanted.folder / (stem + ".dsse.json"), envelope);
  }
  TRY_ASSIGN(Bytes bundle, trust::sigstore_bundle(envelope, device->key));
  return session.disk().replace(wanted.folder / (stem + ".sigstore.json"), bundle);
}

}  // namespace

Result<void> attest(Session& session, const std::optional<AttestExport>& wanted) {
  TRY_ASSIGN(trust::VerifiedRoster roster, session.roster());
  TRY_ASSIGN(auto directive, session.directive());
  if (!directive) return Error{Code::kConflict, "nothing was rolled out yet"};
  TRY_ASSIGN(std::vector<Bytes> envelopes, shown_envelopes(session, directive->digest));
  TRY_ASSIGN(CheckedBundle bundle, session.bundle(directive->directive.bundle));
  trust::GateState gate = trust::evaluate_gate(*directive, bundle.digest, bundle.manifest,
                                               roster.roster, envelopes, session.now());
  if (wanted) TRY(session.disk().make_dirs(wanted->folder));
  json attestations = json::array();
  for (const Bytes& envelope : envelopes) {
    auto verified = trust::verify_attestation(envelope, roster.roster);
    if (!verified.ok()) continue;
    attestations.push_back(attestation_json(*verified));
    if (wanted) TRY(write_out(session, *wanted, *verified, envelope, roster.roster));
  }
  std::vector<std::string> lines, not_passed;
  for (const CanaryEvidence& canary : gate.canaries) {
    lines.push_back(canary_line(canary, directive->directive, bundle.manifest));
    if (canary.evidence != Evidence::kPassed) not_passed.push_back(canary.device);
  }
  print(session, gate, attestations, lines);
  if (!gate.fault.empty()) return Error{Code::kMismatch, gate.fault};
  if (!not_passed.empty()) {
    session.call_attention(
        fmt::format("no valid PASSED attestation of {}", fmt::join(not_passed, ", ")));
  }
  return ok();
}

}  // namespace lineside::ctl

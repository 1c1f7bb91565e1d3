// SPDX-License-Identifier: Apache-2.0
// in-toto attestation framework: Statement v1 (spec/v1/statement.md), predicate test-result v0.1
// (spec/predicates/test-result.md). Unknown members are ignored there, as the framework demands,
// and refused in our own extension.
#include "proto/trust/attestation.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proto/trust/document.h"
#include "proto/trust/json.h"

namespace lineside::trust {
namespace {

using nlohmann::json;

constexpr std::string_view kStatementType = "https://in-toto.io/Statement/v1";
constexpr std::string_view kPredicateType = "https://in-toto.io/attestation/test-result/v0.1";
constexpr std::size_t kMaxTests = 1024;
constexpr std::size_t kMaxClasses = 32;
constexpr std::size_t kMaxMeasured = 1024;
constexpr std::size_t kMaxResources = 64;
constexpr std::size_t kMaxSignatures = 8;  // a device makes one

struct OutcomeName {
  Outcome outcome;
  std::string_view name;
};
constexpr OutcomeName kOutcomes[] = {
    {Outcome::kPassed, "PASSED"}, {Outcome::kWarned, "WARNED"}, {Outcome::kFailed, "FAILED"}};

std::string_view outcome_name(Outcome outcome) {
  for (const OutcomeName& row : kOutcomes) {
    if (row.outcome == outcome) return row.name;
  }
  return "FAILED";
}

Outcome read_outcome(Fields& predicate) {
  std::string text = predicate.text("result");
  for (const OutcomeName& row : kOutcomes) {
    if (row.name == text) return row.outcome;
  }
  predicate.fail("result", "expected \"PASSED\", \"WARNED\" or \"FAILED\"");
  return Outcome::kFailed;
}

// in-toto spec/v1/resource_descriptor.md
json resource(std::string_view name, const Digest& digest) {
  return {{"name", name}, {"digest", {{"sha256", digest.hex()}}}};
}

json run_json(const Attestation& attestation) {
  json measured = json::object();
  for (const auto& [name, value] : attestation.measured) {
    measured[clean_text(name, kMaxLabelBytes)] = clean_text(value, kMaxLabelBytes);
  }
  return {{"schema", kSchema},
          {"device", attestation.device},
          {"hardware", attestation.hardware},
          {"directive_sequence", attestation.directive_sequence},
          {"started", format_utc(attestation.started)},
          {"finished", format_utc(attestation.finished)},
          {"counter", attestation.counter},
          {"tree", attestation.tree.hex()},
          {"inferences", attestation.inferences},
          {"cause", clean_text(attestation.cause)},
          {"measured", std::move(measured)}};
}

void read_subject(Fields& statement, Attestation& attestation) {
  std::vector<Fields> subjects = bounded_list(statement, "subject", 1);
  if (subjects.size() != 1) {
    statement.fail("subject", "expected exactly one");
    return;
  }
  attestation.bundle =
      checked_text(subjects[0], "name", is_manifest_name, "expected NAME/VERSION.json");
  attestation.manifest = subjects[0].object("digest").digest("sha256");
}

// The one resource of that name; the others are not ours to judge.
Digest read_resource(Fields& predicate, std::vector<Fields>& resources, std::string_view name) {
  std::optional<Digest> found;
  for (Fields& item : resources) {
    if (item.optional_text("name") != name) continue;
    if (found) predicate.fail("configuration", "\"" + std::string(name) + "\" twice");
    found = item.object("digest").digest("sha256");
  }
  if (!found) predicate.fail("configuration", "expected a resource \"" + std::string(name) + "\"");
  return found.value_or(Digest{});
}

std::vector<std::string> optional_tests(Fields& predicate, std::string_view member) {
  if (!predicate.has(member)) return {};
  return label_list(predicate, member, kMaxTests);
}

void read_predicate(Fields& predicate, Attestation& attestation) {
  attestation.outcome = read_outcome(predicate);
  std::vector<Fields> resources = bounded_list(predicate, "configuration", kMaxResources);
  attestation.check = read_resource(predicate, resources, "check");
  attestation.golden = read_resource(predicate, resources, "golden");
  attestation.directive = read_resource(predicate, resources, "directive");
  attestation.passed_tests = optional_tests(predicate, "passedTests");
  attestation.failed_tests = optional_tests(predicate, "failedTests");
}

Result<void> read_run(const json& run, Attestation& attestation) {
  Fields fields(run, "statement.predicate.linesideRun", UnknownMembers::kRefused);
  if (fields.integer("schema", 0, kMaxInteger) != kSchema) fields.fail("schema", "expected 1");
  attestation.device = name_text(fields, "device");
  attestation.hardware = name_list(fields, "hardware", kMaxClasses);
  attestation.directive_sequence = fields.integer("directive_sequence", 1, kMaxInteger);
  attestation.started = fields.utc("started");
  attestation.finished = fields.utc("finished");
  attestation.counter = fields.integer("counter", 0, kMaxInteger);
  attestation.tree = fields.digest("tree");
  attestation.inferences = size_number(fields, "inferences");
  attestation.cause = prose_text(fields, "cause");
  attestation.measured = label_map(fields, "measured", kMaxMeasured, EmptyValues::kAllowed);
  return fields.finish();
}

void expect_text(Fields& fields, std::string_view member, std::string_view wanted) {
  if (fields.text(member) != wanted)
    fields.fail(member, "expected \"" + std::string(wanted) + "\"");
}

std::vector<std::string> key_ids(const json& signatures) {
  std::vector<std::string> ids;
  for (const json& signature : signatures) {
    auto keyid = signature.find("keyid");
    if (keyid != signature.end() && keyid->is_string()) ids.push_back(keyid->get<std::string>());
  }
  return ids;
}

// The keys of those devices that the envelope's key ids name. The ids decide about nothing else: a
// wrong one can only lead to a key under which the signature does not hold. Trying every device's
// key would let anyone keep a verifier busy for the price of one envelope.
Result<Authority> hinted(BytesView envelope, const Roster& roster) {
  JsonLimits limits;
  limits.max_bytes = kMaxAttestationBytes;
  TRY_ASSIGN(json tree, parse_json(envelope, "attestation", limits));
  if (!tree.is_object()) return Error{Code::kMalformed, "attestation: expected an object"};
  auto signatures = tree.find("signatures");
  if (signatures == tree.end() || !signatures->is_array()) {
    return Error{Code::kMalformed, "attestation.signatures: expected an array"};
  }
  if (signatures->size() > kMaxSignatures) {
    return Error{Code::kTooLarge, "attestation.signatures: expected at most 8"};
  }
  std::vector<std::string> ids = key_ids(*signatures);
  Authority authority;
  for (const Device& device : roster.devices) {
    bool named = std::find(ids.begin(), ids.end(), device.key.keyid()) != ids.end();
    if (named && !device.revoked) authority.keys.push_back(device.key);
  }
  return authority;
}

}  // namespace

Bytes serialise(const Attestation& attestation) {
  json predicate = {{"result", outcome_name(attestation.outcome)},
                    {"configuration", json::array({resource("check", attestation.check),
                                                   resource("golden", attestation.golden),
                                                   resource("directive", attestation.directive)})},
                    {"passedTests", attestation.passed_tests},
                    {"failedTests", attestation.failed_tests},
                    {"linesideRun", run_json(attestation)}};
  return document_bytes(
      {{"_type", kStatementType},
       {"subject", json::array({resource(attestation.bundle, attestation.manifest)})},
       {"predicateType", kPredicateType},
       {"predicate", std::move(predicate)}});
}

Result<Attestation> parse_attestation(BytesView statement) {
  JsonLimits limits;
  limits.max_bytes = kMaxEnvelopeBytes;
  TRY_ASSIGN(json tree, parse_json(statement, "statement", limits));
  Fields fields(tree, "statement", UnknownMembers::kAllowed);
  Attestation attestation;
  expect_text(fields, "_type", kStatementType);
  expect_text(fields, "predicateType", kPredicateType);
  read_subject(fields, attestation);
  Fields predicate = fields.object("predicate");
  read_predicate(predicate, attestation);
  const json& run = predicate.raw("linesideRun");
  TRY(fields.finish());
  TRY(read_run(run, attestation));
  return attestation;
}

Result<Bytes> seal_attestation(const Attestation& attestation, const PrivateKey& device) {
  return seal(kInTotoType, serialise(attestation), {&device});
}

Result<VerifiedAttestation> verify_attestation(BytesView envelope, const Roster& roster) {
  TRY_ASSIGN(Authority authority, hinted(envelope, roster));
  auto opened = open(envelope, kInTotoType, authority);
  if (!opened.ok() && opened.error().code == Code::kBadSignature) {
    return Error{Code::kUnknownKey,
                 "attestation: no device of the roster that is not revoked signed it"};
  }
  if (!opened.ok()) return opened.error().with("attestation");
  TRY_ASSIGN(Attestation attestation, parse_attestation(opened->payload));
  const Device* device = roster.find(attestation.device);
  const std::vector<std::string>& signers = opened->signers;
  if (device == nullptr ||
      std::find(signers.begin(), signers.end(), device->key.keyid()) == signers.end()) {
    return Error{Code::kWrongDevice,
                 "attestation of \"" + attestation.device + "\" was signed by another device"};
  }
  return VerifiedAttestation{
      std::move(attestation), opened->digest, {envelope.begin(), envelope.end()}};
}

}  // namespace lineside::trust

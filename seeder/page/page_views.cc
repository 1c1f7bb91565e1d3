// SPDX-License-Identifier: Apache-2.0
#include "seeder/page/page_views.h"

#include <nlohmann/json.hpp>

#include "proto/runtime/probe_spec.h"
#include "proto/trust/document.h"

namespace lineside::seeder {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxProbeBytes = runtime::kMaxProbeSpecBytes;

const char* outcome_name(trust::Outcome outcome) {
  switch (outcome) {
    case trust::Outcome::kPassed:
      return "passed";
    case trust::Outcome::kWarned:
      return "warned";
    case trust::Outcome::kFailed:
      return "failed";
  }
  return "failed";
}

json delivery_view(const trust::Delivery& delivery) {
  return {
      {"base", delivery.base.hex()}, {"length", delivery.length}, {"root", delivery.root.hex()}};
}

json waiver_view(const trust::Waiver& waiver) {
  return {{"rule", waiver.rule},
          {"subject", waiver.subject},
          {"by", waiver.by},
          {"until", format_utc(waiver.until)},
          {"reason", waiver.reason}};
}

}  // namespace

json directive_view(const trust::VerifiedDirective& verified,
                    const std::vector<std::string>& signers) {
  const trust::Directive& directive = verified.directive;
  bool rolls_back = directive.on_failure == trust::OnFailure::kRollBack;
  return {{"sequence", directive.sequence},
          {"digest", verified.digest.hex()},
          {"signers", signers},
          {"bundle", directive.bundle},
          {"manifest", directive.manifest.hex()},
          {"issued", format_utc(directive.issued)},
          {"not_before", format_utc(directive.not_before)},
          {"expires", format_utc(directive.expires)},
          {"devices", directive.devices.size()},
          {"canaries", directive.canaries},
          {"soak_s", directive.soak.count()},
          {"batch_size", directive.batch_size},
          {"failure_minimum", directive.failure_limit.minimum_executed},
          {"failure_percent", directive.failure_limit.percent},
          {"on_failure", rolls_back ? "rollback" : "pause"},
          {"device_deadline_s", directive.device_deadline.count()}};
}

json attestation_view(const Bytes& envelope, const trust::Roster& roster) {
  auto verified = trust::verify_attestation(envelope, roster);
  if (!verified.ok()) {
    return {{"invalid", verified.error().describe()}, {"envelope", to_base64(envelope)}};
  }
  const trust::Attestation& said = verified->attestation;
  return {{"device", said.device},
          {"outcome", outcome_name(said.outcome)},
          {"started", format_utc(said.started)},
          {"finished", format_utc(said.finished)},
          {"tree", said.tree.hex()},
          {"inferences", said.inferences},
          {"counter", said.counter},
          {"cause", said.cause},
          {"passed_tests", said.passed_tests},
          {"failed_tests", said.failed_tests},
          {"measured", said.measured},
          {"digest", verified->digest.hex()},
          {"envelope", to_base64(envelope)}};
}

json pieces_view(const std::vector<NodeRow>& nodes, const std::string& device) {
  json pieces = json::object();
  for (const NodeRow& node : nodes) {
    if (!node.report || !node.report->transfer) continue;
    if (!device.empty() && node.device != device) continue;
    pieces[node.device] = to_base64(node.report->transfer->piece_map);
  }
  return pieces;
}

json check_view(const StoredCheck& check) {
  json measured = json::parse(check.measured, nullptr, false);
  return {{"finished", format_utc(check.finished)},
          {"phase", check.phase},
          {"verdict", check.verdict},
          {"cause", check.cause},
          {"measured", measured.is_object() ? measured : json::object()}};
}

Result<HeldManifest> find_manifest(const Disk& disk, const Path& targets, const std::string& name) {
  std::size_t slash = name.find('/');
  std::string folder = name.substr(0, slash);
  std::string file = slash == std::string::npos ? "" : name.substr(slash + 1);
  if (!trust::is_name(folder) || file.find('/') != std::string::npos || !file.ends_with(".json")) {
    return Error{Code::kMalformed, "expected a bundle's name of the form NAME/VERSION.json"};
  }
  Error missing{Code::kNotFound, "the manifest " + name + " is not at this site yet"};
  TRY_ASSIGN(auto present, disk.stat(targets / folder));
  if (!present) return missing;
  TRY_ASSIGN(std::vector<DirEntry> entries, disk.list(targets / folder));
  std::optional<HeldManifest> best;
  for (const DirEntry& entry : entries) {
    std::size_t dot = entry.name.find('.');
    if (dot == std::string::npos || entry.name.substr(dot + 1) != file) continue;
    TRY_ASSIGN(Bytes bytes, disk.read(targets / folder / entry.name, trust::kMaxManifestBytes));
    Digest digest = sha256(bytes);
    if (digest.hex() != entry.name.substr(0, dot)) continue;
    Result<trust::Manifest> manifest = trust::parse_manifest(bytes);
    if (!manifest.ok() || (best && best->manifest.release >= manifest->release)) continue;
    best = HeldManifest{digest, std::move(*manifest)};
  }
  if (!best) return missing;
  return std::move(*best);
}

json manifest_view(const HeldManifest& held) {
  const trust::Manifest& manifest = held.manifest;
  json models = json::array();
  for (const trust::ModelFact& model : manifest.models) {
    models.push_back({{"path", model.path},
                      {"format", model.format},
                      {"sha256", model.sha256.hex()},
                      {"versions", model.versions}});
  }
  json deliveries = json::array();
  for (const auto& delivery : manifest.deliveries) deliveries.push_back(delivery_view(delivery));
  json waivers = json::array();
  for (const auto& waiver : manifest.waivers) waivers.push_back(waiver_view(waiver));
  return {{"name", manifest.target_name()},
          {"digest", held.digest.hex()},
          {"version", manifest.version},
          {"release", manifest.release},
          {"security_floor", manifest.security_floor},
          {"vendor", manifest.vendor},
          {"hardware", manifest.hardware},
          {"tree", manifest.tree.hex()},
          {"tree_length", manifest.tree_length},
          {"firmware_version", manifest.firmware_version},
          {"python", manifest.python},
          {"provides", manifest.provides},
          {"packages", manifest.packages},
          {"requires", manifest.requires_facts},
          {"required_tests", manifest.required_tests},
          {"models", models},
          {"deliveries", deliveries},
          {"waivers", waivers}};
}

Result<json> budgets_view(const Disk& disk, const Path& tree) {
  TRY_ASSIGN(Bytes text, disk.read(tree / "validation" / "probe.json", kMaxProbeBytes));
  TRY_ASSIGN(runtime::ProbeSpec spec, runtime::parse_probe_spec(text));
  json out = json::object();
  auto put = [&out](const char* name, const std::optional<double>& value, double scale) {
    if (value) out[name] = *value * scale;
  };
  put("import_ms", spec.budgets.import_ms, 1);
  put("load_ms", spec.budgets.load_ms, 1);
  put("latency.p50_us", spec.budgets.p50_ms, 1000);
  put("rss_mb", spec.budgets.rss_mb, 1);
  put("cpu_ms", spec.budgets.cpu_ms, 1);
  out["wall_ms"] = static_cast<double>(spec.limits.wall_s) * 1000;
  return out;
}

}  // namespace lineside::seeder

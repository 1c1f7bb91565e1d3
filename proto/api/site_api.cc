// SPDX-License-Identifier: Apache-2.0
#include "proto/api/site_api.h"

#include "proto/api/message.h"

namespace lineside::api {
namespace {

using nlohmann::json;
using trust::Fields;

constexpr std::int64_t kMax = kMaxAmount;
constexpr std::int64_t kMaxPieces = 1 << 20;
constexpr std::int64_t kMaxCount = 1 << 24;

json digests_json(const std::vector<Digest>& digests) {
  json list = json::array();
  for (const Digest& digest : digests) list.push_back(digest.hex());
  return list;
}

Result<std::vector<Digest>> parse_digests(const std::vector<std::string>& texts) {
  std::vector<Digest> digests;
  for (const std::string& text : texts) {
    TRY_ASSIGN(Digest digest, Digest::parse(text));
    digests.push_back(digest);
  }
  return digests;
}

json transfer_json(const Transfer& value) {
  return {{"root", value.root.hex()},
          {"length", value.length},
          {"have", value.have},
          {"from_gateway", value.from_gateway},
          {"from_peers", value.from_peers},
          {"wasted", value.wasted},
          {"uploaded", value.uploaded},
          {"pieces", value.pieces},
          {"piece_map", to_base64(value.piece_map)},
          {"peers", value.peers},
          {"down_rate", value.down_rate},
          {"up_rate", value.up_rate},
          {"culprits", value.culprits}};
}

Result<Transfer> read_transfer(Fields& fields) {
  Transfer value;
  value.root = fields.digest("root");
  value.length = amount(fields, "length");
  value.have = amount(fields, "have");
  value.from_gateway = amount(fields, "from_gateway");
  value.from_peers = amount(fields, "from_peers");
  value.wasted = amount(fields, "wasted");
  value.uploaded = amount(fields, "uploaded");
  value.pieces = small_amount(fields, "pieces", kMaxPieces);
  TRY_ASSIGN(value.piece_map, from_base64(fields.text("piece_map")));
  value.peers = small_amount(fields, "peers", kMaxPieces);
  value.down_rate = amount(fields, "down_rate");
  value.up_rate = amount(fields, "up_rate");
  if (fields.has("culprits")) value.culprits = fields.texts("culprits");
  if (value.culprits.size() > kMaxCulprits) fields.fail("culprits", "expected fewer");
  if (value.piece_map.size() > (value.pieces + 7ULL) / 8) {
    fields.fail("piece_map", "expected one bit for each piece");
  }
  return value;
}

json check_json(const CheckSummary& value) {
  return {{"phase", value.phase},       {"verdict", value.verdict},
          {"cause", value.cause},       {"finished", format_utc(value.finished)},
          {"measured", value.measured}, {"stderr_tail", value.stderr_tail}};
}

CheckSummary read_check(Fields& fields) {
  CheckSummary value;
  value.phase = fields.text("phase");
  value.verdict = fields.text("verdict");
  value.cause = fields.text("cause");
  value.finished = fields.utc("finished");
  value.measured = fields.text_map("measured");
  value.stderr_tail = fields.text("stderr_tail");
  return value;
}

json refusal_json(const Refusal& value) {
  return {{"what", value.what},
          {"from", value.from},
          {"code", value.code},
          {"error", value.error},
          {"at", format_utc(value.at)}};
}

Refusal read_refusal(Fields& fields) {
  Refusal value;
  value.what = fields.text("what");
  value.from = fields.text("from");
  value.code = fields.text("code");
  value.error = fields.text("error");
  value.at = fields.utc("at");
  return value;
}

Result<void> read_report(Fields& fields, NodeReport& value) {
  value.device = fields.text("device");
  value.agent = fields.text("agent");
  value.hardware = fields.texts("hardware");
  value.state = fields.text("state");
  value.directive_sequence = fields.integer("directive_sequence", 0, kMax);
  value.roster_version = fields.integer("roster_version", 0, kMax);
  value.bundle = fields.text("bundle");
  value.version = fields.text("version");
  value.manifest = fields.digest("manifest");
  value.tree = fields.digest("tree");
  value.tree_read = fields.utc("tree_read");
  TRY_ASSIGN(value.trees, parse_digests(fields.texts("trees")));
  value.free_bytes = amount(fields, "free_bytes");
  value.inferring = fields.boolean("inferring");
  value.inferring_cause = fields.optional_text("inferring_cause").value_or("");
  value.inferring_since = fields.optional_utc("inferring_since").value_or(UtcTime{});
  value.inferences = amount(fields, "inferences");
  value.damage = fields.optional_text("damage").value_or("");
  value.code = fields.text("code");
  value.error = fields.text("error");
  value.swarm_endpoint = fields.text("swarm_endpoint");
  if (auto transfer = fields.optional_object("transfer")) {
    TRY_ASSIGN(value.transfer, read_transfer(*transfer));
  }
  value.delivered_from_gateway = amount(fields, "delivered_from_gateway");
  value.delivered_from_peers = amount(fields, "delivered_from_peers");
  if (auto check = fields.optional_object("check")) value.check = read_check(*check);
  value.gossip_endpoint = fields.optional_text("gossip_endpoint").value_or("");
  if (auto refusal = fields.optional_object("refusal")) value.refusal = read_refusal(*refusal);
  return ok();
}

}  // namespace

json to_json(const EnrolRequest& value) {
  return {{"device", value.device}, {"hardware", value.hardware}, {"agent", value.agent}};
}

json to_json(const EnrolReply& value) {
  return {{"status", value.status}, {"fingerprint", value.fingerprint}};
}

json to_json(const DeliveryOffer& value) {
  return {{"base", value.base.hex()},
          {"target", value.target.hex()},
          {"length", value.length},
          {"root", value.root.hex()}};
}

json to_json(const NodeReport& value) {
  json out = {{"device", value.device},
              {"agent", value.agent},
              {"hardware", value.hardware},
              {"state", value.state},
              {"directive_sequence", value.directive_sequence},
              {"roster_version", value.roster_version},
              {"bundle", value.bundle},
              {"version", value.version},
              {"manifest", value.manifest.hex()},
              {"tree", value.tree.hex()},
              {"tree_read", format_utc(value.tree_read)},
              {"trees", digests_json(value.trees)},
              {"free_bytes", value.free_bytes},
              {"inferring_cause", value.inferring_cause},
              {"inferring_since", format_utc(value.inferring_since)},
              {"damage", value.damage},
              {"inferring", value.inferring},
              {"inferences", value.inferences},
              {"code", value.code},
              {"error", value.error},
              {"swarm_endpoint", value.swarm_endpoint},
              {"gossip_endpoint", value.gossip_endpoint},
              {"delivered_from_gateway", value.delivered_from_gateway},
              {"delivered_from_peers", value.delivered_from_peers}};
  if (value.transfer) out["transfer"] = transfer_json(*value.transfer);
  if (value.check) out["check"] = check_json(*value.check);
  if (value.refusal) out["refusal"] = refusal_json(*value.refusal);
  return out;
}

json to_json(const ReportReply& value) {
  return {{"roster_version", value.roster_version},
          {"directive_sequence", value.directive_sequence},
          {"attestations", value.attestations},
          {"batches_open", value.batches_open},
          {"paused", value.paused},
          {"called_off", value.called_off},
          {"gateway_endpoint", value.gateway_endpoint},
          {"peers", value.peers},
          {"gossip", value.gossip},
          {"poll_ms", value.poll_ms}};
}

Result<EnrolRequest> parse_enrol_request(BytesView body) {
  return parse_message<EnrolRequest>(body, "enrol request", kMaxReportBytes,
                                     [](Fields& fields, EnrolRequest& value) {
                                       value.device = fields.text("device");
                                       value.hardware = fields.texts("hardware");
                                       value.agent = fields.text("agent");
                                       return ok();
                                     });
}

Result<EnrolReply> parse_enrol_reply(BytesView body) {
  return parse_message<EnrolReply>(body, "enrol reply", kMaxReportBytes,
                                   [](Fields& fields, EnrolReply& value) {
                                     value.status = fields.text("status");
                                     value.fingerprint = fields.text("fingerprint");
                                     return ok();
                                   });
}

Result<DeliveryOffer> parse_delivery_offer(BytesView body) {
  return parse_message<DeliveryOffer>(body, "delivery offer", kMaxReportBytes,
                                      [](Fields& fields, DeliveryOffer& value) {
                                        value.base = fields.digest("base");
                                        value.target = fields.digest("target");
                                        value.length = amount(fields, "length");
                                        value.root = fields.digest("root");
                                        return ok();
                                      });
}

Result<NodeReport> parse_node_report(BytesView body) {
  return parse_message<NodeReport>(body, "report", kMaxReportBytes, read_report);
}

Result<ReportReply> parse_report_reply(BytesView body) {
  return parse_message<ReportReply>(
      body, "report reply", kMaxReportBytes, [](Fields& fields, ReportReply& value) {
        value.roster_version = fields.integer("roster_version", 0, kMax);
        value.directive_sequence = fields.integer("directive_sequence", 0, kMax);
        value.attestations = small_amount(fields, "attestations", kMaxCount);
        value.batches_open = small_amount(fields, "batches_open", kMaxCount);
        value.paused = fields.boolean("paused");
        if (fields.has("called_off")) value.called_off = fields.boolean("called_off");
        value.gateway_endpoint = fields.text("gateway_endpoint");
        value.peers = fields.texts("peers");
        if (fields.has("gossip")) value.gossip = fields.texts("gossip");
        value.poll_ms = static_cast<std::uint32_t>(fields.integer("poll_ms", 50, 3'600'000));
        return ok();
      });
}

}  // namespace lineside::api

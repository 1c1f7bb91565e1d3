// SPDX-License-Identifier: Apache-2.0
#include "proto/api/gossip.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proto/trust/fields.h"
#include "proto/trust/json.h"

namespace lineside::api {

using nlohmann::json;
using trust::Fields;

json to_json(const Heads& value) {
  return {{"site_root", value.site_root},
          {"roster", value.roster},
          {"roster_digest", value.roster_digest.hex()},
          {"directive", value.directive},
          {"directive_digest", value.directive_digest.hex()},
          {"vendor_timestamp", value.vendor_timestamp},
          {"attestations", value.attestations.hex()},
          {"evidence", value.evidence},
          {"delivery", value.delivery.hex()},
          {"gossip_endpoint", value.gossip_endpoint},
          {"swarm_endpoint", value.swarm_endpoint}};
}

Result<Heads> parse_heads(BytesView body) {
  TRY_ASSIGN(json document, trust::parse_json(body, "heads", {kMaxHeadsBytes, 4}));
  Fields fields(document, "heads", trust::UnknownMembers::kAllowed);
  Heads value;
  value.site_root = fields.integer("site_root", 0, trust::kMaxInteger);
  value.roster = fields.integer("roster", 0, trust::kMaxInteger);
  value.roster_digest = fields.digest("roster_digest");
  value.directive = fields.integer("directive", 0, trust::kMaxInteger);
  value.directive_digest = fields.digest("directive_digest");
  value.vendor_timestamp = fields.integer("vendor_timestamp", 0, trust::kMaxInteger);
  value.attestations = fields.digest("attestations");
  value.evidence = fields.boolean("evidence");
  value.delivery = fields.digest("delivery");
  value.gossip_endpoint = fields.text("gossip_endpoint");
  value.swarm_endpoint = fields.text("swarm_endpoint");
  TRY(fields.finish());
  return value;
}

json envelopes_json(const std::vector<Bytes>& envelopes) {
  json list = json::array();
  for (const Bytes& envelope : envelopes) list.push_back(to_base64(envelope));
  return {{"envelopes", list}};
}

Result<std::vector<Bytes>> parse_envelopes(BytesView body, std::uint64_t max_bytes,
                                           std::size_t max_count) {
  TRY_ASSIGN(json value, trust::parse_json(body, "envelopes", {max_bytes, 8}));
  auto list = value.is_object() ? value.find("envelopes") : value.end();
  if (!value.is_object() || list == value.end() || !list->is_array()) {
    return Error{Code::kMalformed, "expected a list \"envelopes\""};
  }
  if (list->size() > max_count) {
    return Error{Code::kTooLarge, "envelopes: more than " + std::to_string(max_count)};
  }
  std::vector<Bytes> envelopes;
  for (const json& item : *list) {
    if (!item.is_string()) return Error{Code::kMalformed, "envelopes: expected strings"};
    TRY_ASSIGN(Bytes envelope, from_base64(item.get_ref<const std::string&>()));
    envelopes.push_back(std::move(envelope));
  }
  return envelopes;
}

Digest evidence_digest(std::vector<Digest> digests) {
  if (digests.empty()) return {};
  std::sort(digests.begin(), digests.end());
  Bytes all;
  for (const Digest& digest : digests) {
    all.insert(all.end(), digest.bytes.begin(), digest.bytes.end());
  }
  return sha256(all);
}

}  // namespace lineside::api

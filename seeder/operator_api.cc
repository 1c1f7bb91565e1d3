// SPDX-License-Identifier: Apache-2.0
#include "seeder/operator_api.h"

#include "proto/api/message.h"

namespace lineside::seeder {
namespace {

using api::amount;
using api::small_amount;
using nlohmann::json;
using trust::Fields;

constexpr std::int64_t kMax = api::kMaxAmount;
constexpr std::uint64_t kMaxAnswerBytes = 256ULL << 20;

void put(json& out, const char* name, const std::optional<UtcTime>& time) {
  if (time) out[name] = format_utc(*time);
}

json origin_json(const OriginRow& row) {
  json out = {{"error", row.error}, {"concerns", row.concerns}};
  put(out, "succeeded", row.succeeded);
  put(out, "failed", row.failed);
  return out;
}

}  // namespace

json to_json(const Forecast& value) {
  return {{"devices", value.devices},           {"wan_bytes", value.wan_bytes},
          {"lan_bytes", value.lan_bytes},       {"transfer_seconds", value.transfer_seconds},
          {"work_seconds", value.work_seconds}, {"soak_seconds", value.soak_seconds}};
}

namespace {

json rollout_json(const RolloutRow& row) {
  json canaries = json::array();
  for (const CanaryRow& canary : row.canaries) {
    canaries.push_back(
        {{"device", canary.device}, {"evidence", canary.evidence}, {"why", canary.why}});
  }
  json opened = json::object();
  for (const auto& [batch, at] : row.opened) opened[batch] = format_utc(at);
  json out = {{"sequence", row.sequence},
              {"bundle", row.bundle},
              {"version", row.version},
              {"manifest", row.manifest.hex()},
              {"stage", row.stage},
              {"paused", row.paused},
              {"reason", row.reason},
              {"batches_open", row.batches_open},
              {"batch_count", row.batch_count},
              {"endings", row.endings},
              {"gate_open", row.gate_open},
              {"gate", row.gate},
              {"canaries", canaries},
              {"wan_payload", row.wan_payload},
              {"wan_metadata", row.wan_metadata},
              {"issued", format_utc(row.issued)},
              {"expires", format_utc(row.expires)},
              {"soak_s", row.soak_s},
              {"opened", opened},
              {"seconds", row.seconds}};
  put(out, "opens_at", row.opens_at);
  if (row.forecast) out["forecast"] = to_json(*row.forecast);
  if (row.tree) out["tree"] = row.tree->hex();
  return out;
}

Forecast read_forecast(Fields& fields) {
  Forecast value;
  value.devices = amount(fields, "devices");
  value.wan_bytes = amount(fields, "wan_bytes");
  value.lan_bytes = amount(fields, "lan_bytes");
  value.transfer_seconds = fields.integer("transfer_seconds", 0, kMax);
  value.work_seconds = fields.optional_integer("work_seconds", 0, kMax).value_or(0);
  value.soak_seconds = fields.integer("soak_seconds", 0, kMax);
  return value;
}

RolloutRow read_rollout(Fields& fields) {
  RolloutRow row;
  row.sequence = fields.integer("sequence", 0, kMax);
  row.bundle = fields.text("bundle");
  row.version = fields.text("version");
  row.manifest = fields.digest("manifest");
  row.tree = fields.optional_digest("tree");
  row.stage = fields.text("stage");
  row.paused = fields.boolean("paused");
  row.reason = fields.text("reason");
  row.batches_open = small_amount(fields, "batches_open");
  row.batch_count = small_amount(fields, "batch_count");
  row.endings = fields.integer_map("endings");
  row.gate_open = fields.boolean("gate_open");
  row.gate = fields.text("gate");
  for (Fields& item : fields.list("canaries")) {
    CanaryRow canary;
    canary.device = item.text("device");
    canary.evidence = item.text("evidence");
    canary.why = item.text("why");
    row.canaries.push_back(std::move(canary));
  }
  row.wan_payload = amount(fields, "wan_payload");
  row.wan_metadata = amount(fields, "wan_metadata");
  row.issued = fields.utc("issued");
  // Since 0.2; an older gateway does not say them.
  row.expires = fields.optional_utc("expires").value_or(UtcTime{});
  row.opens_at = fields.optional_utc("opens_at");
  row.soak_s = fields.optional_integer("soak_s", 0, kMax).value_or(0);
  row.seconds = fields.integer("seconds", 0, kMax);
  if (auto forecast = fields.optional_object("forecast")) row.forecast = read_forecast(*forecast);
  return row;
}

Result<NodeRow> read_node(Fields& fields) {
  NodeRow row;
  row.device = fields.text("device");
  row.fingerprint = fields.text("fingerprint");
  row.hardware = fields.texts("hardware");
  row.groups = fields.texts("groups");
  row.canary = fields.boolean("canary");
  row.revoked = fields.boolean("revoked");
  row.batch = fields.optional_integer("batch", 0, kMax);
  row.health = fields.text("health");
  row.ending = fields.text("ending");
  row.why = fields.text("why");
  row.heard = fields.optional_utc("heard");
  if (fields.has("report")) {
    std::string report = fields.raw("report").dump();
    TRY_ASSIGN(row.report, api::parse_node_report(as_bytes(report)));
  }
  return row;
}

SupplyRow read_supply(Fields& fields) {
  SupplyRow row;
  row.state = fields.text("state");
  row.text = fields.text("text");
  row.done = amount(fields, "done");
  row.total = amount(fields, "total");
  row.retry_at = fields.optional_utc("retry_at");
  row.checked = fields.optional_utc("checked");
  return row;
}

OriginRow read_origin(Fields& fields) {
  OriginRow row;
  auto origin = fields.optional_object("origin");
  if (!origin) return row;
  row.succeeded = origin->optional_utc("succeeded");
  row.failed = origin->optional_utc("failed");
  row.error = origin->text("error");
  row.concerns = origin->text("concerns");
  return row;
}

Result<void> read_status(Fields& fields, SiteStatus& status) {
  status.site = fields.text("site");
  status.fingerprint = fields.text("fingerprint");
  status.now = fields.utc("now");
  status.roster_version = fields.integer("roster_version", 0, kMax);
  status.pending = fields.integer("pending", 0, kMax);
  Fields supply = fields.object("supply");
  status.supply = read_supply(supply);
  status.origin = read_origin(fields);
  status.newest_sequence = fields.optional_integer("newest_sequence", 0, kMax).value_or(0);
  status.newest_roster = fields.optional_integer("newest_roster", 0, kMax).value_or(0);
  if (auto rollout = fields.optional_object("rollout")) status.rollout = read_rollout(*rollout);
  status.health = fields.integer_map("health");
  for (Fields& item : fields.list("nodes")) {
    TRY_ASSIGN(NodeRow row, read_node(item));
    status.nodes.push_back(std::move(row));
  }
  status.wan_total = amount(fields, "wan_total");
  status.wan_budget = amount(fields, "wan_budget");
  return ok();
}

Result<PendingRow> read_pending(Fields& fields) {
  PendingRow row;
  row.device = fields.text("device");
  row.fingerprint = fields.text("fingerprint");
  TRY_ASSIGN(row.spki, from_base64(fields.text("spki")));
  row.hardware = fields.texts("hardware");
  row.agent = fields.text("agent");
  row.first_seen = fields.utc("first_seen");
  row.last_seen = fields.utc("last_seen");
  return row;
}

Result<BundleRow> read_bundle(Fields& fields) {
  BundleRow row;
  row.name = fields.text("name");
  row.length = amount(fields, "length");
  row.mirrored = fields.boolean("mirrored");
  row.held = fields.boolean("held");
  return row;
}

Result<EventRow> read_event(Fields& fields) {
  EventRow row;
  row.number = fields.integer("number", 0, kMax);
  row.at = fields.utc("at");
  row.kind = fields.text("kind");
  row.actor = fields.text("actor");
  row.device = fields.text("device");
  row.sequence = fields.integer("sequence", 0, kMax);
  row.document = fields.text("document");
  row.text = fields.text("text");
  return row;
}

Result<RolloutSummary> read_summary(Fields& fields) {
  RolloutSummary row;
  row.sequence = fields.integer("sequence", 0, kMax);
  row.bundle = fields.text("bundle");
  row.stage = fields.text("stage");
  row.confirmed = fields.integer("confirmed", 0, kMax);
  row.reason = fields.optional_text("reason").value_or("");
  return row;
}

Result<void> read_plan(Fields& fields, PlanView& plan) {
  plan.bundle = fields.text("bundle");
  plan.target = fields.digest("target");
  plan.held = fields.boolean("held");
  plan.wan_bytes = amount(fields, "wan_bytes");
  plan.wan_base = fields.optional_digest("wan_base");
  plan.wan_budget = amount(fields, "wan_budget");
  plan.wan_used = amount(fields, "wan_used");
  for (Fields& item : fields.list("routes")) {
    PlanRoute route;
    route.base = item.digest("base");
    route.length = amount(item, "length");
    route.ready = item.boolean("ready");
    plan.routes.push_back(route);
  }
  plan.origin = read_origin(fields);
  return ok();
}

template <class Value, class Read>
Result<Value> parse_answer(BytesView body, const char* name, Read read) {
  return api::parse_message<Value>(body, name, kMaxAnswerBytes, read);
}

// The list `member` of an answer, each item read by `read`.
template <class Row, class Read>
Result<std::vector<Row>> parse_rows(BytesView body, const char* member, Read read) {
  return parse_answer<std::vector<Row>>(
      body, "answer", [&](Fields& fields, std::vector<Row>& rows) -> Result<void> {
        for (Fields& item : fields.list(member)) {
          TRY_ASSIGN(Row row, read(item));
          rows.push_back(std::move(row));
        }
        return ok();
      });
}

}  // namespace

bool stage_has_ended(std::string_view stage) {
  return stage == "done" || stage == "failed" || stage == "aborted" || stage == "superseded";
}

json to_json(const NodeRow& row) {
  json out = {{"device", row.device}, {"fingerprint", row.fingerprint}, {"hardware", row.hardware},
              {"groups", row.groups}, {"canary", row.canary},           {"revoked", row.revoked},
              {"health", row.health}, {"ending", row.ending},           {"why", row.why}};
  if (row.batch) out["batch"] = *row.batch;
  put(out, "heard", row.heard);
  if (row.report) out["report"] = api::to_json(*row.report);
  return out;
}

json to_json(const SiteStatus& status) {
  json supply = {{"state", status.supply.state},
                 {"text", status.supply.text},
                 {"done", status.supply.done},
                 {"total", status.supply.total}};
  put(supply, "retry_at", status.supply.retry_at);
  put(supply, "checked", status.supply.checked);
  json nodes = json::array();
  for (const NodeRow& row : status.nodes) nodes.push_back(to_json(row));
  json out = {{"site", status.site},
              {"fingerprint", status.fingerprint},
              {"now", format_utc(status.now)},
              {"roster_version", status.roster_version},
              {"pending", status.pending},
              {"supply", supply},
              {"origin", origin_json(status.origin)},
              {"newest_sequence", status.newest_sequence},
              {"newest_roster", status.newest_roster},
              {"health", status.health},
              {"nodes", nodes},
              {"wan_total", status.wan_total},
              {"wan_budget", status.wan_budget}};
  if (status.rollout) out["rollout"] = rollout_json(*status.rollout);
  return out;
}

json to_json(const PendingRow& row) {
  return {{"device", row.device},
          {"fingerprint", row.fingerprint},
          {"spki", to_base64(row.spki)},
          {"hardware", row.hardware},
          {"agent", row.agent},
          {"first_seen", format_utc(row.first_seen)},
          {"last_seen", format_utc(row.last_seen)}};
}

json to_json(const BundleRow& row) {
  return {
      {"name", row.name}, {"length", row.length}, {"mirrored", row.mirrored}, {"held", row.held}};
}

json to_json(const PlanView& plan) {
  json routes = json::array();
  for (const PlanRoute& route : plan.routes) {
    routes.push_back(
        {{"base", route.base.hex()}, {"length", route.length}, {"ready", route.ready}});
  }
  json out = {{"bundle", plan.bundle},
              {"target", plan.target.hex()},
              {"held", plan.held},
              {"wan_bytes", plan.wan_bytes},
              {"wan_budget", plan.wan_budget},
              {"wan_used", plan.wan_used},
              {"routes", routes},
              {"origin", origin_json(plan.origin)}};
  if (plan.wan_base) out["wan_base"] = plan.wan_base->hex();
  return out;
}

json to_json(const EventRow& row) {
  return {{"number", row.number},     {"at", format_utc(row.at)}, {"kind", row.kind},
          {"actor", row.actor},       {"device", row.device},     {"sequence", row.sequence},
          {"document", row.document}, {"text", row.text}};
}

json to_json(const RolloutSummary& row) {
  return {{"sequence", row.sequence},
          {"bundle", row.bundle},
          {"stage", row.stage},
          {"confirmed", row.confirmed},
          {"reason", row.reason}};
}

Result<SiteStatus> parse_site_status(BytesView body) {
  return parse_answer<SiteStatus>(body, "status", read_status);
}
Result<std::vector<NodeRow>> parse_nodes(BytesView body) {
  return parse_rows<NodeRow>(body, "nodes", read_node);
}
Result<std::vector<PendingRow>> parse_pending(BytesView body) {
  return parse_rows<PendingRow>(body, "pending", read_pending);
}
Result<std::vector<BundleRow>> parse_bundles(BytesView body) {
  return parse_rows<BundleRow>(body, "bundles", read_bundle);
}
Result<PlanView> parse_plan(BytesView body) {
  return parse_answer<PlanView>(body, "plan", read_plan);
}
Result<Forecast> parse_forecast(BytesView body) {
  return parse_answer<Forecast>(body, "forecast",
                                [](Fields& fields, Forecast& value) -> Result<void> {
                                  value = read_forecast(fields);
                                  return ok();
                                });
}
Result<std::vector<EventRow>> parse_events(BytesView body) {
  return parse_rows<EventRow>(body, "events", read_event);
}
Result<std::vector<RolloutSummary>> parse_rollouts(BytesView body) {
  return parse_rows<RolloutSummary>(body, "rollouts", read_summary);
}

}  // namespace lineside::seeder

// SPDX-License-Identifier: Apache-2.0
#include "node/life.h"

#include <nlohmann/json.hpp>

#include "proto/trust/fields.h"
#include "proto/trust/json.h"

namespace lineside::node {
namespace {

using nlohmann::json;
using trust::Fields;
using trust::kMaxInteger;

constexpr std::uint64_t kMaxLifeBytes = 1 << 20;

json to_json(const BundleRef& bundle) {
  return {{"name", bundle.name},
          {"version", bundle.version},
          {"manifest", bundle.manifest.hex()},
          {"tree", bundle.tree.hex()},
          {"release", bundle.release}};
}

BundleRef read_bundle(Fields fields) {
  BundleRef bundle;
  bundle.name = fields.text("name");
  bundle.version = fields.text("version");
  bundle.manifest = fields.digest("manifest");
  bundle.tree = fields.digest("tree");
  bundle.release = fields.integer("release", 0, kMaxInteger);
  return bundle;
}

api::DeliveryOffer read_offer(Fields fields) {
  api::DeliveryOffer offer;
  offer.base = fields.digest("base");
  offer.target = fields.digest("target");
  offer.length = static_cast<std::uint64_t>(fields.integer("length", 0, kMaxInteger));
  offer.root = fields.digest("root");
  return offer;
}

json check_json(const api::CheckSummary& check) {
  return {{"phase", check.phase},       {"verdict", check.verdict},
          {"cause", check.cause},       {"finished", format_utc(check.finished)},
          {"measured", check.measured}, {"stderr_tail", check.stderr_tail}};
}

api::CheckSummary read_check(Fields fields) {
  api::CheckSummary check;
  check.phase = fields.text("phase");
  check.verdict = fields.text("verdict");
  check.cause = fields.text("cause");
  check.finished = fields.utc("finished");
  check.measured = fields.text_map("measured");
  check.stderr_tail = fields.text("stderr_tail");
  return check;
}

json to_json(const DocumentFloor& floor) {
  return {{"number", floor.number}, {"digest", floor.digest.hex()}};
}

DocumentFloor read_floor(Fields fields) {
  fields.ignore("envelope");  // of an older agent
  return {fields.integer("number", 0, kMaxInteger), fields.digest("digest")};
}

std::uint64_t count(Fields& fields, std::string_view name) {
  return static_cast<std::uint64_t>(fields.integer(name, 0, kMaxInteger));
}

void read_work(Fields& fields, Life& life) {
  std::string state = fields.text("state");
  if (auto known = state_from(state)) {
    life.state = *known;
  } else {
    fields.fail("state", "expected a state of the life table");
  }
  life.sequence = fields.integer("sequence", 0, kMaxInteger);
  life.directive = fields.digest("directive");
  if (auto target = fields.optional_object("target")) life.target = read_bundle(*target);
  if (auto delivery = fields.optional_object("delivery")) life.delivery = read_offer(*delivery);
  life.tries = static_cast<std::uint32_t>(fields.integer("tries", 0, kTries));
  life.before = fields.optional_digest("before");
  life.code = fields.text("code");
  life.error = fields.text("error");
  if (auto check = fields.optional_object("check")) life.check = read_check(*check);
  life.check_started = fields.utc("check_started");
  life.passed_tests = fields.texts("passed_tests");
  life.failed_tests = fields.texts("failed_tests");
}

void read_lasting(Fields& fields, Life& life) {
  if (auto confirmed = fields.optional_object("confirmed"))
    life.confirmed = read_bundle(*confirmed);
  life.previous = fields.optional_digest("previous");
  life.security_floors = fields.integer_map("security_floors");
  life.attested_sequence = fields.integer("attested_sequence", 0, kMaxInteger);
  life.attestation_counter = fields.integer("attestation_counter", 0, kMaxInteger);
  life.time_floor = fields.utc("time_floor");
  life.from_gateway = count(fields, "from_gateway");
  life.from_peers = count(fields, "from_peers");
  life.inferences = count(fields, "inferences");
  life.inferring = fields.boolean("inferring");
  life.read_back = fields.optional_digest("read_back");
  life.read_back_at = fields.utc("read_back_at");
}

// Members that a file of an older agent does not have.
void read_later(Fields& fields, Life& life) {
  life.inferring_cause = fields.optional_text("inferring_cause").value_or("");
  life.inferring_since = fields.optional_utc("inferring_since").value_or(UtcTime{});
  life.damage = fields.optional_text("damage").value_or("");
  if (fields.has("measured")) life.measured = fields.text_map("measured");
  if (auto floor = fields.optional_object("roster_floor")) life.roster_floor = read_floor(*floor);
  if (auto floor = fields.optional_object("directive_floor"))
    life.directive_floor = read_floor(*floor);
  if (fields.has("operators")) life.operators = fields.texts("operators");
  life.paused_sequence = fields.optional_integer("paused_sequence", 0, kMaxInteger).value_or(0);
}

}  // namespace

bool set_inferring(Life& life, bool inferring, const std::string& cause, UtcTime now) {
  bool news = life.inferring != inferring || life.inferring_since == UtcTime{};
  if (news) life.inferring_since = now;
  life.inferring = inferring;
  life.inferring_cause = inferring ? "" : cause;
  return news;
}

Bytes serialise(const Life& life) {
  json value = {{"schema", 1},
                {"state", state_name(life.state)},
                {"sequence", life.sequence},
                {"directive", life.directive.hex()},
                {"tries", life.tries},
                {"code", life.code},
                {"error", life.error},
                {"check_started", format_utc(life.check_started)},
                {"passed_tests", life.passed_tests},
                {"failed_tests", life.failed_tests},
                {"measured", life.measured},
                {"security_floors", life.security_floors},
                {"attested_sequence", life.attested_sequence},
                {"attestation_counter", life.attestation_counter},
                {"time_floor", format_utc(life.time_floor)},
                {"from_gateway", life.from_gateway},
                {"from_peers", life.from_peers},
                {"inferences", life.inferences},
                {"inferring", life.inferring},
                {"inferring_cause", life.inferring_cause},
                {"inferring_since", format_utc(life.inferring_since)},
                {"roster_floor", to_json(life.roster_floor)},
                {"directive_floor", to_json(life.directive_floor)},
                {"operators", life.operators},
                {"paused_sequence", life.paused_sequence},
                {"damage", life.damage},
                {"read_back_at", format_utc(life.read_back_at)}};
  if (life.target) value["target"] = to_json(*life.target);
  if (life.delivery) value["delivery"] = api::to_json(*life.delivery);
  if (life.before) value["before"] = life.before->hex();
  if (life.check) value["check"] = check_json(*life.check);
  if (life.confirmed) value["confirmed"] = to_json(*life.confirmed);
  if (life.previous) value["previous"] = life.previous->hex();
  if (life.read_back) value["read_back"] = life.read_back->hex();
  return to_bytes(value.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

Result<Life> parse_life(BytesView bytes) {
  TRY_ASSIGN(json value, trust::parse_json(bytes, "life.json", {kMaxLifeBytes, 8}));
  Fields fields(value, "life.json");
  fields.integer("schema", 1, 1);
  Life life;
  read_work(fields, life);
  read_lasting(fields, life);
  read_later(fields, life);
  TRY(fields.finish());
  return life;
}

Result<Life> load_life(const Disk& disk, const Path& state) {
  auto bytes = disk.read(state / "life.json", kMaxLifeBytes);
  if (!bytes.ok() && bytes.error().code == Code::kNotFound) return Life{};
  if (!bytes.ok()) return bytes.error();
  return parse_life(*bytes);
}

Result<void> save_life(Disk& disk, const Path& state, const Life& life) {
  return disk.replace(state / "life.json", serialise(life));
}

}  // namespace lineside::node

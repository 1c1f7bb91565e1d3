// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/roster.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "proto/trust/document.h"

namespace lineside::trust {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDevices = 50'000;
constexpr std::size_t kMaxGateways = 64;
constexpr std::size_t kMaxClasses = 32;
constexpr std::size_t kMaxGroups = 64;

// Keys that have been seen in one roster. One key for two devices would let one of them speak for
// both; one for a device and a gateway would let a seized gateway attest.
using SeenKeys = std::set<Bytes>;

Result<PublicKey> read_key(const json& value, const std::string& where, SeenKeys& seen) {
  auto key = PublicKey::from_tuf(value);
  if (!key.ok()) return key.error().with(where);
  if (key->scheme() == Scheme::kUnknown) {
    return Error{Code::kMalformed, where + ": expected a key of a scheme that this build knows"};
  }
  if (!seen.insert(key->spki()).second) {
    return Error{Code::kMalformed, where + ": the same key stands in the roster before"};
  }
  return key;
}

Result<std::vector<PublicKey>> read_gateways(const json& values, SeenKeys& seen) {
  if (!values.is_array() || values.empty() || values.size() > kMaxGateways) {
    return Error{Code::kMalformed, "roster.gateways: expected an array of 1 to 64 keys"};
  }
  std::vector<PublicKey> gateways;
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::string where = "roster.gateways[" + std::to_string(i) + "]";
    TRY_ASSIGN(PublicKey key, read_key(values[i], where, seen));
    gateways.push_back(std::move(key));
  }
  return gateways;
}

Result<Device> read_device(Fields& fields, SeenKeys& seen) {
  std::string id = name_text(fields, "id");
  TRY_ASSIGN(PublicKey key, read_key(fields.raw("key"), fields.path() + ".key", seen));
  Device device{.id = std::move(id), .key = std::move(key), .hardware = {}, .groups = {}};
  device.hardware = name_list(fields, "hardware", kMaxClasses);
  if (device.hardware.empty()) fields.fail("hardware", "expected at least one class");
  device.groups = name_list(fields, "groups", kMaxGroups);
  device.canary = fields.boolean("canary");
  device.revoked = fields.boolean("revoked");
  return device;
}

void check_order(Fields& fields, const std::vector<Device>& devices) {
  for (std::size_t i = 1; i < devices.size(); ++i) {
    if (devices[i - 1].id < devices[i].id) continue;
    fields.fail("devices[" + std::to_string(i) + "].id",
                "expected ids in ascending order, none twice");
    return;
  }
}

json device_json(const Device& device) {
  return {{"id", device.id},         {"key", device.key.tuf()}, {"hardware", device.hardware},
          {"groups", device.groups}, {"canary", device.canary}, {"revoked", device.revoked}};
}

}  // namespace

const Device* Roster::find(std::string_view id) const {
  auto less = [](const Device& device, std::string_view wanted) { return device.id < wanted; };
  auto it = std::lower_bound(devices.begin(), devices.end(), id, less);
  return it != devices.end() && it->id == id ? &*it : nullptr;
}

const Device* Roster::find(const PublicKey& key) const {
  auto it = std::find_if(devices.begin(), devices.end(),
                         [&](const Device& device) { return device.key == key; });
  return it != devices.end() ? &*it : nullptr;
}

bool Roster::is_gateway(const PublicKey& key) const {
  return std::find(gateways.begin(), gateways.end(), key) != gateways.end();
}

Bytes serialise(const Roster& roster) {
  json gateways = json::array();
  for (const PublicKey& key : roster.gateways) gateways.push_back(key.tuf());
  json devices = json::array();
  for (const Device& device : roster.devices) devices.push_back(device_json(device));
  return document_bytes({{"schema", kSchema},
                         {"site", roster.site},
                         {"version", roster.version},
                         {"issued", format_utc(roster.issued)},
                         {"gateways", std::move(gateways)},
                         {"devices", std::move(devices)}});
}

Result<Roster> parse_roster(BytesView payload) {
  TRY_ASSIGN(json tree, parse_document(payload, "roster", kMaxEnvelopeBytes));
  Fields fields(tree, "roster");
  fields.ignore("schema");
  Roster roster;
  roster.site = name_text(fields, "site");
  roster.version = fields.integer("version", 1, kMaxDocumentNumber);
  roster.issued = fields.utc("issued");
  SeenKeys seen;
  TRY_ASSIGN(roster.gateways, read_gateways(fields.raw("gateways"), seen));
  for (Fields& item : bounded_list(fields, "devices", kMaxDevices)) {
    TRY_ASSIGN(Device device, read_device(item, seen));
    roster.devices.push_back(std::move(device));
  }
  check_order(fields, roster.devices);
  TRY(fields.finish());
  return roster;
}

Result<VerifiedRoster> verify_roster(BytesView envelope, const Authority& operators,
                                     std::string_view site, std::int64_t at_least_version) {
  auto opened = open(envelope, kRosterType, operators);
  if (!opened.ok()) return opened.error().with("roster");
  TRY_ASSIGN(Roster roster, parse_roster(opened->payload));
  if (roster.site != site) {
    return Error{Code::kWrongSite, "roster is for site \"" + roster.site + "\", this is \"" +
                                       std::string(site) + "\""};
  }
  if (roster.version < at_least_version) {
    return Error{Code::kRollback, "roster " + std::to_string(roster.version) + " is older than " +
                                      std::to_string(at_least_version)};
  }
  return VerifiedRoster{std::move(roster), opened->digest, {envelope.begin(), envelope.end()}};
}

}  // namespace lineside::trust

// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/manifest.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "proto/trust/document.h"

namespace lineside::trust {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDeliveries = 1024;
constexpr std::size_t kMaxFacts = 4096;
constexpr std::size_t kMaxTests = 1024;
constexpr std::size_t kMaxPackages = 16'384;
constexpr std::size_t kMaxClasses = 256;
constexpr std::size_t kMaxModelVersions = 256;

json delivery_json(const Delivery& delivery) {
  return {{"base", delivery.base.hex()},
          {"target", delivery.target.hex()},
          {"length", delivery.length},
          {"root", delivery.root.hex()}};
}

Delivery read_delivery(Fields& fields) {
  Delivery delivery;
  delivery.base = fields.digest("base");
  delivery.target = fields.digest("target");
  delivery.length = size_number(fields, "length");
  delivery.root = fields.digest("root");
  if (delivery.length == 0) fields.fail("length", "expected at least 1 byte");
  return delivery;
}

json model_json(const ModelFact& model) {
  return {{"path", model.path},
          {"sha256", model.sha256.hex()},
          {"format", model.format},
          {"versions", model.versions}};
}

ModelFact read_model(Fields& fields) {
  ModelFact model;
  model.path = fields.text("path");
  if (auto safe = check_path(model.path); !safe.ok()) fields.fail("path", safe.error().what);
  model.sha256 = fields.digest("sha256");
  model.format = label_text(fields, "format");
  model.versions = number_map(fields, "versions", kMaxModelVersions);
  return model;
}

json waiver_json(const Waiver& waiver) {
  return {{"rule", waiver.rule},
          {"subject", waiver.subject},
          {"by", waiver.by},
          {"until", format_utc(waiver.until)},
          {"reason", clean_text(waiver.reason)}};
}

Waiver read_waiver(Fields& fields) {
  Waiver waiver;
  waiver.rule = label_text(fields, "rule");
  waiver.subject = label_text(fields, "subject");
  waiver.by = label_text(fields, "by");
  waiver.until = fields.utc("until");
  waiver.reason = prose_text(fields, "reason");
  return waiver;
}

template <class T>
json array_of(const std::vector<T>& items, json (*convert)(const T&)) {
  json array = json::array();
  for (const T& item : items) array.push_back(convert(item));
  return array;
}

template <class T>
std::vector<T> items_of(Fields& fields, std::string_view member, std::size_t max,
                        T (*read)(Fields&)) {
  std::vector<T> items;
  for (Fields& item : bounded_list(fields, member, max)) items.push_back(read(item));
  return items;
}

// Identity: what it is called and what it may replace.
void read_identity(Fields& fields, Manifest& manifest) {
  manifest.name = name_text(fields, "name");
  manifest.version = checked_text(fields, "version", is_version,
                                  "expected a version [0-9A-Za-z][0-9A-Za-z.+~-]{0,63}");
  manifest.release = fields.integer("release", 1, kMaxInteger);
  manifest.security_floor = fields.integer("security_floor", 0, kMaxInteger);
  if (manifest.security_floor > manifest.release) {
    fields.fail("security_floor", "expected at most the release: it would shut itself out");
  }
  manifest.vendor = label_text(fields, "vendor");
  manifest.hardware = sorted_names(fields, "hardware", kMaxClasses);
  if (manifest.hardware.empty()) fields.fail("hardware", "expected at least one class");
}

void check_deliveries(Fields& fields, const Manifest& manifest) {
  std::set<TreeId> bases;
  for (std::size_t i = 0; i < manifest.deliveries.size(); ++i) {
    const Delivery& delivery = manifest.deliveries[i];
    std::string item = "deliveries[" + std::to_string(i) + "]";
    if (delivery.target != manifest.tree) fields.fail(item + ".target", "expected the tree");
    if (delivery.base == delivery.target) fields.fail(item + ".base", "expected another tree");
    if (!bases.insert(delivery.base).second) fields.fail(item + ".base", "the same base twice");
  }
}

void read_tree(Fields listing, Fields& fields, Manifest& manifest) {
  manifest.listing_length = size_number(listing, "length");
  if (manifest.listing_length == 0) listing.fail("length", "expected at least 1 byte");
  manifest.tree = listing.digest("sha256");
  manifest.tree_length = size_number(fields, "tree_length");
  manifest.deliveries = items_of(fields, "deliveries", kMaxDeliveries, read_delivery);
  check_deliveries(fields, manifest);
}

void read_facts(Fields& fields, Manifest& manifest) {
  manifest.firmware_version = prose_text(fields, "firmware_version");
  manifest.provides = label_map(fields, "provides", kMaxFacts);
  manifest.python = prose_text(fields, "python");
  manifest.packages = label_map(fields, "packages", kMaxPackages);
  manifest.models = items_of(fields, "models", kMaxFacts, read_model);
  manifest.requires_facts = label_list(fields, "requires", kMaxFacts);
  manifest.waivers = items_of(fields, "waivers", kMaxFacts, read_waiver);
}

// A bundle that asks for no test would pass its gate by doing nothing.
void read_check(Fields fields, Manifest& manifest) {
  manifest.check = fields.digest("sha256");
  manifest.golden = fields.digest("golden");
  manifest.required_tests = label_list(fields, "required_tests", kMaxTests);
  if (manifest.required_tests.empty()) fields.fail("required_tests", "expected at least one");
}

}  // namespace

std::string Manifest::target_name() const {
  return name + "/" + version + ".json";
}
std::string Manifest::listing_name() const {
  return name + "/" + version + ".listing";
}

Bytes serialise(const Manifest& manifest) {
  json listing = {{"length", manifest.listing_length}, {"sha256", manifest.tree.hex()}};
  json check = {{"sha256", manifest.check.hex()},
                {"golden", manifest.golden.hex()},
                {"required_tests", manifest.required_tests}};
  return document_bytes({{"schema", kSchema},
                         {"name", manifest.name},
                         {"version", manifest.version},
                         {"release", manifest.release},
                         {"security_floor", manifest.security_floor},
                         {"vendor", manifest.vendor},
                         {"hardware", manifest.hardware},
                         {"listing", std::move(listing)},
                         {"tree_length", manifest.tree_length},
                         {"deliveries", array_of(manifest.deliveries, delivery_json)},
                         {"firmware_version", manifest.firmware_version},
                         {"provides", manifest.provides},
                         {"python", manifest.python},
                         {"packages", manifest.packages},
                         {"models", array_of(manifest.models, model_json)},
                         {"requires", manifest.requires_facts},
                         {"waivers", array_of(manifest.waivers, waiver_json)},
                         {"check", std::move(check)}});
}

Result<Manifest> parse_manifest(BytesView bytes) {
  TRY_ASSIGN(json tree, parse_document(bytes, "manifest", kMaxManifestBytes));
  Fields fields(tree, "manifest");
  fields.ignore("schema");
  Manifest manifest;
  read_identity(fields, manifest);
  read_tree(fields.object("listing"), fields, manifest);
  read_facts(fields, manifest);
  read_check(fields.object("check"), manifest);
  TRY(fields.finish());
  return manifest;
}

}  // namespace lineside::trust

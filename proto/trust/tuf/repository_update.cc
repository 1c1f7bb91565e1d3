// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/tuf/repository_update.h"

#include <nlohmann/json.hpp>

#include "proto/trust/json.h"

namespace lineside::trust::tuf {

using nlohmann::json;

namespace {

json snapshot_content(const Snapshot* present, BytesView targets, std::int64_t targets_version,
                      std::int64_t version, UtcTime expires) {
  json content = new_signed("snapshot", version, expires);
  content["meta"] = json::object();
  if (present != nullptr) {
    for (const auto& [name, meta] : present->meta) {
      content["meta"][name] = {{"version", meta.version}};
      if (meta.length) content["meta"][name]["length"] = *meta.length;
      if (!meta.hashes.empty()) content["meta"][name]["hashes"] = meta.hashes;
    }
  }
  content["meta"]["targets.json"] = meta_of(targets, targets_version);
  return content;
}

Result<Bytes> new_timestamp(std::int64_t version, BytesView snapshot, std::int64_t snapshot_version,
                            const Signing& by) {
  json content = new_signed("timestamp", version, by.now + by.lifetimes.timestamp);
  content["meta"]["snapshot.json"] = meta_of(snapshot, snapshot_version);
  return sign_role(content, by.roots, "timestamp", by.keys);
}

}  // namespace

Result<json> signed_part(BytesView bytes) {
  JsonLimits limits;
  limits.max_bytes = kMaxTargetsBytes;
  TRY_ASSIGN(json tree, parse_json(bytes, "targets", limits));
  return tree.at("signed");
}

json first_targets(const Signing& by) {
  json targets = new_signed("targets", 1, by.now + by.lifetimes.targets);
  targets["targets"] = json::object();
  return targets;
}

Result<Update> first_update(Bytes targets, const Signing& by) {
  Update update;
  update.targets_version = update.snapshot_version = 1;
  json snapshot = snapshot_content(nullptr, targets, 1, 1, by.now + by.lifetimes.snapshot);
  TRY_ASSIGN(update.snapshot, sign_role(snapshot, by.roots, "snapshot", by.keys));
  TRY_ASSIGN(update.timestamp, new_timestamp(1, *update.snapshot, 1, by));
  update.targets = std::move(targets);
  return update;
}

Result<Update> follow_targets(const Newest& newest, Bytes targets, std::int64_t version,
                              const Signing& by) {
  Update update;
  update.targets_version = version;
  update.snapshot_version = newest.snapshot.file.version + 1;
  json snapshot = snapshot_content(&newest.snapshot.file, targets, version, update.snapshot_version,
                                   by.now + by.lifetimes.snapshot);
  TRY_ASSIGN(update.snapshot, sign_role(snapshot, by.roots, "snapshot", by.keys));
  TRY_ASSIGN(update.timestamp, new_timestamp(newest.timestamp.file.version + 1, *update.snapshot,
                                             update.snapshot_version, by));
  update.targets = std::move(targets);
  return update;
}

Result<Update> renew_snapshot(const Newest& newest, const Signing& by) {
  TRY_ASSIGN(Update update,
             follow_targets(newest, newest.targets.bytes, newest.targets.file.version, by));
  update.targets.reset();  // is there already
  return update;
}

Result<Update> renew_timestamp(const Newest& newest, const Signing& by) {
  Update update;
  TRY_ASSIGN(update.timestamp,
             new_timestamp(newest.timestamp.file.version + 1, newest.snapshot.bytes,
                           newest.snapshot.file.version, by));
  return update;
}

}  // namespace lineside::trust::tuf

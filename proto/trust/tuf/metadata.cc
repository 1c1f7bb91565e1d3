// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/tuf/metadata.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "proto/trust/fields.h"
#include "proto/trust/json.h"

namespace lineside::trust::tuf {
namespace {

using nlohmann::json;

constexpr std::int64_t kMaxThreshold = 1024;
constexpr std::string_view kTopLevel[] = {"root", "timestamp", "snapshot", "targets"};

Result<json> parse_file(BytesView bytes, std::string_view name, std::uint64_t max_bytes) {
  JsonLimits limits;
  limits.max_bytes = max_bytes;
  return parse_json(bytes, name, limits);
}

// Signatures that are no hexadecimal are kept as empty ones: some tools write "" for a key that has
// not signed yet. A key id twice is refused (4.2), however many good signatures there are.
std::vector<Signature> read_signatures(Fields& file) {
  std::vector<Signature> out;
  std::set<std::string> seen;
  for (Fields& one : file.list("signatures")) {
    Signature signature;
    signature.keyid = one.text("keyid");
    auto raw = from_hex(one.text("sig"));
    if (raw.ok()) signature.bytes = std::move(raw).value();
    if (!seen.insert(signature.keyid).second) one.fail("keyid", "signs this file twice");
    out.push_back(std::move(signature));
  }
  return out;
}

// The members that every role has (4.3 to 4.6): type, specification version, version, expiry.
Result<void> read_envelope(const json& tree, Fields& file, std::string_view type, Envelope& out) {
  Fields body = file.object("signed");
  if (body.text("_type") != type) body.fail("_type", "expected \"" + std::string(type) + "\"");
  std::string spec = body.text("spec_version");
  out.version = body.integer("version", 1, kMaxInteger);
  out.expires = body.utc("expires");
  out.signatures = read_signatures(file);
  TRY(file.finish());
  if (spec != "1" && spec.rfind("1.", 0) != 0) {
    return Error{Code::kUnsupported,
                 body.path() + ".spec_version: expected 1.x, found \"" + spec.substr(0, 20) + "\""};
  }
  TRY_ASSIGN(out.signed_bytes, canonical_json(tree.at("signed")));
  return ok();
}

RoleKeyIds read_role(Fields& role) {
  RoleKeyIds out;
  out.keyids = role.texts("keyids");
  out.threshold = static_cast<unsigned>(role.integer("threshold", 1, kMaxThreshold));
  std::set<std::string> distinct(out.keyids.begin(), out.keyids.end());
  if (distinct.size() != out.keyids.size()) role.fail("keyids", "expected no key id twice");
  return out;
}

// A key id is computed, never believed (4.3: one id must mean one key).
KeyRing read_keys(Fields& parent, std::string_view name) {
  KeyRing out;
  Fields all = parent.object(name);
  for (auto& [keyid, ignored] : parent.object_map(name)) {
    auto key = PublicKey::from_tuf(all.raw(keyid));
    if (!key.ok()) {
      all.fail(keyid, key.error().what);
    } else if (key->keyid() != keyid) {
      all.fail(keyid, "expected the key id " + key->keyid());
    } else {
      out.emplace(keyid, std::move(key).value());
    }
  }
  return out;
}

bool is_hex_of(std::string_view text, std::size_t digits) {
  return text.size() == digits && from_hex(text).ok();
}

// An algorithm that we do not know is kept: whoever compares needs one that we know.
std::map<std::string, std::string> read_hashes(Fields& parent) {
  auto hashes = parent.text_map("hashes");
  if (hashes.empty()) parent.fail("hashes", "expected at least one");
  for (const auto& [algorithm, hex] : hashes) {
    if (algorithm == "sha256" && !is_hex_of(hex, 64)) {
      parent.fail("hashes.sha256", "expected 64 hexadecimal digits");
    }
    if (algorithm == "sha512" && !is_hex_of(hex, 128)) {
      parent.fail("hashes.sha512", "expected 128 hexadecimal digits");
    }
  }
  return hashes;
}

MetaFile read_meta(Fields& meta) {
  MetaFile out;
  out.version = meta.integer("version", 1, kMaxInteger);
  if (auto length = meta.optional_integer("length", 0, kMaxInteger)) {
    out.length = static_cast<std::uint64_t>(*length);
  }
  if (meta.has("hashes")) out.hashes = read_hashes(meta);
  return out;
}

TargetInfo read_target(const std::string& name, Fields& target) {
  TargetInfo out;
  out.name = name;
  out.length = static_cast<std::uint64_t>(target.integer("length", 0, kMaxInteger));
  out.hashes = read_hashes(target);
  return out;
}

// Names that are none are left out: nothing depends on them.
std::map<std::string, std::string> read_names(const json& tree) {
  std::map<std::string, std::string> names;
  auto body = tree.find("signed");
  if (body == tree.end() || !body->is_object()) return names;
  auto found = body->find(kNamesMember);
  if (found == body->end() || !found->is_object()) return names;
  for (const auto& [keyid, name] : found->items()) {
    if (name.is_string() && is_key_name(name.get_ref<const std::string&>())) names[keyid] = name;
  }
  return names;
}

bool is_top_level(std::string_view name) {
  return std::find(std::begin(kTopLevel), std::end(kTopLevel), name) != std::end(kTopLevel);
}

DelegatedRole read_delegated_role(Fields& role) {
  DelegatedRole out;
  out.name = role.text("name");
  // These would take the place of the role that the root vouches for.
  if (out.name.empty() || is_top_level(out.name)) role.fail("name", "expected a name of its own");
  out.keyids = read_role(role);
  out.terminating = role.boolean("terminating");
  if (role.has("paths")) out.paths = role.texts("paths");
  if (role.has("path_hash_prefixes")) out.path_hash_prefixes = role.texts("path_hash_prefixes");
  if (role.has("paths") == role.has("path_hash_prefixes")) {
    role.fail("paths", "expected either paths or path_hash_prefixes");
  }
  return out;
}

void read_delegations(Fields& body, Targets& out) {
  auto delegations = body.optional_object("delegations");
  if (!delegations) return;
  out.keys = read_keys(*delegations, "keys");
  std::set<std::string> names;
  for (Fields& role : delegations->list("roles")) {
    out.roles.push_back(read_delegated_role(role));
    if (!names.insert(out.roles.back().name).second) role.fail("name", "expected no role twice");
  }
}

}  // namespace

bool is_key_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("@._+-").find(c) != std::string_view::npos;
  });
}

std::string name_of(const Root& root, const std::string& keyid) {
  auto named = root.names.find(keyid);
  return named == root.names.end() ? keyid.substr(0, 12) : named->second;
}

Result<AnyRole> parse_any(BytesView bytes) {
  TRY_ASSIGN(json tree, parse_file(bytes, "metadata", kMaxTargetsBytes));
  Fields file(tree, "metadata", UnknownMembers::kAllowed);
  AnyRole out;
  out.type = file.object("signed").text("_type");
  TRY(read_envelope(tree, file, out.type, out));
  return out;
}

Result<Root> parse_root(BytesView bytes) {
  TRY_ASSIGN(json tree, parse_file(bytes, "root", kMaxRootBytes));
  Fields file(tree, "root", UnknownMembers::kAllowed);
  Root root;
  Fields body = file.object("signed");
  root.consistent_snapshot = body.optional_boolean("consistent_snapshot").value_or(false);
  root.keys = read_keys(body, "keys");
  Fields roles = body.object("roles");
  for (std::string_view name : kTopLevel) {
    Fields role = roles.object(name);
    root.roles.emplace(name, read_role(role));
  }
  TRY(read_envelope(tree, file, "root", root));
  root.names = read_names(tree);
  return root;
}

Result<Timestamp> parse_timestamp(BytesView bytes) {
  TRY_ASSIGN(json tree, parse_file(bytes, "timestamp", kMaxTimestampBytes));
  Fields file(tree, "timestamp", UnknownMembers::kAllowed);
  Timestamp timestamp;
  Fields body = file.object("signed");
  auto meta = body.object_map("meta");
  if (meta.size() != 1 || !meta.contains("snapshot.json")) {
    body.fail("meta", "expected snapshot.json and nothing else");  // 4.6
  } else {
    timestamp.snapshot = read_meta(meta.at("snapshot.json"));
  }
  TRY(read_envelope(tree, file, "timestamp", timestamp));
  return timestamp;
}

Result<Snapshot> parse_snapshot(BytesView bytes) {
  TRY_ASSIGN(json tree, parse_file(bytes, "snapshot", kMaxSnapshotBytes));
  Fields file(tree, "snapshot", UnknownMembers::kAllowed);
  Snapshot snapshot;
  Fields body = file.object("signed");
  for (auto& [name, meta] : body.object_map("meta")) {
    if (!name.ends_with(".json")) body.fail("meta", "expected names that end in .json");
    snapshot.meta.emplace(name, read_meta(meta));
  }
  TRY(read_envelope(tree, file, "snapshot", snapshot));
  return snapshot;
}

Result<Targets> parse_targets(BytesView bytes, std::string_view name) {
  TRY_ASSIGN(json tree, parse_file(bytes, name, kMaxTargetsBytes));
  Fields file(tree, std::string(name), UnknownMembers::kAllowed);
  Targets targets;
  Fields body = file.object("signed");
  for (auto& [target, facts] : body.object_map("targets")) {
    targets.targets.emplace(target, read_target(target, facts));
  }
  read_delegations(body, targets);
  TRY(read_envelope(tree, file, "targets", targets));
  return targets;
}

}  // namespace lineside::trust::tuf

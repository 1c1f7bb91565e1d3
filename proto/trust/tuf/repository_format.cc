// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/tuf/repository_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proto/base/sha256.h"
#include "proto/trust/document.h"
#include "proto/trust/json.h"
#include "proto/trust/tuf/repository.h"
#include "proto/trust/tuf/verify.h"

namespace lineside::trust {
namespace tuf {

using nlohmann::json;

namespace {

constexpr std::string_view kSpecVersion = "1.0.34";
constexpr std::string_view kTopLevel[] = {"root", "timestamp", "snapshot", "targets"};

// The id under which `keys` has this key; its own if it is not among them. (One key may be written
// in two ways, and then it has two ids.)
std::string id_within(const KeyRing& keys, const PublicKey& key) {
  for (const auto& [keyid, candidate] : keys) {
    if (candidate == key) return keyid;
  }
  return key.keyid();
}

// Replaces a signature of the same key that does not hold, so that signing again mends it.
Result<void> add_signature(json& tree, const std::string& keyid, const PrivateKey& key) {
  TRY_ASSIGN(Bytes message, canonical_json(tree.at("signed")));
  json& signatures = tree.at("signatures");
  for (json& signature : signatures) {
    if (signature.value("keyid", "") != keyid) continue;
    auto present = from_hex(signature.value("sig", ""));
    if (present.ok() && key.public_key().verify(message, *present)) return ok();
    TRY_ASSIGN(Bytes made, key.sign(message));
    signature["sig"] = to_hex(made);
    return ok();
  }
  TRY_ASSIGN(Bytes made, key.sign(message));
  signatures.push_back({{"keyid", keyid}, {"sig", to_hex(made)}});
  return ok();
}

// The ids of a role's keys: the role's part of a root's "signed".
json role_object(const RoleKeys& role) {
  json keyids = json::array();
  for (const PublicKey& key : role.keys) keyids.push_back(key.keyid());
  return {{"keyids", std::move(keyids)}, {"threshold", role.threshold}};
}

Result<void> check_role(std::string_view name, const RoleKeys& role) {
  for (std::size_t i = 0; i < role.keys.size(); ++i) {
    if (std::find(role.keys.begin(), role.keys.begin() + static_cast<std::ptrdiff_t>(i),
                  role.keys[i]) != role.keys.begin() + static_cast<std::ptrdiff_t>(i)) {
      return Error{Code::kUsage, fmt::format("{}: key {} twice", name, role.keys[i].keyid())};
    }
  }
  if (role.threshold >= 1 && role.threshold <= role.keys.size()) return ok();
  return Error{Code::kUsage, fmt::format("{}: a threshold of {} with {} keys", name, role.threshold,
                                         role.keys.size())};
}

// What people call the keys: an extension that clients ignore, signed like the rest.
Result<void> name_keys(const RootSpec& spec, json& content) {
  for (const auto& [keyid, name] : spec.names) {
    if (!is_key_name(name)) {
      return Error{Code::kUsage,
                   fmt::format("a key is called \"{}\": expected 1 to 64 of [A-Za-z0-9@._+-]",
                               clean_text(name, 80))};
    }
    if (content["keys"].contains(keyid)) content[kNamesMember][keyid] = name;
  }
  return ok();
}

}  // namespace

json new_signed(std::string_view type, std::int64_t version, UtcTime expires) {
  return {{"_type", type},
          {"spec_version", kSpecVersion},
          {"version", version},
          {"expires", format_utc(expires)}};
}

json facts_of(BytesView bytes) {
  return {{"length", bytes.size()}, {"hashes", {{"sha256", sha256(bytes).hex()}}}};
}

json meta_of(BytesView bytes, std::int64_t version) {
  json out = facts_of(bytes);
  out["version"] = version;
  return out;
}

namespace {

Result<void> add_signatures(json& tree, const Root& root, std::string_view role,
                            const std::vector<const PrivateKey*>& keys) {
  const std::vector<std::string>& trusted = root.roles.find(role)->second.keyids;
  for (const PrivateKey* key : keys) {
    std::string keyid = id_within(root.keys, key->public_key());
    bool of_role = std::find(trusted.begin(), trusted.end(), keyid) != trusted.end();
    if (of_role) TRY(add_signature(tree, keyid, *key));
  }
  return ok();
}

}  // namespace

Result<Bytes> sign_role(const json& content, const Roots& roots, std::string_view role,
                        const std::vector<const PrivateKey*>& keys, bool complete) {
  json tree = {{"signed", content}, {"signatures", json::array()}};
  for (const Root* root : roots) TRY(add_signatures(tree, *root, role, keys));
  Bytes bytes = document_bytes(tree);
  if (!complete) return bytes;
  TRY_ASSIGN(AnyRole file, parse_any(bytes));
  for (const Root* root : roots) {
    TRY(verify_signatures(root->keys, root->roles.find(role)->second, file, role));
  }
  return bytes;
}

}  // namespace tuf

Result<Bytes> draft_root(const RootSpec& spec, std::int64_t version, UtcTime now) {
  nlohmann::json content = tuf::new_signed("root", version, now + spec.lifetime);
  content["consistent_snapshot"] = true;
  content["keys"] = nlohmann::json::object();
  if (version < 1 || spec.roles.size() != std::size(tuf::kTopLevel)) {
    return Error{Code::kUsage, "a root has a version from 1 and exactly the four top-level roles"};
  }
  for (std::string_view name : tuf::kTopLevel) {
    auto role = spec.roles.find(std::string(name));
    if (role == spec.roles.end()) return Error{Code::kUsage, fmt::format("no role {}", name)};
    TRY(tuf::check_role(name, role->second));
    content["roles"][std::string(name)] = tuf::role_object(role->second);
    for (const PublicKey& key : role->second.keys) content["keys"][key.keyid()] = key.tuf();
  }
  TRY(tuf::name_keys(spec, content));
  return document_bytes({{"signed", content}, {"signatures", nlohmann::json::array()}});
}

Result<Bytes> sign_metadata(BytesView metadata, const PrivateKey& key) {
  TRY_ASSIGN(tuf::AnyRole file, tuf::parse_any(metadata));
  JsonLimits limits;
  limits.max_bytes = tuf::kMaxTargetsBytes;
  TRY_ASSIGN(nlohmann::json tree, parse_json(metadata, "metadata", limits));
  std::string keyid = key.public_key().keyid();
  if (file.type == "root") {
    TRY_ASSIGN(tuf::Root root, tuf::parse_root(metadata));
    keyid = tuf::id_within(root.keys, key.public_key());
  }
  TRY(tuf::add_signature(tree, keyid, key));
  return document_bytes(tree);
}

Result<SignatureState> signature_state(BytesView metadata, BytesView root, std::string_view role) {
  TRY_ASSIGN(tuf::AnyRole file, tuf::parse_any(metadata));
  TRY_ASSIGN(tuf::Root trusted, tuf::parse_root(root));
  auto found = trusted.roles.find(role);
  if (found == trusted.roles.end()) {
    return Error{Code::kNotFound, fmt::format("the root has no role {}", role)};
  }
  std::set<std::string> signers = tuf::valid_signers(trusted.keys, found->second, file);
  SignatureState state;
  state.have = static_cast<unsigned>(signers.size());
  state.need = found->second.threshold;
  for (const std::string& keyid : found->second.keyids) {
    if (signers.contains(keyid)) continue;
    state.missing.push_back(keyid);
    state.missing_names.push_back(tuf::name_of(trusted, keyid));
  }
  return state;
}

std::string describe(const SignatureState& state) {
  std::string words =
      fmt::format("{} of {} signature{}", state.have, state.need, state.need == 1 ? "" : "s");
  if (state.complete()) return words;
  return words + fmt::format(", missing {}", fmt::join(state.missing_names, ", "));
}

}  // namespace lineside::trust

// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/tuf_vendor.h"

#include <stdexcept>

#include "proto/trust/json.h"
#include "proto/trust/tuf/names.h"

namespace lineside::fakes {

using nlohmann::json;
using trust::PrivateKey;

namespace {

template <class T>
T must(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().describe());
  return std::move(result).value();
}

}  // namespace

UtcTime TufVendor::now() {
  return must(parse_utc("2026-06-01T12:00:00Z"));
}

TufVendor::TufVendor(trust::Scheme scheme) {
  for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
    content[role] = {{"_type", role},
                     {"spec_version", "1.0.34"},
                     {"version", 0},
                     {"expires", "2026-07-01T00:00:00Z"}};
    signers[role] = {new_key(scheme)};
  }
  content["root"]["consistent_snapshot"] = true;
  content["root"]["keys"] = json::object();
  content["root"]["roles"] = json::object();
  content["timestamp"]["meta"] = json::object();
  content["snapshot"]["meta"] = json::object();
  content["targets"]["targets"] = json::object();
  for (const char* role : {"root", "timestamp", "snapshot", "targets"}) trust_signers(role);
  publish({"root", "targets", "snapshot", "timestamp"});
}

const PrivateKey* TufVendor::new_key(trust::Scheme scheme) {
  keys_.push_back(std::make_unique<PrivateKey>(must(PrivateKey::generate(scheme))));
  return keys_.back().get();
}

void TufVendor::trust_signers(const std::string& role, unsigned threshold) {
  json keyids = json::array();
  bool top = !delegator_.contains(role);
  json& keys = top ? content["root"]["keys"] : content[delegator_[role]]["delegations"]["keys"];
  for (const PrivateKey* key : signers[role]) {
    keyids.push_back(key->public_key().keyid());
    keys[key->public_key().keyid()] = key->public_key().tuf();
  }
  if (top) {
    content["root"]["roles"][role] = {{"keyids", keyids}, {"threshold", threshold}};
    return;
  }
  for (json& child : content[delegator_[role]]["delegations"]["roles"]) {
    if (child["name"] != role) continue;
    child["keyids"] = keyids;
    child["threshold"] = threshold;
  }
}

void TufVendor::rotate(const std::string& role) {
  signers[role] = {new_key()};
  trust_signers(role);
}

void TufVendor::add_target(const std::string& name, const std::string& bytes,
                           const std::string& role) {
  std::string hash = sha256(as_bytes(bytes)).hex();
  content[role]["targets"][name] = {{"length", bytes.size()}, {"hashes", {{"sha256", hash}}}};
  trust::TargetInfo info{name, bytes.size(), {{"sha256", hash}}};
  bool prefixed = content["root"].value("consistent_snapshot", false);
  files[must(trust::tuf::served_path(info, prefixed))] = bytes;
}

void TufVendor::delegate(const std::string& delegator, const std::string& role,
                         const std::vector<std::string>& paths, bool terminating) {
  json& delegations = content[delegator]["delegations"];
  if (delegations.is_null()) delegations = {{"keys", json::object()}, {"roles", json::array()}};
  delegations["roles"].push_back({{"name", role}, {"paths", paths}, {"terminating", terminating}});
  delegator_[role] = delegator;
  if (!signers.contains(role)) signers[role] = {new_key()};
  if (!content.contains(role)) {
    content[role] = content["targets"];
    content[role].erase("delegations");
    content[role]["targets"] = json::object();
    content[role]["version"] = 0;
  }
  trust_signers(role);
}

std::string TufVendor::file_of(const std::string& role) const {
  std::string name = trust::tuf::role_file(role);
  bool prefixed = role == "root" ||
                  (role != "timestamp" && content.at("root").value("consistent_snapshot", false));
  return prefixed ? std::to_string(version(role)) + "." + name : name;
}

std::string TufVendor::sign(const json& signed_part, const std::vector<const PrivateKey*>& keys) {
  Bytes message = must(trust::canonical_json(signed_part));
  json file = {{"signed", signed_part}, {"signatures", json::array()}};
  for (const PrivateKey* key : keys) {
    file["signatures"].push_back(
        {{"keyid", key->public_key().keyid()}, {"sig", to_hex(must(key->sign(message)))}});
  }
  return file.dump(1);
}

void TufVendor::serve(const std::string& role, const std::string& bytes) {
  files[file_of(role)] = bytes;
  json meta = {{"version", content[role]["version"]}};
  if (list_hashes) {
    meta["length"] = bytes.size();
    meta["hashes"] = {{"sha256", sha256(as_bytes(bytes)).hex()}};
  }
  if (role == "snapshot") content["timestamp"]["meta"]["snapshot.json"] = meta;
  if (role != "snapshot" && role != "timestamp" && role != "root") {
    content["snapshot"]["meta"][role + ".json"] = meta;
  }
}

void TufVendor::publish_as(const std::string& role, std::int64_t version) {
  content[role]["version"] = version;
  serve(role, sign(content[role], signers[role]));
}

void TufVendor::publish(const std::vector<std::string>& roles) {
  for (const std::string& role : roles) publish_as(role, version(role) + 1);
}

std::string TufVendor::served(const std::string& role) const {
  return files.at(file_of(role));
}

std::int64_t TufVendor::version(const std::string& role) const {
  return content.at(role).at("version").get<std::int64_t>();
}

Result<Bytes> TufVendor::fetch(std::string_view path, std::uint64_t max_bytes) {
  requests.emplace_back(path);
  if (failure && failure->first == path) return failure->second;
  auto found = files.find(std::string(path));
  if (found == files.end()) return Error{Code::kNotFound, std::string(path) + ": 404"};
  if (found->second.size() > max_bytes) return Error{Code::kTooLarge, std::string(path)};
  return to_bytes(found->second);
}

}  // namespace lineside::fakes

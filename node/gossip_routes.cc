// SPDX-License-Identifier: Apache-2.0
#include "node/gossip_routes.h"

#include <nlohmann/json.hpp>

#include "node/kept_roots.h"
#include "proto/trust/document.h"

namespace lineside::node {
namespace {

http::Response bytes_answer(Bytes bytes) {
  http::Response response;
  response.content_type = "application/json";
  response.body = std::move(bytes);
  return response;
}

Result<Digest> query_digest(const http::Request& request, const std::string& name) {
  auto found = request.query.find(name);
  if (found == request.query.end()) {
    return Error{Code::kMalformed, "the query lacks '" + name + "'"};
  }
  return Digest::parse(found->second);
}

std::string rest_of(const http::Request& request, std::string_view prefix) {
  return request.path.substr(prefix.size());
}

bool matches(std::string_view pattern, std::string_view path) {
  return pattern.ends_with('/') ? path.starts_with(pattern) && path != pattern : path == pattern;
}

// "V.snapshot.json", "V.targets.json", "timestamp.json": the role as it is stored. Which version
// the stored file has, whoever asked sees for himself.
std::string role_of(const std::string& name) {
  std::string role = name;
  std::size_t dot = role.find('.');
  if (dot != std::string::npos && role.find_first_not_of("0123456789") == dot) {
    role = role.substr(dot + 1);
  }
  constexpr std::string_view kEnd = ".json";
  if (!role.ends_with(kEnd)) return {};
  role = role.substr(0, role.size() - kEnd.size());
  return role == "timestamp" || role == "snapshot" || role == "targets" ? role : std::string();
}

}  // namespace

struct GossipRoutes::Route {
  const char* method;
  const char* path;  // a prefix if it ends in '/'
  Answer (GossipRoutes::*handle)(const http::Request&) const;
  std::uint64_t max_body;
};

const GossipRoutes::Route GossipRoutes::kRoutes[] = {
    {"POST", "/v1/heads", &GossipRoutes::heads, api::kMaxHeadsBytes},
    {"GET", "/v1/evidence", &GossipRoutes::evidence, 0},
    {"GET", "/v1/roster", &GossipRoutes::roster, 0},
    {"GET", "/v1/directive", &GossipRoutes::directive, 0},
    {"GET", "/v1/site/metadata/", &GossipRoutes::site_root, 0},
    {"GET", "/v1/vendor/metadata/", &GossipRoutes::vendor_metadata, 0},
    {"GET", "/v1/vendor/targets/", &GossipRoutes::vendor_target, 0},
    {"GET", "/v1/attestations", &GossipRoutes::attestations, 0},
    {"GET", "/v1/delivery", &GossipRoutes::delivery, 0},
    {"GET", "/v1/leaves/", &GossipRoutes::leaves, 0},
};

GossipRoutes::GossipRoutes(const Disk& disk, Path state, const Shelf& shelf, Heard heard)
    : disk_(disk), state_(std::move(state)), shelf_(shelf), heard_(std::move(heard)) {}

std::uint64_t GossipRoutes::max_body(const std::string& method, const std::string& path) {
  for (const Route& route : kRoutes) {
    if (method == route.method && matches(route.path, path)) return route.max_body;
  }
  return 0;
}

http::Response GossipRoutes::handle(const http::Request& request) const {
  // Before anything else: a stranger does not even learn which routes there are.
  if (!shelf_.member(request.peer_key)) {
    return http::problem(403, {Code::kUnknownKey, "this key is not of this site's roster"});
  }
  for (const Route& route : kRoutes) {
    if (request.method != route.method || !matches(route.path, request.path)) continue;
    Answer answer = (this->*route.handle)(request);
    return answer.ok() ? std::move(answer).value() : http::problem(answer.error());
  }
  return http::problem(404, {Code::kNotFound, "no such route: " + request.path});
}

GossipRoutes::Answer GossipRoutes::heads(const http::Request& request) const {
  TRY_ASSIGN(api::Heads theirs, api::parse_heads(request.body));
  heard_(request.remote_ip, theirs);
  return http::json_response(200, api::to_json(shelf_.heads()).dump());
}

GossipRoutes::Answer GossipRoutes::evidence(const http::Request& /*request*/) const {
  auto held = shelf_.holdings();
  if (held->evidence.empty()) return Error{Code::kNotFound, "no evidence is held"};
  return http::json_response(200, api::envelopes_json(held->evidence).dump());
}

GossipRoutes::Answer GossipRoutes::roster(const http::Request& /*request*/) const {
  return bytes_answer(shelf_.holdings()->roster->envelope);  // members there are, so there is one
}

GossipRoutes::Answer GossipRoutes::directive(const http::Request& /*request*/) const {
  auto held = shelf_.holdings();
  if (!held->directive) return Error{Code::kNotFound, "there is no directive here"};
  return bytes_answer(held->directive->envelope);
}

GossipRoutes::Answer GossipRoutes::file(const Path& path) const {
  TRY_ASSIGN(auto there, disk_.stat(path));
  if (!there) return Error{Code::kNotFound, "not held here"};
  http::Response response;
  response.body = http::FileBody{path, 0, std::nullopt};
  return response;
}

GossipRoutes::Answer GossipRoutes::root_of(const char* chain, const std::string& name) const {
  const std::int64_t wanted = root_version(name);
  const Path dir = state_ / "trust" / chain;
  const std::int64_t trusted = stored_version(disk_, dir / "root.json");
  if (wanted == 0 || wanted > trusted) return Error{Code::kNotFound, "no such root is held"};
  return file(wanted == trusted ? dir / "root.json" : kept_root(dir, wanted));
}

GossipRoutes::Answer GossipRoutes::site_root(const http::Request& request) const {
  return root_of("site", rest_of(request, "/v1/site/metadata/"));
}

GossipRoutes::Answer GossipRoutes::vendor_metadata(const http::Request& request) const {
  const std::string name = rest_of(request, "/v1/vendor/metadata/");
  if (root_version(name) != 0) return root_of("vendor", name);
  const std::string role = role_of(name);
  if (role.empty()) return Error{Code::kNotFound, "no such metadata is held"};
  return file(state_ / "trust" / "vendor" / (role + ".json"));
}

// "vision/HASH.2.0.0.json": what is stored is named by its hash.
GossipRoutes::Answer GossipRoutes::vendor_target(const http::Request& request) const {
  const std::string name = request.path.substr(request.path.rfind('/') + 1);
  TRY_ASSIGN(Digest digest, Digest::parse(name.substr(0, name.find('.'))));
  const std::string hex = digest.hex();
  auto manifest = file(state_ / "manifests" / (hex + ".json"));
  if (manifest.ok() || manifest.error().code != Code::kNotFound) return manifest;
  return file(state_ / "listings" / (hex + ".listing"));
}

GossipRoutes::Answer GossipRoutes::attestations(const http::Request& request) const {
  TRY_ASSIGN(Digest directive, query_digest(request, "directive"));
  auto held = shelf_.holdings();
  const bool present = held->directive && held->directive->digest == directive;
  return http::json_response(
      200, api::envelopes_json(present ? held->attestations : std::vector<Bytes>()).dump());
}

GossipRoutes::Answer GossipRoutes::delivery(const http::Request& request) const {
  TRY_ASSIGN(Digest base, query_digest(request, "base"));
  TRY_ASSIGN(Digest target, query_digest(request, "target"));
  auto held = shelf_.holdings();
  if (!held->delivery || held->delivery->base != base || held->delivery->target != target) {
    return Error{Code::kNotFound, "no such delivery is held"};
  }
  return http::json_response(200, api::to_json(*held->delivery).dump());
}

GossipRoutes::Answer GossipRoutes::leaves(const http::Request& request) const {
  TRY_ASSIGN(Digest root, Digest::parse(rest_of(request, "/v1/leaves/")));
  return file(state_ / "deliveries" / (root.hex() + ".leaves"));
}

}  // namespace lineside::node

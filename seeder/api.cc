// SPDX-License-Identifier: Apache-2.0
#include "seeder/api.h"

#include <nlohmann/json.hpp>

#include "proto/api/gossip.h"
#include "proto/http/fetcher.h"
#include "seeder/list_answers.h"

namespace lineside::seeder {
namespace {

using http::Request;
using http::Response;
using nlohmann::json;

constexpr std::size_t kMaxEvents = 1000;
constexpr std::uint64_t kMaxEvidenceBytes = 2ULL << 20;  // whoever connects may send so much

enum class For { kAnybody, kDevices, kDevicesAndOperators, kOperators };

bool welcome(For whom, CallerClass caller) {
  switch (whom) {
    case For::kAnybody:
      return true;
    case For::kDevices:
      return caller == CallerClass::kDevice;
    case For::kDevicesAndOperators:
      return caller != CallerClass::kNobody;
    case For::kOperators:
      return caller == CallerClass::kOperator;
  }
  return false;
}

Response bytes_answer(Bytes bytes, std::string type) {
  Response response;
  response.content_type = std::move(type);
  response.body = std::move(bytes);
  return response;
}

Result<std::string> query(const Request& request, const std::string& name) {
  auto found = request.query.find(name);
  if (found == request.query.end()) {
    return Error{Code::kMalformed, "the query lacks '" + name + "'"};
  }
  return found->second;
}

Result<Digest> query_digest(const Request& request, const std::string& name) {
  TRY_ASSIGN(std::string text, query(request, name));
  Result<Digest> digest = Digest::parse(text);
  return digest.ok() ? digest : Result<Digest>(digest.error().with(name));
}

// The status of our own documents' codes; problem() knows the rest.
Response problem_answer(const Error& error) {
  switch (error.code) {
    case Code::kBadSignature:
    case Code::kUnknownKey:
    case Code::kWrongSite:
    case Code::kWrongDevice:
      return http::problem(403, error);
    case Code::kRollback:
    case Code::kExpired:
    case Code::kConflict:
      return http::problem(409, error);
    case Code::kBudget:
      return http::problem(507, error);
    case Code::kTimeout: {
      Response response = http::problem(503, error);
      response.headers["retry-after"] = "1";
      return response;
    }
    case Code::kNetwork:
    case Code::kHttp:
      return http::problem(502, error);
    default:
      return http::problem(error);
  }
}

// "0.0.0.0:7444" becomes the address by which this node reached us.
std::string reachable(const std::string& endpoint, const Request& request) {
  Result<api::Endpoint> own = api::parse_endpoint(endpoint);
  if (!own.ok() || (own->address != "0.0.0.0" && own->address != "::")) return endpoint;
  auto host = request.headers.find("host");
  if (host == request.headers.end()) return endpoint;
  std::string text = host->second;
  if (!api::parse_endpoint(text).ok()) text += ":443";
  Result<api::Endpoint> reached = api::parse_endpoint(text);
  if (!reached.ok()) return endpoint;
  reached->port = own->port;
  return reached->text();
}

}  // namespace

struct Api::Route {
  const char* method;
  const char* path;  // a prefix if it ends in '/'
  For whom;
  Answer (Api::*handle)(const Request&, const Caller&);
  std::uint64_t max_body;
};

// In the order of proto/api/site_api.h.
const Api::Route Api::kRoutes[] = {
    {"POST", "/v1/enrol", For::kAnybody, &Api::enrol, 16 * 1024},
    {"GET", "/v1/roster", For::kAnybody, &Api::get_roster, 0},
    {"GET", "/v1/directive", For::kAnybody, &Api::get_directive, 0},
    {"GET", "/v1/site/metadata/", For::kAnybody, &Api::get_site_metadata, 0},
    {"GET", "/v1/vendor/metadata/", For::kAnybody, &Api::get_vendor_metadata, 0},
    {"GET", "/v1/vendor/targets/", For::kAnybody, &Api::get_vendor_target, 0},
    {"GET", "/v1/attestations", For::kDevicesAndOperators, &Api::get_attestations, 0},
    {"POST", "/v1/attestations", For::kDevices, &Api::post_attestation, 256 * 1024},
    {"GET", "/v1/delivery", For::kDevicesAndOperators, &Api::get_delivery, 0},
    {"GET", "/v1/leaves/", For::kDevicesAndOperators, &Api::get_leaves, 0},
    {"POST", "/v1/report", For::kDevices, &Api::post_report, api::kMaxReportBytes},
    {"POST", "/v1/evidence", For::kDevices, &Api::post_evidence, kMaxEvidenceBytes},
    {"GET", "/v1/status", For::kOperators, &Api::get_status, 0},
    {"GET", "/v1/nodes", For::kOperators, &Api::get_nodes, 0},
    {"GET", "/v1/pending", For::kOperators, &Api::get_pending, 0},
    {"GET", "/v1/bundles", For::kOperators, &Api::get_bundles, 0},
    {"GET", "/v1/events", For::kOperators, &Api::get_events, 0},
    {"GET", "/v1/plan", For::kOperators, &Api::get_plan, 0},
    {"GET", "/v1/rollouts", For::kOperators, &Api::get_rollouts, 0},
    {"POST", "/v1/site/root", For::kOperators, &Api::post_site_root, 1ULL << 20},
    {"POST", "/v1/roster", For::kOperators, &Api::post_roster, trust::kMaxEnvelopeBytes},
    {"POST", "/v1/directive", For::kOperators, &Api::post_directive, trust::kMaxEnvelopeBytes},
    {"POST", "/v1/rollouts/", For::kOperators, &Api::post_rollout, 1024},
    {"POST", "/v1/mirror/refresh", For::kOperators, &Api::post_refresh, 1024},
    {"POST", "/v1/mirror/import", For::kOperators, &Api::post_import, 8192},
    {"POST", "/v1/mirror/allowance", For::kOperators, &Api::post_allowance, 1024},
};

Api::Api(Disk& disk, ApiFolders folders, SiteRoot& root, Site& site, Supply& supply,
         BundleStore& bundles, RolloutStore& store, std::uint64_t wan_budget)
    : disk_(disk),
      folders_(std::move(folders)),
      root_(root),
      site_(site),
      supply_(supply),
      bundles_(bundles),
      store_(store),
      wan_budget_(wan_budget) {}

namespace {

bool matches(std::string_view pattern, std::string_view path) {
  return pattern.ends_with('/') ? path.starts_with(pattern) && path != pattern : path == pattern;
}

}  // namespace

http::Response Api::handle(const Request& request) {
  bool known_path = false;
  std::string method = request.method == "HEAD" ? "GET" : request.method;
  for (const Route& route : kRoutes) {
    if (!matches(route.path, request.path)) continue;
    known_path = true;
    if (method != route.method) continue;
    Caller caller = site_.identify(request.peer_key);
    if (!welcome(route.whom, caller.is)) {
      return http::problem(403,
                           {Code::kUnknownKey, "this key is not enrolled for " + request.path});
    }
    Answer answer = (this->*route.handle)(request, caller);
    return answer.ok() ? std::move(answer).value() : problem_answer(answer.error());
  }
  if (known_path)
    return http::problem(405, {Code::kUnsupported, request.method + " is not for it"});
  return http::problem(404, {Code::kNotFound, "no such route: " + request.path});
}

std::uint64_t Api::max_body(const std::string& method, const std::string& path) {
  for (const Route& route : kRoutes) {
    if (method == route.method && matches(route.path, path)) return route.max_body;
  }
  return 1024;  // it will be refused anyway
}

Api::Answer Api::enrol(const Request& request, const Caller& caller) {
  TRY_ASSIGN(api::EnrolRequest asked, api::parse_enrol_request(request.body));
  TRY_ASSIGN(api::EnrolReply reply, site_.enrol(caller, asked));
  return json_answer(api::to_json(reply));
}

Api::Answer Api::get_roster(const Request& /*request*/, const Caller& /*caller*/) {
  std::optional<Bytes> envelope = site_.roster_envelope();
  if (!envelope) return Error{Code::kNotFound, "there is no roster yet"};
  return bytes_answer(std::move(*envelope), "application/json");
}

Api::Answer Api::get_directive(const Request& /*request*/, const Caller& /*caller*/) {
  std::optional<Bytes> envelope = site_.directive_envelope();
  if (!envelope) return Error{Code::kNotFound, "there is no directive yet"};
  return bytes_answer(std::move(*envelope), "application/json");
}

Api::Answer Api::file(const Path& folder, const std::string& prefix, const Request& request) const {
  TRY_ASSIGN(Path path, http::resolve_below(disk_, folder, request.path.substr(prefix.size() - 1)));
  Response response;
  response.body = http::FileBody{std::move(path), 0, std::nullopt};
  return response;
}

Api::Answer Api::get_site_metadata(const Request& request, const Caller& /*caller*/) {
  return file(root_.metadata(), "/v1/site/metadata/", request);
}

Api::Answer Api::get_vendor_metadata(const Request& request, const Caller& /*caller*/) {
  return file(folders_.vendor_metadata, "/v1/vendor/metadata/", request);
}

Api::Answer Api::get_vendor_target(const Request& request, const Caller& /*caller*/) {
  return file(folders_.vendor_targets, "/v1/vendor/targets/", request);
}

Api::Answer Api::get_attestations(const Request& request, const Caller& /*caller*/) {
  TRY_ASSIGN(Digest directive, query_digest(request, "directive"));
  TRY_ASSIGN(std::vector<Bytes> envelopes, store_.attestations(directive));
  json list = json::array();
  for (const Bytes& envelope : envelopes) list.push_back(to_base64(envelope));
  return json_answer({{"envelopes", list}});
}

Api::Answer Api::post_attestation(const Request& request, const Caller& caller) {
  TRY(site_.post_attestation(request.body, caller));
  return json_answer({{"status", "kept"}});
}

// Kept before it is told, so that whoever reads the event finds it.
Api::Answer Api::post_evidence(const Request& request, const Caller& caller) {
  TRY_ASSIGN(auto envelopes, api::parse_envelopes(request.body, kMaxEvidenceBytes, 2));
  TRY_ASSIGN(bool news, site_.post_evidence(envelopes, caller, [&]() -> Result<void> {
    TRY(disk_.make_dirs(folders_.evidence));
    for (const Bytes& envelope : envelopes) {
      TRY(disk_.replace(folders_.evidence / (sha256(envelope).hex() + ".dsse"), envelope));
    }
    return ok();
  }));
  return json_answer({{"status", news ? "kept" : "known"}});
}

Api::Answer Api::get_delivery(const Request& request, const Caller& caller) {
  TRY_ASSIGN(Digest base, query_digest(request, "base"));
  TRY_ASSIGN(Digest target, query_digest(request, "target"));
  TRY_ASSIGN(api::DeliveryOffer offer, supply_.offer(base, target, site_.trees_of(caller.name)));
  return json_answer(api::to_json(offer));
}

Api::Answer Api::get_leaves(const Request& request, const Caller& /*caller*/) {
  TRY_ASSIGN(Digest root, Digest::parse(request.path.substr(std::string("/v1/leaves/").size())));
  Path path = bundles_.leaves_path(root);
  TRY_ASSIGN(auto present, disk_.stat(path));
  if (!present) return Error{Code::kNotFound, "no delivery " + root.hex()};
  Response response;
  response.body = http::FileBody{std::move(path), 0, std::nullopt};
  return response;
}

Api::Answer Api::post_report(const Request& request, const Caller& caller) {
  TRY_ASSIGN(api::NodeReport report, api::parse_node_report(request.body));
  TRY_ASSIGN(api::ReportReply reply, site_.report(caller, report, request.remote_ip));
  reply.gateway_endpoint = reachable(reply.gateway_endpoint, request);
  return json_answer(api::to_json(reply));
}

SiteStatus Api::full_status(SiteStatus status) const {
  status.supply = supply_.row();
  status.origin = supply_.origin();
  status.wan_budget = wan_budget_;
  if (auto total = store_.wan_total(); total.ok()) {
    status.wan_total = total->payload + total->metadata;
  }
  if (!status.rollout) return status;
  if (auto told = store_.forecast(status.rollout->sequence); told.ok() && *told) {
    if (auto forecast = parse_forecast(as_bytes(**told)); forecast.ok()) {
      status.rollout->forecast = *forecast;
    }
  }
  if (auto wan = store_.wan(status.rollout->bundle); wan.ok()) {
    status.rollout->wan_payload = wan->payload;
    status.rollout->wan_metadata = wan->metadata;
  }
  return status;
}

Api::Answer Api::get_status(const Request& request, const Caller& /*caller*/) {
  auto asked = request.query.find("sequence");
  if (asked == request.query.end()) return json_answer(to_json(full_status(site_.status())));
  TRY_ASSIGN(std::int64_t sequence, parse_number(asked->second));
  TRY_ASSIGN(SiteStatus status, site_.status_under(sequence));
  return json_answer(to_json(full_status(std::move(status))));
}

Api::Answer Api::get_nodes(const Request& /*request*/, const Caller& /*caller*/) {
  json list = json::array();
  for (const NodeRow& row : site_.status().nodes) list.push_back(to_json(row));
  return json_answer({{"nodes", list}});
}

Api::Answer Api::get_pending(const Request& /*request*/, const Caller& /*caller*/) {
  return pending_answer(store_);
}

Api::Answer Api::get_bundles(const Request& /*request*/, const Caller& /*caller*/) {
  return bundles_answer(supply_);
}

Api::Answer Api::get_events(const Request& request, const Caller& /*caller*/) {
  std::int64_t after = 0;
  if (request.query.contains("after")) {
    TRY_ASSIGN(after, parse_number(request.query.at("after")));
  }
  TRY_ASSIGN(std::vector<Event> events, store_.events(after, kMaxEvents));
  return json_answer({{"events", events_json(events)}});
}

Api::Answer Api::get_plan(const Request& request, const Caller& /*caller*/) {
  TRY_ASSIGN(std::string bundle, query(request, "bundle"));
  TRY_ASSIGN(PlanView plan, supply_.plan(bundle));
  return json_answer(to_json(plan));
}

Api::Answer Api::get_rollouts(const Request& /*request*/, const Caller& /*caller*/) {
  TRY_ASSIGN(std::vector<StoredRollout> rollouts, store_.rollouts());
  json list = json::array();
  for (const StoredRollout& rollout : rollouts) {
    const RolloutState& state = rollout.state;
    list.push_back(
        to_json(RolloutSummary{state.sequence, rollout.bundle, std::string(stage_name(state.stage)),
                               state.count(Ending::kConfirmed), state.reason}));
  }
  return json_answer({{"rollouts", list}});
}

Api::Answer Api::post_site_root(const Request& request, const Caller& caller) {
  TRY_ASSIGN(SiteRoot::Taken taken, root_.take(request.body));
  TRY(site_.set_operators(std::move(taken.operators), taken.version, caller));
  return json_answer({{"status", "kept"}, {"version", taken.version}});
}

Api::Answer Api::post_roster(const Request& request, const Caller& caller) {
  TRY(site_.post_roster(request.body, caller));
  return json_answer({{"status", "kept"}}, 201);
}

Api::Answer Api::post_directive(const Request& request, const Caller& caller) {
  auto asked = request.query.find("replace");
  bool replace = asked != request.query.end() && asked->second == "true";
  TRY(site_.post_directive(request.body, caller,
                           replace ? IfRunning::kReplace : IfRunning::kRefuse));
  return json_answer({{"status", "kept"}}, 201);
}

Api::Answer Api::post_rollout(const Request& request, const Caller& caller) {
  std::string rest = request.path.substr(std::string("/v1/rollouts/").size());
  std::size_t slash = rest.find('/');
  if (slash == std::string::npos) return Error{Code::kNotFound, "expected SEQ/pause"};
  TRY_ASSIGN(std::int64_t sequence, parse_number(rest.substr(0, slash)));
  std::string verb = rest.substr(slash + 1);
  if (verb == "forecast") {
    TRY_ASSIGN(Forecast forecast, parse_forecast(request.body));
    TRY_ASSIGN(auto known, store_.rollout(sequence));
    if (!known) return Error{Code::kNotFound, "no rollout " + std::to_string(sequence)};
    TRY(store_.put_forecast(sequence, to_json(forecast).dump()));
    return json_answer({{"status", "kept"}}, 201);
  }
  for (Command what : {Command::kPause, Command::kResume, Command::kAbort}) {
    if (verb != command_name(what)) continue;
    TRY(site_.command(sequence, what, caller));
    return json_answer({{"status", "done"}});
  }
  return Error{Code::kNotFound, "expected pause, resume, abort or forecast"};
}

Api::Answer Api::post_refresh(const Request& /*request*/, const Caller& /*caller*/) {
  TRY(supply_.refresh());
  return json_answer({{"status", "refreshed"}});
}

}  // namespace lineside::seeder

// SPDX-License-Identifier: Apache-2.0
#include "seeder/page/page.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "proto/base/log.h"
#include "proto/http/event_stream.h"
#include "proto/trust/fields.h"
#include "proto/trust/json.h"
#include "seeder/list_answers.h"
#include "seeder/page/page_views.h"
#include "seeder/page/static_files.h"

namespace lineside::seeder {
namespace {

using http::Request;
using http::Response;
using nlohmann::json;

// To log in: five at once, then one every ten seconds, of one address.
constexpr double kAttemptsPerSecond = 0.1;
constexpr double kAttemptBurst = 5;
constexpr std::size_t kEventsAtOnce = 200;
constexpr std::int64_t kChecksAtOnce = 300;

// No script, style or request of any other origin, nothing inline, in nobody's frame.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string query_or(const Request& request, const std::string& name, const std::string& fallback) {
  auto found = request.query.find(name);
  return found == request.query.end() ? fallback : found->second;
}

std::string header(const Request& request, const std::string& name) {
  auto found = request.headers.find(name);
  return found == request.headers.end() ? "" : found->second;
}

// The value of one cookie (RFC 6265 section 5.4), empty if it was not sent.
std::string cookie_in(std::string_view cookies, const std::string& name) {
  while (!cookies.empty()) {
    std::size_t end = cookies.find(';');
    std::string_view pair = cookies.substr(0, end);
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.starts_with(name + "=")) return std::string(pair.substr(name.size() + 1));
    cookies.remove_prefix(end == std::string_view::npos ? cookies.size() : end + 1);
  }
  return "";
}

const StaticFile* static_file(std::string_view path) {
  for (const StaticFile& file : static_files()) {
    if (file.path == path) return &file;
  }
  return nullptr;
}

// Every browser takes gzip, so nothing else is kept.
Response static_answer(const StaticFile& file) {
  Response response;
  response.content_type = file.content_type;
  response.headers["content-encoding"] = "gzip";
  response.headers["etag"] = file.etag;
  response.headers["cache-control"] =
      file.immutable ? "public, max-age=31536000, immutable" : "no-cache";
  response.body = Bytes(file.gzip.begin(), file.gzip.end());
  return response;
}

void harden(Response& response) {
  http::Headers& headers = response.headers;
  headers["content-security-policy"] = kPolicy;
  headers["referrer-policy"] = "no-referrer";
  headers["cross-origin-opener-policy"] = "same-origin";
  headers["cross-origin-resource-policy"] = "same-origin";
  headers.emplace("cache-control", "no-store");
}

}  // namespace

struct Page::Route {
  const char* method;
  const char* path;  // a prefix if it ends in '/'
  Answer (Page::*handle)(const Request&, const Visitor&);
};

const Page::Route Page::kRoutes[] = {
    {"POST", "/api/logout", &Page::log_out},     {"GET", "/api/state", &Page::state},
    {"GET", "/api/feed", &Page::feed},           {"GET", "/api/events", &Page::events},
    {"GET", "/api/pending", &Page::pending},     {"GET", "/api/bundles", &Page::bundles},
    {"GET", "/api/evidence", &Page::evidence},   {"GET", "/api/bundle", &Page::bundle},
    {"GET", "/api/checks", &Page::checks},       {"GET", "/api/pieces", &Page::pieces},
    {"POST", "/api/rollouts/", &Page::withhold},
};

Page::Page(bool tls, PageSources sources, Sessions& sessions, const Disk& disk, const Clock& clock)
    : tls_(tls),
      from_(std::move(sources)),
      sessions_(sessions),
      disk_(disk),
      clock_(clock),
      attempts_(kAttemptsPerSecond, kAttemptBurst),
      feed_({from_.status,
             [this] {
               auto newest = from_.store.newest_event();
               return newest.ok() ? *newest : 0;
             },
             &clock}) {}

Response Page::handle(const Request& request) {
  Response response = route(request);
  harden(response);
  return response;
}

Response Page::route(const Request& request) {
  std::string method = request.method == "HEAD" ? "GET" : request.method;
  if (const StaticFile* file = static_file(request.path); file != nullptr && method == "GET") {
    return static_answer(*file);
  }
  if (method == "POST" && header(request, "x-lineside") != "page") {
    return http::problem(403, {Code::kDenied, "this route is for the page itself"});
  }
  if (method == "POST" && request.path == "/api/login") {
    Answer answer = log_in(request);
    return answer.ok() ? std::move(answer).value() : http::problem(answer.error());
  }
  for (const Route& known : kRoutes) {
    std::string_view path = known.path;
    bool fits = path.ends_with('/') ? request.path.starts_with(path) : request.path == path;
    if (!fits || method != known.method) continue;
    std::optional<Visitor> who = visitor(request);
    if (!who) return http::problem(401, {Code::kDenied, "log in first"});
    Answer answer = (this->*known.handle)(request, *who);
    return answer.ok() ? std::move(answer).value() : http::problem(answer.error());
  }
  return http::problem(404, {Code::kNotFound, "no such route: " + request.path});
}

// The prefix makes the browser refuse the cookie over plain HTTP and for other hosts' sake.
std::string Page::cookie_name() const {
  return tls_ ? "__Host-lineside" : "lineside";
}

std::string Page::cookie(const std::string& token, std::chrono::seconds age) const {
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}", cookie_name(), token,
                     age.count(), tls_ ? "; Secure" : "");
}

std::optional<Page::Visitor> Page::visitor(const Request& request) const {
  std::string token = cookie_in(header(request, "cookie"), cookie_name());
  if (token.empty()) return std::nullopt;
  std::optional<std::string> user = sessions_.user_of(token);
  if (!user) return std::nullopt;
  return Visitor{std::move(token), std::move(*user)};
}

Page::Answer Page::log_in(const Request& request) {
  {
    std::lock_guard lock(attempts_mutex_);
    if (!attempts_.allow(request.remote_ip, clock_.steady())) {
      Response response =
          http::problem(429, {Code::kDenied, "too many attempts; wait ten seconds"});
      response.headers["retry-after"] = "10";
      return response;
    }
  }
  TRY_ASSIGN(json body, trust::parse_json(request.body, "login", {}));
  trust::Fields fields(body, "login");
  std::string user = fields.text("user");
  std::string passphrase = fields.text("passphrase");
  TRY(fields.finish());
  TRY_ASSIGN(std::optional<std::string> token, sessions_.log_in(user, passphrase));
  if (!token) {
    log(Level::kWarning, "login refused", {{"user", user}, {"from", request.remote_ip}});
    return http::problem(401, {Code::kDenied, "user and passphrase do not fit"});
  }
  from_.site.note("login", "at the page, from " + request.remote_ip, "user " + user);
  Response response = json_answer({{"user", user}});
  response.headers["set-cookie"] = cookie(*token, sessions_.lifetime());
  return response;
}

Page::Answer Page::log_out(const Request& /*request*/, const Visitor& visitor) {
  TRY(sessions_.log_out(visitor.token));
  Response response = json_answer({{"status", "done"}});
  response.headers["set-cookie"] = cookie("", std::chrono::seconds(0));
  feed_.wake();
  return response;
}

Page::Answer Page::state(const Request& /*request*/, const Visitor& visitor) {
  std::string whole = feed_.whole();
  json viewer = {{"user", visitor.user}};
  return http::json_response(200,
                             fmt::format(R"({{"viewer":{},"state":{}}})", viewer.dump(), whole));
}

Page::Answer Page::feed(const Request& request, const Visitor& visitor) {
  std::string id = header(request, "last-event-id");
  if (id.empty()) id = query_or(request, "after", "");
  auto welcome = [this, token = visitor.token] { return sessions_.user_of(token).has_value(); };
  Response response;
  response.content_type = "text/event-stream";
  response.body = http::EventBody{[this, id, welcome](std::shared_ptr<http::EventWriter> writer) {
    feed_.subscribe(std::move(writer), id, welcome);
  }};
  return response;
}

Page::Answer Page::events(const Request& request, const Visitor& /*visitor*/) {
  EventQuery wanted;
  wanted.limit = kEventsAtOnce;
  wanted.device = query_or(request, "device", "");
  if (request.query.contains("before")) {
    TRY_ASSIGN(wanted.before, parse_number(request.query.at("before")));
  }
  if (request.query.contains("sequence")) {
    TRY_ASSIGN(wanted.sequence, parse_number(request.query.at("sequence")));
  }
  TRY_ASSIGN(std::vector<Event> events, from_.store.events_back(wanted));
  return json_answer({{"events", events_json(events)}, {"more", events.size() == kEventsAtOnce}});
}

Page::Answer Page::pending(const Request& /*request*/, const Visitor& /*visitor*/) {
  return pending_answer(from_.store);
}

Page::Answer Page::bundles(const Request& /*request*/, const Visitor& /*visitor*/) {
  return bundles_answer(from_.supply);
}

// The directive that is in force, and what its canaries signed.
Page::Answer Page::evidence(const Request& /*request*/, const Visitor& /*visitor*/) {
  std::optional<trust::VerifiedDirective> directive = from_.site.directive();
  std::optional<trust::VerifiedRoster> roster = from_.site.roster();
  if (!directive || !roster) return Error{Code::kNotFound, "there is no directive yet"};
  TRY_ASSIGN(trust::Opened opened,
             trust::open(directive->envelope, trust::kDirectiveType, from_.site.operators()));
  TRY_ASSIGN(std::vector<Bytes> envelopes, from_.store.attestations(directive->digest));
  json attestations = json::array();
  for (const Bytes& envelope : envelopes) {
    attestations.push_back(attestation_view(envelope, roster->roster));
  }
  return json_answer({{"directive", directive_view(*directive, opened.signers)},
                      {"attestations", attestations},
                      {"roster_version", roster->roster.version}});
}

Page::Answer Page::bundle(const Request& request, const Visitor& /*visitor*/) {
  TRY_ASSIGN(HeldManifest held,
             find_manifest(disk_, from_.vendor_targets, query_or(request, "name", "")));
  json routes = json::array();
  std::vector<Digest> bases = from_.site.floor_trees();
  bases.push_back(empty_tree());
  for (const Digest& base : bases) {
    if (base == held.manifest.tree) continue;
    Result<api::DeliveryOffer> offer = from_.supply.offer(base, held.manifest.tree, {base});
    json row = {{"base", base.hex()}};
    if (offer.ok()) row["length"] = offer->length;
    if (!offer.ok()) row["why"] = offer.error().what;
    routes.push_back(std::move(row));
  }
  json body = manifest_view(held);
  body["routes"] = routes;
  body["held"] = from_.bundles.has_tree(held.manifest.tree);
  return json_answer(body);
}

Page::Answer Page::checks(const Request& request, const Visitor& /*visitor*/) {
  std::string device = query_or(request, "device", "");
  TRY_ASSIGN(std::vector<StoredCheck> checks, from_.store.checks(device, kChecksAtOnce));
  json list = json::array();
  for (const StoredCheck& check : checks) list.push_back(check_view(check));
  json body = {{"checks", list}};
  for (const NodeRow& node : from_.site.status().nodes) {
    if (node.device != device || !node.report || !node.report->check) continue;
    body["stderr_tail"] = node.report->check->stderr_tail;
  }
  Result<Digest> tree = Digest::parse(query_or(request, "tree", ""));
  if (tree.ok() && from_.bundles.has_tree(*tree)) {
    auto budgets = budgets_view(disk_, from_.bundles.tree_dir(*tree));
    if (budgets.ok()) body["budgets"] = *budgets;
  }
  return json_answer(body);
}

Page::Answer Page::pieces(const Request& request, const Visitor& /*visitor*/) {
  json pieces = pieces_view(from_.site.status().nodes, query_or(request, "device", ""));
  return json_answer({{"pieces", pieces}});
}

Page::Answer Page::withhold(const Request& request, const Visitor& visitor) {
  std::string rest = request.path.substr(std::string_view("/api/rollouts/").size());
  std::size_t slash = rest.find('/');
  std::string verb = slash == std::string::npos ? "" : rest.substr(slash + 1);
  if (verb != "pause" && verb != "abort") {
    return Error{Code::kNotFound, "expected /api/rollouts/SEQUENCE/pause or abort"};
  }
  TRY_ASSIGN(std::int64_t sequence, parse_number(rest.substr(0, slash)));
  Caller caller{CallerClass::kOperator, "user " + visitor.user, {}};
  TRY(from_.site.command(sequence, verb == "pause" ? Command::kPause : Command::kAbort, caller));
  feed_.wake();
  return json_answer({{"status", "done"}});
}

}  // namespace lineside::seeder

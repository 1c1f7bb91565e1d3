// SPDX-License-Identifier: Apache-2.0
#include "seeder/page/page.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "proto/base/log.h"
#include "proto/http/event_stream.h"
#include "proto/trust/fields.h"
#include "proto/trust/json.h"
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

// No script, style or request of any other origin, nothing inline, in nobody's frame.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

Response json_answer(const json& value) {
  return http::json_response(200, value.dump(-1, ' ', false, json::error_handler_t::replace));
}

Result<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (bad != std::errc() || end != text.data() + text.size() || value < 0) {
    return Error{Code::kMalformed, "expected a number instead of '" + std::string(text) + "'"};
  }
  return value;
}

std::string query_or(const Request& request, const std::string& name, std::string fallback) {
  auto found = request.query.find(name);
  return found == request.query.end() ? std::move(fallback) : found->second;
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
    {"POST", "/api/rollouts/", &Page::withhold},
};

Page::Page(PageOptions options, Site& site, Supply& supply, RolloutStore& store, Sessions& sessions,
           const Clock& clock, std::function<SiteStatus()> status)
    : options_(options),
      site_(site),
      supply_(supply),
      store_(store),
      sessions_(sessions),
      clock_(clock),
      attempts_(kAttemptsPerSecond, kAttemptBurst),
      feed_({std::move(status),
             [this] {
               auto newest = store_.newest_event();
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
  return options_.tls ? "__Host-lineside" : "lineside";
}

std::string Page::cookie(const std::string& token, std::chrono::seconds age) const {
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}", cookie_name(), token,
                     age.count(), options_.tls ? "; Secure" : "");
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
    return http::problem(401, {Code::kDenied, "name and passphrase do not fit"});
  }
  site_.note("login", "at the page, from " + request.remote_ip, "user " + user);
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
  json viewer = {{"user", visitor.user}, {"silent_s", options_.silent.count()}};
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
  TRY_ASSIGN(std::vector<Event> events, store_.events_back(wanted));
  json list = json::array();
  for (const Event& event : events) {
    list.push_back(to_json(EventRow{event.number, event.at, event.kind, event.actor, event.device,
                                    event.sequence, event.document, event.text}));
  }
  return json_answer({{"events", list}, {"more", events.size() == kEventsAtOnce}});
}

Page::Answer Page::pending(const Request& /*request*/, const Visitor& /*visitor*/) {
  TRY_ASSIGN(std::vector<PendingDevice> pending, store_.pending());
  json list = json::array();
  for (const PendingDevice& device : pending) {
    list.push_back(
        to_json(PendingRow{device.device, device.fingerprint, device.spki, device.hardware,
                           device.agent, device.first_seen, device.last_seen}));
  }
  return json_answer({{"pending", list}});
}

Page::Answer Page::bundles(const Request& /*request*/, const Visitor& /*visitor*/) {
  json list = json::array();
  for (const BundleRow& row : supply_.bundles()) list.push_back(to_json(row));
  return json_answer({{"bundles", list}});
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
  TRY(site_.command(sequence, verb == "pause" ? Command::kPause : Command::kAbort, caller));
  feed_.wake();
  return json_answer({{"status", "done"}});
}

}  // namespace lineside::seeder

// SPDX-License-Identifier: Apache-2.0
#include "proto/http/client.h"

#include <algorithm>

#include "proto/http/client_state.h"

namespace lineside::http {
namespace {

bool may_repeat(std::string_view method) {
  return method != "POST" && method != "PATCH";
}

std::string_view header(const Headers& headers, const std::string& name) {
  auto found = headers.find(name);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != ':' && c != '/' && c != '"';
  });
}

bool is_field_value(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

}  // namespace

Result<std::string> Client::State::resolve_target(std::string_view target) const {
  std::string full;
  if (target.starts_with("http://") || target.starts_with("https://")) {
    full = target;
  } else if (target.starts_with("/")) {
    full = base.origin() + std::string(target);
  } else {
    std::string folder = base.target.substr(0, base.target.find('?'));
    if (folder.back() != '/') folder += '/';
    full = base.origin() + folder + std::string(target);
  }
  TRY_ASSIGN(Url url, parse_url(full));
  if (url.origin() != base.origin()) {
    return Error{Code::kUsage,
                 "this client speaks to " + base.origin() + ", not to " + url.origin()};
  }
  return url.target;
}

Result<std::string> Client::State::request_head(std::string_view method, const std::string& target,
                                                std::size_t body_size,
                                                const Headers& headers) const {
  if (!is_token(method)) return Error{Code::kUsage, "\"" + std::string(method) + "\" is no method"};
  std::string head = std::string(method) + ' ' + target + " HTTP/1.1\r\nHost: " + base.authority() +
                     "\r\nUser-Agent: " + options.user_agent + "\r\n";
  if (body_size > 0 || method == "POST" || method == "PUT") {
    head += "Content-Length: " + std::to_string(body_size) + "\r\n";
  }
  for (const auto& [name, value] : headers) {
    if (!is_token(name) || !is_field_value(value)) {
      return Error{Code::kUsage, "the header \"" + name + "\" cannot be sent"};
    }
    head += name + ": " + value + "\r\n";
  }
  return head + "\r\n";
}

Result<std::unique_ptr<Exchange>> Client::State::start(std::string_view method,
                                                       const std::string& target, BytesView body,
                                                       const Headers& headers,
                                                       const std::stop_token& stop,
                                                       SteadyTime deadline) {
  TRY_ASSIGN(std::string head, request_head(method, target, body.size(), headers));
  if (wire && wire->is_stale()) wire.reset();
  bool reused = wire != nullptr;
  while (true) {
    if (!wire) {
      TRY_ASSIGN(wire, Wire::connect(base, wire_options, stop));
    }
    auto exchange = std::make_unique<Exchange>(*wire, base.authority(), stop, deadline);
    Result<void> begun = exchange->begin(head, body, method == "HEAD");
    if (begun.ok()) return exchange;
    received += exchange->received();
    bool again = reused && may_repeat(method) && exchange->received() == 0 &&
                 begun.error().code == Code::kNetwork;
    exchange.reset();
    wire.reset();
    if (!again) return begun.error();
    reused = false;
  }
}

void Client::State::finish(const Exchange& exchange) {
  received += exchange.received();
  if (!exchange.reusable()) wire.reset();
}

Result<Bytes> Client::State::read_body(Exchange& exchange, std::uint64_t max_bytes) const {
  auto too_large = [&] {
    return Error{Code::kTooLarge, base.authority() + " answers with more than " +
                                      std::to_string(max_bytes) + " bytes"};
  };
  if (exchange.content_length() && *exchange.content_length() > max_bytes) return too_large();
  Bytes body;
  Bytes piece(64 * 1024);
  while (true) {
    TRY_ASSIGN(std::size_t count, exchange.read(piece));
    if (count == 0) return body;
    if (count > max_bytes - body.size()) return too_large();
    body.insert(body.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count));
  }
}

Result<Reply> Client::State::once(std::string_view method, const std::string& target,
                                  BytesView body, const Headers& headers,
                                  const std::stop_token& stop, SteadyTime deadline) {
  TRY_ASSIGN(auto exchange, start(method, target, body, headers, stop, deadline));
  Reply reply{exchange->status(), exchange->headers(), {}};
  Result<Bytes> content =
      method == "HEAD" ? Result<Bytes>(Bytes()) : read_body(*exchange, options.max_body_bytes);
  finish(*exchange);
  // An error page's size is no reason to hide the status.
  if (!content.ok() && content.error().code == Code::kTooLarge && reply.status >= 400) return reply;
  TRY_ASSIGN(reply.body, std::move(content));
  return reply;
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<Client> Client::make(ClientOptions options) {
  auto base = parse_url(options.base_url);
  if (!base.ok()) return Error{Code::kUsage, base.error().what};
  if (!base->tls && (!options.pinned_keys.empty() || options.identity)) {
    return Error{Code::kUsage, options.base_url + ": keys are given, but http:// uses none"};
  }
  if (!is_field_value(options.user_agent)) return Error{Code::kUsage, "a bad user agent"};
  auto state = std::make_unique<State>();
  state->base = std::move(base).value();
  state->wire_options = {options.pinned_keys, options.ca_pem, options.identity,
                         options.connect_timeout, options.read_timeout};
  state->wire_options.any_key = options.any_key && options.pinned_keys.empty();
  state->options = std::move(options);
  return Client(std::move(state));
}

Result<Reply> Client::request(std::string_view method, std::string_view target, BytesView body,
                              const Headers& headers, std::stop_token stop) {
  SteadyTime deadline = std::chrono::steady_clock::now() + state_->options.total_timeout;
  TRY_ASSIGN(std::string place, state_->resolve_target(target));
  for (unsigned hops = 0;; ++hops) {
    TRY_ASSIGN(Reply reply, state_->once(method, place, body, headers, stop, deadline));
    std::string_view location = header(reply.headers, "location");
    bool moved = reply.status == 301 || reply.status == 302 || reply.status == 303 ||
                 reply.status == 307 || reply.status == 308;
    bool follow = moved && !location.empty() && (method == "GET" || method == "HEAD");
    if (!follow || hops >= state_->options.max_redirects) return reply;
    auto next = state_->resolve_target(location);
    if (!next.ok()) return reply;  // elsewhere: the caller sees the redirect
    place = std::move(next).value();
  }
}

Result<Reply> Client::get(std::string_view target, std::stop_token stop) {
  return request("GET", target, {}, {}, std::move(stop));
}

Result<Reply> Client::get_at_most(std::string_view target, std::uint64_t max_bytes,
                                  std::stop_token stop) {
  std::uint64_t& limit = state_->options.max_body_bytes;
  std::uint64_t usual = limit;
  limit = std::min(limit, max_bytes);
  auto reply = get(target, std::move(stop));
  limit = usual;
  return reply;
}

std::uint64_t Client::bytes_received() const {
  return state_->received;
}

std::string Client::origin() const {
  return state_->base.origin();
}

bool looks_like_html(const Headers& headers, BytesView body) {
  if (header(headers, "content-type").starts_with("text/html")) return true;
  std::string_view text = as_text(body.first(std::min<std::size_t>(body.size(), 256)));
  return text.find("<!DOCTYPE html") != text.npos || text.find("<html") != text.npos;
}

}  // namespace lineside::http

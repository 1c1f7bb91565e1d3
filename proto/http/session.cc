// SPDX-License-Identifier: Apache-2.0
#include "proto/http/session.h"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <limits>

#include "proto/http/tls.h"

namespace lineside::http {
namespace {

constexpr std::size_t kSlice = 64 * 1024;
constexpr std::size_t kMaxDrain = 1 << 20;
constexpr std::chrono::seconds kHangUpTime{2};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::string chunk_head(std::size_t size) {
  char text[24];
  int length = std::snprintf(text, sizeof text, "%zx\r\n", size);
  return {text, static_cast<std::size_t>(length)};
}

Response call(const Handler& handler, const Request& request) {
  try {
    return handler(request);
  } catch (const std::exception& error) {
    return problem(500, {Code::kInternal, std::string("the handler failed: ") + error.what()});
  }
}

Result<Bytes> call(const std::function<Result<Bytes>()>& next) {
  try {
    return next();
  } catch (const std::exception& error) {
    return Error{Code::kInternal, error.what()};
  }
}

}  // namespace

Session::Session(Core& core, Tcp::socket socket, std::string remote_ip)
    : core_(core),
      remote_ip_(std::move(remote_ip)),
      tcp_(std::move(socket)),
      timer_(core.io),
      buffer_(core.options.max_header_bytes + kSlice) {
  core_.sessions.insert(this);
  ++core_.per_ip[remote_ip_];
  ++core_.connections;
}

Session::~Session() {
  if (events_) events_->detach();
  core_.sessions.erase(this);
  if (--core_.per_ip[remote_ip_] == 0) core_.per_ip.erase(remote_ip_);
  --core_.connections;
}

void Session::start() {
  ErrorCode ignored;
  tcp_.socket().set_option(Tcp::no_delay(true), ignored);
  if (!core_.tls) return read_head();
  tls_ = std::make_unique<beast::ssl_stream<beast::tcp_stream&>>(tcp_, *core_.tls);
  handshake();
}

void Session::close() {
  if (events_) events_->detach();
  timer_.cancel();
  tcp_.close();
}

void Session::handshake() {
  tcp_.expires_after(core_.options.handshake_timeout);
  tls_->async_handshake(net::ssl::stream_base::server,
                        [self = shared_from_this()](ErrorCode error) {
                          if (error) return;
                          self->peer_key_ = peer_public_key(self->tls_->native_handle());
                          self->read_head();
                        });
}

void Session::read_head() {
  parser_.emplace();
  parser_->header_limit(core_.options.max_header_bytes);
  // Set by on_head, which knows the route. Not boost::none: with it Boost 1.74 refuses every
  // Content-Length.
  parser_->body_limit(std::numeric_limits<std::uint64_t>::max());
  access_ = AccessRecord{};
  access_.remote_ip = remote_ip_;
  target_ = Target{};
  tcp_.expires_after(core_.options.idle_timeout);
  on_stream([this](auto& stream) {
    beast::http::async_read_header(stream, buffer_, *parser_,
                                   [self = shared_from_this()](ErrorCode error, std::size_t) {
                                     if (error) return self->on_bad_input(error);
                                     self->on_head();
                                   });
  });
}

void Session::on_head() {
  const auto& head = parser_->get();
  access_.method = std::string(head.method_string());
  auto target = parse_target(std::string_view(head.target().data(), head.target().size()));
  if (!target.ok()) return refuse(400, target.error());
  target_ = std::move(target).value();
  access_.path = target_.path;
  const ServerOptions& options = core_.options;
  std::uint64_t limit =
      options.max_body ? options.max_body(access_.method, target_.path) : options.max_body_bytes;
  auto length = parser_->content_length();
  if (length && *length > limit) {
    return refuse(413, {Code::kTooLarge, "the body may have " + std::to_string(limit) + " bytes"});
  }
  parser_->body_limit(limit);
  if (beast::iequals(head[beast::http::field::expect], "100-continue") && !parser_->is_done()) {
    return write("HTTP/1.1 100 Continue\r\n\r\n", &Session::read_body);
  }
  read_body();
}

void Session::read_body() {
  tcp_.expires_after(core_.options.idle_timeout);
  on_stream([this](auto& stream) {
    beast::http::async_read(stream, buffer_, *parser_,
                            [self = shared_from_this()](ErrorCode error, std::size_t) {
                              if (error) return self->on_bad_input(error);
                              self->dispatch(self->take_request());
                            });
  });
}

// Answers what the peer got wrong; a peer that is gone or silent gets nothing.
void Session::on_bad_input(ErrorCode error) {
  using Http = beast::http::error;
  bool http = error.category() == beast::http::make_error_code(Http::bad_method).category();
  if (!http || error == Http::end_of_stream || error == Http::partial_message) return close();
  if (error == Http::header_limit || error == Http::buffer_overflow) {
    return refuse(431, {Code::kTooLarge, "the request's head is too large"});
  }
  if (error == Http::body_limit) {
    return refuse(413, {Code::kTooLarge, "the request's body is too large"});
  }
  refuse(400, {Code::kMalformed, "not HTTP/1.1: " + error.message()});
}

// The rest of the request is not read, so the connection cannot be used again.
void Session::refuse(int status, Error error) {
  Request request;
  request.method = access_.method;
  send(make_answer(*core_.disk, request, problem(status, error), false, false));
}

Request Session::take_request() {
  auto message = parser_->release();
  Request request;
  request.method = access_.method;
  request.path = target_.path;
  request.query = std::move(target_.query);
  for (const auto& field : message) {
    std::string name = lower({field.name_string().data(), field.name_string().size()});
    std::string value(field.value().data(), field.value().size());
    auto [place, added] = request.headers.emplace(std::move(name), value);
    if (!added) place->second += ", " + value;
  }
  request.body = std::move(message.body());
  request.peer_key = peer_key_;
  request.remote_ip = remote_ip_;
  return request;
}

void Session::dispatch(Request request) {
  ++core_.requests;
  tcp_.expires_never();
  bool keep_alive = parser_->keep_alive();
  bool http_1_0 = parser_->get().version() < 11;
  std::string peer(peer_key_ ? as_text(*peer_key_) : std::string_view(remote_ip_));
  if (!core_.limit.allow(peer, std::chrono::steady_clock::now())) {
    Response busy = problem(429, {Code::kConflict, "too many requests: try again in a second"});
    busy.headers["Retry-After"] = "1";
    return send(make_answer(*core_.disk, request, std::move(busy), keep_alive, http_1_0));
  }
  net::post(core_.pool, [self = shared_from_this(), request = std::move(request), keep_alive,
                         http_1_0]() mutable {
    Core& core = self->core_;
    Answer answer =
        make_answer(*core.disk, request, call(core.handler, request), keep_alive, http_1_0);
    // The session must be let go of on the I/O thread: the pool's reference moves on.
    net::post(core.io, [self = std::move(self), answer = std::move(answer)]() mutable {
      self->send(std::move(answer));
    });
  });
}

void Session::send(Answer answer) {
  answer_ = std::move(answer);
  access_.status = answer_.status;
  body_done_ = std::min(answer_.body.size(), kSlice);
  std::string first = std::move(answer_.head);
  first += as_text(BytesView(answer_.body).first(body_done_));
  write(std::move(first), answer_.events ? &Session::start_events : &Session::next_piece);
}

// Writes all of `text`, then goes on with `then`, later if the server's sending rate asks for it.
void Session::write(std::string text, void (Session::*then)()) {
  out_ = std::move(text);
  tcp_.expires_after(core_.options.idle_timeout);
  on_stream([this, then](auto& stream) {
    net::async_write(stream, net::buffer(out_),
                     [self = shared_from_this(), then](ErrorCode error, std::size_t count) {
                       self->access_.bytes_sent += count;
                       self->core_.bytes_sent += count;
                       if (error) {
                         self->record(false);
                         return self->close();
                       }
                       std::uint64_t rate = self->core_.options.send_bytes_per_second;
                       if (rate == 0) return (*self.*then)();
                       SteadyTime now = std::chrono::steady_clock::now();
                       SteadyTime& at = self->core_.may_send_at;
                       at = std::max(at, now) +
                            std::chrono::nanoseconds(1'000'000'000 * count / rate);
                       self->timer_.expires_at(at);
                       self->timer_.async_wait([self, then](ErrorCode stopped) {
                         if (!stopped) (*self.*then)();
                       });
                     });
  });
}

void Session::next_piece() {
  if (body_done_ < answer_.body.size()) {
    std::size_t size = std::min(answer_.body.size() - body_done_, kSlice);
    std::string slice(as_text(BytesView(answer_.body).subspan(body_done_, size)));
    body_done_ += size;
    return write(std::move(slice), &Session::next_piece);
  }
  if (!answer_.next || (answer_.remaining && *answer_.remaining == 0)) return on_answered();
  pull();
}

void Session::pull() {
  tcp_.expires_never();
  net::post(core_.pool, [self = shared_from_this()]() mutable {
    Core& core = self->core_;
    Result<Bytes> piece = call(self->answer_.next);
    net::post(core.io, [self = std::move(self), piece = std::move(piece)]() mutable {
      self->write_piece(std::move(piece));
    });
  });
}

void Session::write_piece(Result<Bytes> piece) {
  bool cut = !piece.ok() || (piece->empty() && answer_.remaining) ||
             (answer_.remaining && piece->size() > *answer_.remaining);
  if (cut) {  // the promised length cannot be kept: only a broken connection says so
    record(false);
    return close();
  }
  if (answer_.remaining) *answer_.remaining -= piece->size();
  if (piece->empty()) answer_.next = nullptr;
  std::string text(as_text(*piece));
  if (answer_.chunked) text = chunk_head(text.size()) + text + "\r\n";
  if (text.empty()) return on_answered();
  write(std::move(text), &Session::next_piece);
}

void Session::on_answered() {
  record(true);
  bool again = answer_.keep_alive;
  answer_ = Answer{};
  if (again) return read_head();
  hang_up();
}

void Session::record(bool complete) {
  access_.complete = complete;
  if (core_.options.on_done && access_.status != 0) core_.options.on_done(access_);
  access_.status = 0;
}

// Closing with unread bytes in the kernel sends a reset, which can destroy the answer on its way.
// So: say goodbye, read what still comes (RFC 9112 section 9.6), then close.
void Session::hang_up() {
  tcp_.expires_after(kHangUpTime);
  if (!tls_) return drain();
  tls_->async_shutdown([self = shared_from_this()](ErrorCode) {
    if (self->tcp_.socket().is_open()) self->drain();
  });
}

void Session::drain() {
  ErrorCode ignored;
  if (drained_ == 0) tcp_.socket().shutdown(Tcp::socket::shutdown_send, ignored);
  tcp_.async_read_some(net::buffer(scratch_),
                       [self = shared_from_this()](ErrorCode error, std::size_t count) {
                         self->drained_ += count;
                         if (error || self->drained_ > kMaxDrain) return self->close();
                         self->drain();
                       });
}

void Session::start_events() {
  tcp_.expires_never();
  events_ = std::make_shared<EventWriter>();
  events_->attach([&io = core_.io, weak = weak_from_this()] {
    // A weak reference: a writer that outlives the connection must not keep it. It is only locked
    // on the I/O thread, where sessions end.
    net::post(io, [weak] {
      if (auto self = weak.lock()) self->pump_events();
    });
  });
  watch_for_leaving();
  beat();
  net::post(core_.pool, [start = std::move(answer_.events), writer = events_] {
    try {
      start(writer);
    } catch (const std::exception&) {
      writer->close();
    }
  });
}

void Session::watch_for_leaving() {
  on_stream([this](auto& stream) {
    stream.async_read_some(net::buffer(scratch_),
                           [self = shared_from_this()](ErrorCode error, std::size_t) {
                             if (!error) return self->watch_for_leaving();
                             // Closed first: who hears that it ended finds no writer open.
                             self->close();
                             self->record(true);
                           });
  });
}

void Session::pump_events() {
  if (writing_events_ || !tcp_.socket().is_open()) return;
  EventWriter::Pending pending = events_->take();
  if (pending.text.empty()) {
    if (pending.ended) {
      record(true);
      close();
    }
    return;
  }
  writing_events_ = true;
  out_ = std::move(pending.text);
  tcp_.expires_after(core_.options.idle_timeout);
  on_stream([this](auto& stream) {
    net::async_write(stream, net::buffer(out_),
                     [self = shared_from_this()](ErrorCode error, std::size_t count) {
                       self->writing_events_ = false;
                       self->access_.bytes_sent += count;
                       self->core_.bytes_sent += count;
                       if (error) return self->close();
                       self->pump_events();
                     });
  });
}

// A comment line now and then finds out that a peer is gone without a word.
void Session::beat() {
  timer_.expires_after(core_.options.event_heartbeat);
  timer_.async_wait([self = shared_from_this()](ErrorCode stopped) {
    if (stopped || !self->tcp_.socket().is_open()) return;
    self->events_->comment();
    self->beat();
  });
}

}  // namespace lineside::http

// SPDX-License-Identifier: Apache-2.0
#include "proto/http/wire.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include "proto/base/sha256.h"
#include "proto/http/tls.h"

namespace lineside::http {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
using Tcp = net::ip::tcp;
using ErrorCode = boost::system::error_code;
using Resolved = Tcp::resolver::results_type;

}  // namespace

struct Wire::State {
  explicit State(const Url& url) : name(url.authority()) {}

  Result<void> open(const Url& url, const WireOptions& wanted, const std::stop_token& stop);
  Result<Resolved> resolve(const Url& url, const std::stop_token& stop);
  Result<void> shake_hands(const Url& url, const WireOptions& wanted, const std::stop_token& stop);
  Result<void> configure(const WireOptions& wanted);
  Error handshake_failure(const ErrorCode& error) const;
  Error failure(const char* verb, const ErrorCode& error, const std::stop_token& stop) const;
  [[nodiscard]] SteadyTime expiry(SteadyTime deadline) const {
    return std::min(deadline, std::chrono::steady_clock::now() + read_timeout);
  }

  // Starts an operation and runs the loop until it is done; a stop request closes the socket.
  template <class Start>
  ErrorCode run(const std::stop_token& stop, Start start) {
    ErrorCode result;
    done = false;
    start([&result, this](const ErrorCode& error, auto&&...) {
      result = error;
      done = true;
    });
    std::stop_callback on_stop(stop, [this] { net::post(io, [this] { tcp.close(); }); });
    io.restart();
    while (!done && io.run_one() > 0) {
    }
    return result;
  }

  std::string name;  // host:port
  std::chrono::milliseconds read_timeout{};
  PinCheck pin;
  bool done = false;
  net::io_context io{1};
  beast::tcp_stream tcp{io};
  std::optional<net::ssl::context> context;
  std::unique_ptr<beast::ssl_stream<beast::tcp_stream&>> tls;
};

Error Wire::State::failure(const char* verb, const ErrorCode& error,
                           const std::stop_token& stop) const {
  if (stop.stop_requested()) return {Code::kCancelled, name + ": cancelled"};
  if (error == beast::error::timeout) {
    return {Code::kTimeout, std::string("cannot ") + verb + ' ' + name + ": no answer in time"};
  }
  // In TLS 1.3 a server's verdict on our certificate arrives with the first read.
  bool alert = error.category() == net::error::get_ssl_category() &&
               error.message().find("alert") != std::string::npos;
  return {alert ? Code::kDenied : Code::kNetwork,
          std::string("cannot ") + verb + ' ' + name + ": " + error.message()};
}

Result<Resolved> Wire::State::resolve(const Url& url, const std::stop_token& stop) {
  ErrorCode error;
  auto address = net::ip::make_address(url.host, error);
  if (!error) return Resolved::create(Tcp::endpoint(address, url.port), url.host, "");
  Tcp::resolver resolver(io);
  Resolved found;
  error = run(stop, [&](auto done_with) {
    resolver.async_resolve(url.host, std::to_string(url.port),
                           [&found, done_with](const ErrorCode& failed, Resolved results) {
                             found = std::move(results);
                             done_with(failed);
                           });
  });
  if (error) return failure("find the address of", error, stop);
  return found;
}

Result<void> Wire::State::configure(const WireOptions& wanted) {
  context.emplace(net::ssl::context::tls_client);
  SSL_CTX* raw = context->native_handle();
  if (!wanted.pinned_keys.empty() || wanted.any_key) {
    pin.expected = wanted.pinned_keys;
    pin.any = wanted.any_key;
    TRY(configure_pinned_client(raw, pin));
  } else {
    TRY(configure_public_client(raw, wanted.ca_pem));
  }
  if (wanted.identity) TRY(present_identity(raw, *wanted.identity));
  return ok();
}

Error Wire::State::handshake_failure(const ErrorCode& error) const {
  if (pin.refused) {
    const std::string expected = pin.expected.size() == 1
                                     ? sha256(pin.expected.front()).hex()
                                     : "one of " + std::to_string(pin.expected.size()) + " others";
    return {Code::kUnknownKey, name + " holds another key than the pinned one: sha256 " +
                                   sha256(*pin.refused).hex() + ", expected " + expected};
  }
  std::string reason = verify_failure(tls->native_handle());
  if (!reason.empty())
    return {Code::kUnknownKey, name + " has no acceptable certificate: " + reason};
  return failure("agree on TLS with", error, {});
}

Result<void> Wire::State::shake_hands(const Url& url, const WireOptions& wanted,
                                      const std::stop_token& stop) {
  TRY(configure(wanted));
  tls = std::make_unique<beast::ssl_stream<beast::tcp_stream&>>(tcp, *context);
  if (wanted.pinned_keys.empty() && !wanted.any_key)
    TRY(expect_host(tls->native_handle(), url.host));
  ErrorCode error = run(stop, [&](auto done_with) {
    tls->async_handshake(net::ssl::stream_base::client, done_with);
  });
  if (!error) return ok();
  return stop.stop_requested() ? failure("agree on TLS with", error, stop)
                               : handshake_failure(error);
}

Result<void> Wire::State::open(const Url& url, const WireOptions& wanted,
                               const std::stop_token& stop) {
  read_timeout = wanted.read_timeout;
  TRY_ASSIGN(Resolved found, resolve(url, stop));
  tcp.expires_after(wanted.connect_timeout);
  ErrorCode error = run(stop, [&](auto done_with) { tcp.async_connect(found, done_with); });
  if (error) return failure("connect to", error, stop);
  tcp.socket().set_option(Tcp::no_delay(true), error);
  if (url.tls) TRY(shake_hands(url, wanted, stop));
  return ok();
}

Wire::Wire(std::unique_ptr<State> state) : state_(std::move(state)) {}

Wire::~Wire() {
  // A word of goodbye would cost a round trip; the server sees the end of the stream.
  state_->tcp.close();
}

Result<std::unique_ptr<Wire>> Wire::connect(const Url& url, const WireOptions& options,
                                            std::stop_token stop) {
  if (stop.stop_requested()) return Error{Code::kCancelled, url.authority() + ": cancelled"};
  try {
    auto state = std::make_unique<State>(url);
    TRY(state->open(url, options, stop));
    return std::unique_ptr<Wire>(new Wire(std::move(state)));
  } catch (const std::exception& error) {
    return Error{Code::kInternal, url.authority() + ": " + error.what()};
  }
}

Result<void> Wire::write(BytesView data, std::stop_token stop, SteadyTime deadline) {
  State& state = *state_;
  while (!data.empty()) {
    BytesView piece = data.first(std::min<std::size_t>(data.size(), 65536));
    data = data.subspan(piece.size());
    state.tcp.expires_at(state.expiry(deadline));
    net::const_buffer buffer(piece.data(), piece.size());
    ErrorCode error = state.run(stop, [&](auto done_with) {
      if (state.tls) return net::async_write(*state.tls, buffer, done_with);
      net::async_write(state.tcp, buffer, done_with);
    });
    if (error) return state.failure("send to", error, stop);
  }
  return ok();
}

Result<std::size_t> Wire::read_some(std::span<std::uint8_t> out, std::stop_token stop,
                                    SteadyTime deadline) {
  State& state = *state_;
  std::size_t count = 0;
  state.tcp.expires_at(state.expiry(deadline));
  net::mutable_buffer buffer(out.data(), out.size());
  ErrorCode error = state.run(stop, [&](auto done_with) {
    auto counted = [&count, done_with](const ErrorCode& failed, std::size_t size) {
      count = size;
      done_with(failed);
    };
    if (state.tls) return state.tls->async_read_some(buffer, counted);
    state.tcp.async_read_some(buffer, counted);
  });
  if (error == net::error::eof && !stop.stop_requested()) return std::size_t{0};
  if (error) return state.failure("read from", error, stop);
  return count;
}

Result<void> Wire::pause(std::chrono::nanoseconds time, std::stop_token stop) {
  // Shared: the cancelling may still be queued when the wait is over.
  auto timer = std::make_shared<net::steady_timer>(state_->io, time);
  std::stop_callback on_stop(
      stop, [&io = state_->io, timer] { net::post(io, [timer] { timer->cancel(); }); });
  bool over = false;
  timer->async_wait([&over](const ErrorCode&) { over = true; });
  state_->io.restart();
  while (!over && state_->io.run_one() > 0) {
  }
  if (stop.stop_requested()) return Error{Code::kCancelled, state_->name + ": cancelled"};
  return ok();
}

bool Wire::is_stale() const {
  char byte = 0;
  auto& socket = state_->tcp.socket();
  if (!socket.is_open()) return true;
  return ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

}  // namespace lineside::http

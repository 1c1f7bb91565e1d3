// SPDX-License-Identifier: Apache-2.0
// Internal to proto/http: one connection of the server. Includes Asio and Beast; only server.cc and
// session.cc include it.
#pragma once

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include <atomic>
#include <map>
#include <set>

#include "proto/base/disk.h"
#include "proto/http/answer.h"
#include "proto/http/event_stream.h"
#include "proto/http/rate_limit.h"
#include "proto/http/server.h"

namespace lineside::http {

namespace net = boost::asio;
namespace beast = boost::beast;
using Tcp = net::ip::tcp;
using ErrorCode = boost::system::error_code;

class Session;

// What the sessions of one server share. Everything but `options`, `handler`, `disk`, `pool` and
// the atomics belongs to the I/O thread.
struct Core {
  Core(ServerOptions server_options, Handler request_handler)
      : options(std::move(server_options)),
        handler(std::move(request_handler)),
        limit(options.requests_per_second, options.request_burst),
        pool(options.handler_threads) {}

  ServerOptions options;
  Handler handler;
  RateLimit limit;
  std::unique_ptr<Disk> disk = make_posix_disk();
  std::optional<net::ssl::context> tls;
  std::set<Session*> sessions;
  std::map<std::string, std::size_t> per_ip;
  SteadyTime may_send_at{};  // the sending rate of the whole server
  std::atomic<std::uint64_t> connections{0}, accepted{0}, refused{0}, requests{0}, bytes_sent{0};
  net::io_context io{1};
  net::thread_pool pool;
};

// Lives as long as an operation of its own is pending; born and destroyed on the I/O thread.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Core& core, Tcp::socket socket, std::string remote_ip);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start();
  // Drops the connection at once.
  void close();

 private:
  using Parser = beast::http::request_parser<beast::http::vector_body<std::uint8_t>>;

  void handshake();
  void read_head();
  void on_head();
  void read_body();
  void on_bad_input(ErrorCode error);
  void refuse(int status, Error error);
  Request take_request();
  void dispatch(Request request);
  void send(Answer answer);
  void write(std::string text, void (Session::*then)());
  void next_piece();
  void pull();
  void write_piece(Result<Bytes> piece);
  void on_answered();
  void record(bool complete);
  void hang_up();
  void drain();
  void start_events();
  void watch_for_leaving();
  void pump_events();
  void beat();

  // Calls f with the TLS or the plain stream.
  template <class F>
  void on_stream(F f) {
    if (tls_) {
      f(*tls_);
    } else {
      f(tcp_);
    }
  }

  Core& core_;
  std::string remote_ip_;
  beast::tcp_stream tcp_;
  std::unique_ptr<beast::ssl_stream<beast::tcp_stream&>> tls_;
  net::steady_timer timer_;
  std::optional<Bytes> peer_key_;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  Target target_;
  Answer answer_;
  std::size_t body_done_ = 0;
  std::string out_;  // being written
  AccessRecord access_;
  std::shared_ptr<EventWriter> events_;
  bool writing_events_ = false;
  std::array<std::uint8_t, 4096> scratch_{};
  std::size_t drained_ = 0;
};

}  // namespace lineside::http

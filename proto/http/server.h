// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server, over TLS 1.3 with client certificates or, without an Identity, plain.
//
// One thread does all I/O; handlers run on a small pool and may block. Every wait has a limit and
// every buffer a bound, so that one peer can hold at most one connection's worth of memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "proto/base/result.h"
#include "proto/http/identity.h"
#include "proto/http/message.h"
#include "proto/http/target.h"

namespace lineside::http {

// What was answered, for access logs and budgets.
struct AccessRecord {
  std::string method;
  std::string path;  // empty if the request could not be parsed
  std::string remote_ip;
  int status = 0;
  std::uint64_t bytes_sent = 0;  // head and body, without TLS
  bool complete = false;         // false if the connection broke first
};

struct ServerOptions {
  std::string address = "127.0.0.1:0";  // IP:port; port 0 lets the system choose
  // A socket that listens already, for instance the service manager's; owned by the server, and
  // `address` is not used. It must be a TCP socket.
  std::optional<int> inherited;
  std::optional<Identity> identity;  // absent: plain HTTP
  bool require_client_certificate = false;
  bool ask_client_certificate = true;  // false for browsers, which would ask their user
  std::size_t max_connections = 2048;
  std::size_t max_connections_per_ip = 64;
  std::uint32_t max_header_bytes = 16 * 1024;
  std::uint64_t max_body_bytes = 1 << 20;
  // Overrides max_body_bytes for a route; called on the I/O thread, so it must not block.
  std::function<std::uint64_t(const std::string& method, const std::string& path)> max_body;
  // Longest wait for a request's head, for its body, and for 64 KiB of an answer to be taken.
  std::chrono::milliseconds idle_timeout{60'000};
  std::chrono::milliseconds handshake_timeout{10'000};
  std::chrono::milliseconds event_heartbeat{15'000};  // a comment on silent event streams
  unsigned handler_threads = 4;
  double requests_per_second = 0;  // per peer key, else per IP; 0 = no limit; beyond it: 429
  double request_burst = 20;
  std::uint64_t send_bytes_per_second = 0;  // of the whole server; 0 = no limit
  // Called on the I/O thread after each answer; must not block.
  std::function<void(const AccessRecord&)> on_done;
};

struct ServerStats {
  std::uint64_t connections = 0;  // open now
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;  // over a limit of connections
  std::uint64_t requests = 0;
  std::uint64_t bytes_sent = 0;
};

// Called on several threads at once. An exception becomes a 500.
using Handler = std::function<Response(const Request&)>;

class Server {
 public:
  // Listens when it returns. kConflict if the address is in use, kDenied without the right to bind,
  // kUsage for a bad address, kIo, kInternal.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler);
  ~Server();  // stop()
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The address that it listens on, with the chosen port.
  [[nodiscard]] const Endpoint& endpoint() const;
  // Any thread; the figures are each exact, not a snapshot of one moment.
  [[nodiscard]] ServerStats stats() const;
  // Closes every connection, waits for running handlers. Not from a handler. May be called twice.
  void stop();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace lineside::http

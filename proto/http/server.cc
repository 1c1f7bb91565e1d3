// SPDX-License-Identifier: Apache-2.0
#include "proto/http/server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "proto/http/session.h"
#include "proto/http/tls.h"

namespace lineside::http {
namespace {

Error cannot_listen(const std::string& address, const ErrorCode& error) {
  if (error == net::error::address_in_use) {
    return {Code::kConflict,
            "address " + address +
                " is in use: stop the program that listens there (`ss -ltnp` names "
                "it) or configure another address"};
  }
  if (error == net::error::access_denied) {
    return {Code::kDenied, "no right to listen on " + address + ": use a port above 1023"};
  }
  if (error == boost::system::errc::address_not_available) {
    return {Code::kUsage, address + " is no address of this machine"};
  }
  return {Code::kIo, "cannot listen on " + address + ": " + error.message()};
}

}  // namespace

struct Server::State {
  State(ServerOptions options, Handler handler) : core(std::move(options), std::move(handler)) {}

  Result<void> listen();
  Result<void> bind();
  Result<void> adopt(int socket);
  Result<void> prepare_tls();
  void accept();
  void on_socket(Tcp::socket socket);
  void stop();

  Core core;
  Tcp::acceptor acceptor{core.io};
  net::steady_timer pause{core.io};
  net::executor_work_guard<net::io_context::executor_type> busy{core.io.get_executor()};
  Endpoint endpoint;
  std::thread thread;
  bool stopping = false;  // I/O thread
};

Result<void> Server::State::listen() {
  return core.options.inherited ? adopt(*core.options.inherited) : bind();
}

Result<void> Server::State::adopt(int socket) {
  sockaddr_storage name{};
  socklen_t length = sizeof name;
  bool named = ::getsockname(socket, reinterpret_cast<sockaddr*>(&name), &length) == 0;
  if (!named || (name.ss_family != AF_INET && name.ss_family != AF_INET6)) {
    ::close(socket);
    return Error{Code::kUsage, "the inherited socket is no TCP socket"};
  }
  ErrorCode error;
  acceptor.assign(name.ss_family == AF_INET ? Tcp::v4() : Tcp::v6(), socket, error);
  if (error) return Error{Code::kIo, "the inherited socket: " + error.message()};
  Tcp::endpoint place = acceptor.local_endpoint(error);
  endpoint = {place.address().to_string(), place.port()};
  return ok();
}

Result<void> Server::State::bind() {
  TRY_ASSIGN(endpoint, parse_endpoint(core.options.address));
  ErrorCode error;
  auto ip = net::ip::make_address(endpoint.ip, error);
  if (error) return Error{Code::kUsage, "\"" + endpoint.ip + "\" is no IP address"};
  Tcp::endpoint place(ip, endpoint.port);
  acceptor.open(place.protocol(), error);
  if (!error) acceptor.set_option(net::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(place, error);
  if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
  if (error) return cannot_listen(endpoint.text(), error);
  endpoint.port = acceptor.local_endpoint(error).port();
  return ok();
}

Result<void> Server::State::prepare_tls() {
  if (!core.options.identity) return ok();
  core.tls.emplace(net::ssl::context::tls_server);
  ClientCertificate client = ClientCertificate::kAsked;
  if (!core.options.ask_client_certificate) client = ClientCertificate::kIgnored;
  if (core.options.require_client_certificate) client = ClientCertificate::kRequired;
  return configure_server(core.tls->native_handle(), *core.options.identity, client);
}

void Server::State::accept() {
  acceptor.async_accept([this](ErrorCode error, Tcp::socket socket) {
    if (stopping || error == net::error::operation_aborted) return;
    if (!error) {
      on_socket(std::move(socket));
      return accept();
    }
    // Out of descriptors, most likely: trying again at once would only burn the processor.
    pause.expires_after(std::chrono::milliseconds(100));
    pause.async_wait([this](ErrorCode stopped) {
      if (!stopped && !stopping) accept();
    });
  });
}

void Server::State::on_socket(Tcp::socket socket) {
  ErrorCode error;
  auto remote = socket.remote_endpoint(error);
  if (error) return;  // gone already
  std::string ip = remote.address().to_string();
  auto held = core.per_ip.find(ip);
  std::size_t same_ip = held == core.per_ip.end() ? 0 : held->second;
  if (core.sessions.size() >= core.options.max_connections ||
      same_ip >= core.options.max_connections_per_ip) {
    ++core.refused;
    return;
  }
  ++core.accepted;
  std::make_shared<Session>(core, std::move(socket), std::move(ip))->start();
}

// The order matters: sessions are closed first, then the pool is emptied while the I/O thread still
// takes its results, and only then does the I/O thread run out of work. After that no session
// exists.
void Server::State::stop() {
  if (!thread.joinable()) return;
  auto close_all = [this] {
    stopping = true;
    ErrorCode ignored;
    acceptor.close(ignored);
    pause.cancel();
    std::vector<std::shared_ptr<Session>> held;
    for (Session* session : core.sessions) held.push_back(session->shared_from_this());
    for (auto& session : held) session->close();
  };
  net::post(core.io, close_all);
  core.pool.join();
  net::post(core.io, close_all);  // a handler's answer may have begun another read
  busy.reset();
  thread.join();
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() {
  stop();
}

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler handler) {
  if (options.handler_threads == 0) return Error{Code::kUsage, "a server needs a handler thread"};
  try {
    auto state = std::make_unique<State>(std::move(options), std::move(handler));
    TRY(state->prepare_tls());
    TRY(state->listen());
    state->accept();
    state->thread = std::thread([raw = state.get()] { raw->core.io.run(); });
    return std::unique_ptr<Server>(new Server(std::move(state)));
  } catch (const std::exception& error) {
    return Error{Code::kInternal, std::string("cannot start the HTTP server: ") + error.what()};
  }
}

const Endpoint& Server::endpoint() const {
  return state_->endpoint;
}

ServerStats Server::stats() const {
  const Core& core = state_->core;
  return {core.connections, core.accepted, core.refused, core.requests, core.bytes_sent};
}

void Server::stop() {
  state_->stop();
}

}  // namespace lineside::http

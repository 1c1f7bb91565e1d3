// SPDX-License-Identifier: Apache-2.0
#include "node/swarm_transport.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "proto/http/target.h"

namespace lineside::node {
namespace {

// A node meets others until it has so many connections. With each more requests are outstanding at
// once and bind more pieces to peers that send them late: 32 nodes at 20 Mbit/s took 1.55 of the
// bound for 8 MB when all knew each other, 1.33 when each was introduced to 4, 1.35 to 7. Three are
// too few: 1.55.
constexpr std::size_t kEnoughPeers = 8;

// What a counter grew by; one that fell began anew with its torrent.
std::uint64_t since(std::uint64_t before, std::uint64_t now) {
  return now >= before ? now - before : now;
}

swarm::DeliveryFacts facts_of(const Carried& delivery) {
  return {delivery.root, delivery.length};
}

Result<void> unless_carried(Result<void> result) {
  if (!result.ok() && result.error().code == Code::kExists) return ok();
  return result;
}

Bytes piece_map(const std::vector<bool>& pieces) {
  Bytes map((pieces.size() + 7) / 8, 0);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i]) map[i / 8] |= static_cast<std::uint8_t>(0x80U >> (i % 8));
  }
  return map;
}

}  // namespace

std::string local_address_towards(const std::string& url) {
  auto parsed = http::parse_url(url);
  if (!parsed.ok()) return {};
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  std::string port = std::to_string(parsed->port);
  if (::getaddrinfo(parsed->host.c_str(), port.c_str(), &hints, &found) != 0) return {};
  std::string address;
  int fd = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_storage own{};
  socklen_t size = sizeof(own);
  // Nothing is sent: connecting a datagram socket only asks for the route.
  if (fd >= 0 && ::connect(fd, found->ai_addr, found->ai_addrlen) == 0 &&
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) == 0) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(reinterpret_cast<sockaddr*>(&own), size, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      address = text.data();
    }
  }
  if (fd >= 0) ::close(fd);
  ::freeaddrinfo(found);
  return address;
}

Result<std::unique_ptr<SwarmTransport>> SwarmTransport::start(Disk& disk,
                                                              swarm::SwarmOptions options,
                                                              const std::string& gateway,
                                                              std::chrono::milliseconds patience) {
  std::unique_ptr<SwarmTransport> transport(new SwarmTransport);
  transport->listen_ = options.listen.empty() ? "0.0.0.0:0" : options.listen.front();
  transport->gateway_ = gateway;
  transport->patience_ = patience;
  options.on_change = [raw = transport.get()](const Digest&) {
    std::scoped_lock lock(raw->mutex_);
    raw->changed_.notify_all();
  };
  TRY_ASSIGN(transport->swarm_, swarm::Swarm::start(disk, std::move(options)));
  return transport;
}

Result<void> SwarmTransport::fetch(const Carried& delivery, const std::vector<Digest>& leaves) {
  // A transfer that a full disk stopped is still carried, and stays stopped until it is removed.
  auto status = swarm_->status(delivery.root);
  if (status.ok() && status->state == swarm::State::kFailed) {
    TRY(swarm_->remove(delivery.root, false));
  }
  return unless_carried(swarm_->fetch(facts_of(delivery), delivery.file, leaves));
}

Result<void> SwarmTransport::seed(const Carried& delivery, const std::vector<Digest>& leaves) {
  return unless_carried(swarm_->seed(facts_of(delivery), delivery.file, leaves));
}

Result<void> SwarmTransport::wait(const Digest& root, std::stop_token stop) {
  std::uint64_t received = 0;
  auto moved = std::chrono::steady_clock::now();
  while (!stop.stop_requested()) {
    TRY_ASSIGN(swarm::Status status, swarm_->status(root));
    if (status.state == swarm::State::kSeeding) return ok();
    if (status.state == swarm::State::kFailed) {
      return status.error.value_or(Error{Code::kIo, "the transfer stopped"});
    }
    auto steady = std::chrono::steady_clock::now();
    std::uint64_t now = status.bytes_from_gateway + status.bytes_from_peers;
    if (now != received || status.state == swarm::State::kChecking) moved = steady;
    received = now;
    if (steady - moved > patience_) return Error{Code::kTimeout, "the transfer stands still"};
    // A change between the question and the wait is seen a second later.
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
  }
  return Error{Code::kCancelled, "the transfer was stopped on request"};
}

Result<void> SwarmTransport::forget(const Digest& root, bool delete_file) {
  {
    std::scoped_lock lock(mutex_);
    counted_.erase(root);
  }
  auto removed = swarm_->remove(root, delete_file);
  if (!removed.ok() && removed.error().code == Code::kNotFound) return ok();
  return removed;
}

void SwarmTransport::meet(const Digest& root, const std::string& gateway,
                          const std::vector<std::string>& peers) {
  std::vector<swarm::Endpoint> known;
  auto add = [&known](const std::string& text) {
    auto endpoint = api::parse_endpoint(text);
    if (endpoint.ok() && endpoint->port != 0) known.push_back({endpoint->address, endpoint->port});
    return endpoint.ok();
  };
  if (!gateway.empty() && add(gateway)) {
    std::vector<std::string> addresses = {known.back().address};
    (void)swarm_->mark_gateway(addresses).ok();
  }
  const auto status = swarm_->status(root);
  const std::size_t connected = status.ok() ? status->peers : 0;
  const std::size_t wanted = known.size() + kEnoughPeers - std::min(kEnoughPeers, connected);
  for (const std::string& peer : peers) {
    if (known.size() < wanted) add(peer);
  }
  (void)swarm_->add_peers(root, known).ok();  // an unknown root has nobody to meet
}

std::optional<api::Transfer> SwarmTransport::transfer(const Digest& root) const {
  auto status = swarm_->status(root);
  if (!status.ok()) return std::nullopt;
  api::Transfer transfer;
  transfer.root = root;
  transfer.length = status->bytes_total;
  transfer.have = status->bytes_done;
  {
    std::scoped_lock lock(mutex_);
    auto counted = counted_.find(root);
    Received before = counted == counted_.end() ? Received{} : counted->second;
    transfer.from_gateway = since(before.from_gateway, status->bytes_from_gateway);
    transfer.from_peers = since(before.from_peers, status->bytes_from_peers);
  }
  transfer.wasted = status->bytes_wasted;
  transfer.uploaded = status->bytes_uploaded;
  transfer.pieces = static_cast<std::uint32_t>(status->pieces.size());
  transfer.piece_map = piece_map(status->pieces);
  transfer.peers = status->peers;
  transfer.down_rate = status->download_rate;
  transfer.up_rate = status->upload_rate;
  transfer.culprits = std::move(status->culprits);
  if (transfer.culprits.size() > api::kMaxCulprits) transfer.culprits.resize(api::kMaxCulprits);
  return transfer;
}

void SwarmTransport::count_anew(const Digest& root) {
  auto status = swarm_->status(root);
  if (!status.ok()) return;
  std::scoped_lock lock(mutex_);
  counted_[root] = {status->bytes_from_gateway, status->bytes_from_peers};
}

std::string SwarmTransport::endpoint() const {
  auto listen = api::parse_endpoint(listen_);
  if (!listen.ok()) return {};
  api::Endpoint own = *listen;
  own.port = swarm_->port();
  if (own.address == "0.0.0.0" || own.address == "::") {
    own.address = local_address_towards(gateway_);
  }
  return own.address.empty() ? "" : own.text();
}

}  // namespace lineside::node

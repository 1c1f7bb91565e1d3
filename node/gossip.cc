// SPDX-License-Identifier: Apache-2.0
#include "node/gossip.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "node/gossip_routes.h"
#include "node/http_gateway_link.h"
#include "node/news.h"
#include "node/peer_book.h"
#include "node/shelf.h"
#include "node/swarm_transport.h"
#include "proto/base/log.h"
#include "proto/http/server.h"

namespace lineside::node {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kAskedAtOnce = 2;
constexpr std::size_t kMaxGifts = 16;
constexpr std::size_t kMaxGiftBytes = 32 << 20;
constexpr std::size_t kMaxSources = 4;
constexpr std::uint64_t kMaxBookBytes = 64 << 10;
constexpr LinkPatience kPatience{milliseconds(3'000), milliseconds(20'000)};

http::ServerOptions server_options(const GossipOptions& options, const http::Identity& identity) {
  http::ServerOptions server;
  server.address = options.listen;
  server.identity = identity;
  server.require_client_certificate = true;
  server.max_connections = 64;
  server.max_connections_per_ip = 16;
  server.max_body = GossipRoutes::max_body;
  server.idle_timeout = milliseconds(10'000);
  server.handshake_timeout = milliseconds(5'000);
  server.handler_threads = 1;
  server.requests_per_second = 10;
  server.request_burst = 100;  // a root chain is many small requests
  server.send_bytes_per_second = 8 << 20;
  return server;
}

std::size_t size_of(const Gift& gift) {
  std::size_t size = 0;
  for (const Bytes& bytes : gift.bytes) size += bytes.size();
  return size;
}

std::vector<trust::PublicKey> members(const trust::Roster& roster) {
  std::vector<trust::PublicKey> keys = roster.gateways;
  for (const trust::Device& device : roster.devices) {
    if (!device.revoked) keys.push_back(device.key);
  }
  return keys;
}

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

// Where a caller is reached: its address as we see it, its port as it says. On one machine, where
// everybody comes from the same address, its own word counts.
std::string reached_at(const std::string& remote_ip, const std::string& said) {
  auto endpoint = api::parse_endpoint(said);
  if (!endpoint.ok() || endpoint->port == 0) return {};
  const bool one_machine = is_loopback(remote_ip) && is_loopback(endpoint->address);
  if (!one_machine) endpoint->address = remote_ip;
  return endpoint->text();
}

}  // namespace

struct Gossip::State {
  State(Disk& on, Path folder, http::Identity own, GossipOptions given)
      : disk(on),
        state(std::move(folder)),
        identity(std::move(own)),
        options(std::move(given)),
        shelf(disk, state),
        book(options.peers, std::random_device{}()),
        routes(disk, state, shelf, [this](const std::string& remote_ip, const api::Heads& theirs) {
          heard(remote_ip, theirs);
        }) {}

  void load_book();
  void save_book();
  Result<void> listen();
  void run(const std::stop_token& stop);
  void ask(const std::string& endpoint);
  void keep(std::vector<Gift> gifts);
  void heard(const std::string& remote_ip, const api::Heads& theirs);

  struct Source {
    std::shared_ptr<HttpGatewayLink> link;
    std::int64_t vendor_timestamp = 0;
  };

  Disk& disk;
  const Path state;
  const http::Identity identity;
  const GossipOptions options;
  Shelf shelf;
  std::string endpoint;
  std::stop_source stopping;

  std::mutex mutex;
  std::condition_variable_any wake;
  PeerBook book;
  Bytes saved_book;
  bool asked_for = false;  // somebody with news was heard of
  std::vector<Gift> inbox;
  std::map<std::string, Source> sources;  // by endpoint, under the present roster
  std::optional<Digest> roster;           // that `sources` are pinned by

  GossipRoutes routes;
  std::unique_ptr<http::Server> server;
  std::jthread thread;  // last: joined before the rest goes
};

Result<void> Gossip::State::listen() {
  TRY_ASSIGN(server, http::Server::start(
                         server_options(options, identity),
                         [this](const http::Request& request) { return routes.handle(request); }));
  api::Endpoint own{server->endpoint().ip, server->endpoint().port};
  if (own.address == "0.0.0.0" || own.address == "::") {
    own.address = local_address_towards(options.gateway);
  }
  std::scoped_lock lock(mutex);
  if (!own.address.empty()) endpoint = own.text();
  shelf.reached_at(endpoint);
  return ok();
}

void Gossip::State::load_book() {
  auto bytes = disk.read(state / "peers.json", kMaxBookBytes);
  if (!bytes.ok()) return;
  saved_book = *bytes;
  auto peers = parse_peers(*bytes);
  if (!peers.ok()) {
    log(Level::kWarning, "peers.json is not used", {{"why", peers.error().describe()}});
    return;
  }
  for (const std::string& peer : *peers) book.add(peer);
}

void Gossip::State::save_book() {
  Bytes bytes;
  {
    std::scoped_lock lock(mutex);
    bytes = book.serialise();
    if (bytes == saved_book) return;
    saved_book = bytes;
  }
  auto saved = disk.replace(state / "peers.json", bytes);
  if (!saved.ok()) log(Level::kInfo, "peers.json not written", {{"why", saved.error().describe()}});
}

void Gossip::State::heard(const std::string& remote_ip, const api::Heads& theirs) {
  const std::string caller = reached_at(remote_ip, theirs.gossip_endpoint);
  if (caller.empty()) return;
  const bool news = has_news(shelf.heads(), theirs);
  std::scoped_lock lock(mutex);
  if (caller == endpoint) return;
  book.add(caller);
  if (!news) return;
  book.prefer(caller);
  asked_for = true;
  wake.notify_all();
}

void Gossip::State::keep(std::vector<Gift> gifts) {
  std::scoped_lock lock(mutex);
  std::size_t bytes = 0;
  for (const Gift& gift : inbox) bytes += size_of(gift);
  for (Gift& gift : gifts) {
    bytes += size_of(gift);
    if (inbox.size() >= kMaxGifts || bytes > kMaxGiftBytes) return;
    inbox.push_back(std::move(gift));
  }
}

void Gossip::State::ask(const std::string& peer) {
  auto held = shelf.holdings();
  auto link = std::make_shared<HttpGatewayLink>(std::vector<std::string>{"https://" + peer},
                                                identity, kPatience);
  link->pin(members(held->roster->roster));
  std::stop_callback ends(stopping.get_token(), [raw = link.get()] { raw->stop(); });
  const api::Heads own = shelf.heads();
  auto theirs = link->exchange(own);
  if (!theirs.ok()) {
    log(Level::kDebug, "a peer does not answer",
        {{"peer", peer}, {"why", theirs.error().describe()}});
    std::scoped_lock lock(mutex);
    book.failed(peer);
    sources.erase(peer);
    return;
  }
  std::vector<Gift> news = fetch_news(*link, peer, own, *theirs);
  {
    std::scoped_lock lock(mutex);
    book.answered(peer);
    if (stopping.stop_requested()) return;
    if (roster == held->roster->digest) sources[peer] = {link, theirs->vendor_timestamp};
  }
  keep(std::move(news));
}

void Gossip::State::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<std::string> chosen;
    {
      std::unique_lock lock(mutex);
      wake.wait_for(lock, stop, options.every, [this] { return asked_for; });
      asked_for = false;
      if (stop.stop_requested()) return;
      if (roster) chosen = book.choose(kAskedAtOnce);
    }
    for (const std::string& peer : chosen) {
      if (peer != endpoint && !stop.stop_requested()) ask(peer);
    }
    save_book();
  }
}

Gossip::Gossip(std::unique_ptr<State> state) : state_(std::move(state)) {}
Gossip::~Gossip() {
  stop();
}

void Gossip::stop() {
  state_->stopping.request_stop();
  state_->thread.request_stop();
  std::scoped_lock lock(state_->mutex);
  for (const auto& [endpoint, source] : state_->sources) source.link->stop();
}

Result<std::unique_ptr<Gossip>> Gossip::start(Disk& disk, Path state, http::Identity identity,
                                              GossipOptions options) {
  auto made =
      std::make_unique<State>(disk, std::move(state), std::move(identity), std::move(options));
  State* raw = made.get();
  raw->load_book();
  TRY(raw->listen());
  raw->thread = std::jthread([raw](const std::stop_token& stop) { raw->run(stop); });
  return std::unique_ptr<Gossip>(new Gossip(std::move(made)));
}

void Gossip::meet(const std::vector<std::string>& endpoints) {
  std::scoped_lock lock(state_->mutex);
  for (const std::string& endpoint : endpoints) {
    if (endpoint != state_->endpoint) state_->book.add(endpoint);
  }
}

void Gossip::show(Holdings holdings) {
  {
    std::scoped_lock lock(state_->mutex);
    std::optional<Digest> present;
    if (holdings.roster) present = holdings.roster->digest;
    if (present != state_->roster) state_->sources.clear();  // whoever was revoked is none any more
    state_->roster = present;
  }
  state_->shelf.show(std::move(holdings));
}

std::vector<Gift> Gossip::take() {
  std::scoped_lock lock(state_->mutex);
  return std::exchange(state_->inbox, {});
}

std::vector<std::shared_ptr<GatewayLink>> Gossip::sources() {
  std::vector<State::Source> found;
  {
    std::scoped_lock lock(state_->mutex);
    for (const auto& [endpoint, source] : state_->sources) found.push_back(source);
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& one, const auto& other) {
    return one.vendor_timestamp > other.vendor_timestamp;
  });
  std::vector<std::shared_ptr<GatewayLink>> links;
  for (const State::Source& source : found) {
    if (links.size() < kMaxSources) links.push_back(source.link);
  }
  return links;
}

std::string Gossip::endpoint() const {
  std::scoped_lock lock(state_->mutex);
  return state_->endpoint;
}

}  // namespace lineside::node

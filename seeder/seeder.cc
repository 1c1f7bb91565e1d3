// SPDX-License-Identifier: Apache-2.0
#include "seeder/seeder.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "proto/base/log.h"
#include "proto/base/service.h"
#include "proto/base/state_lock.h"
#include "proto/http/server.h"
#include "proto/swarm/swarm.h"
#include "proto/trust/key_file.h"
#include "seeder/api.h"
#include "seeder/page/page.h"
#include "seeder/page/page_identity.h"

namespace lineside::seeder {
namespace {

constexpr std::uint64_t kMaxRootBytes = 1ULL << 20;
constexpr std::chrono::milliseconds kTick{500};

// Runs `begin`, which trusts the root in `file` if nothing is trusted yet. A file that is missing
// or no root is then a mistake in the configuration; otherwise the state folder is damaged.
template <class Begin>
Result<void> from_root(const Disk& disk, const Path& trusted, const char* key, const Path& file,
                       Begin begin) {
  TRY_ASSIGN(auto present, disk.stat(trusted));
  Result<void> begun = begin();
  if (begun.ok()) return ok();
  if (begun.error().code == Code::kMismatch) {
    return Error{
        Code::kUsage,
        fmt::format("{} = \"{}\" is not the root that this gateway began with: {}; give it "
                    "that one again, or a state folder of its own for another",
                    key, file.string(), begun.error().what)};
  }
  if (present) return begun.error().with(key);
  return Error{Code::kUsage, fmt::format("{} = \"{}\" is no root to start from: {}", key,
                                         file.string(), begun.error().what)};
}

}  // namespace

struct Seeder::Parts {
  Parts(StateLock held, trust::PublicKey own) : state_lock(std::move(held)), key(std::move(own)) {}

  // In the order of their lives: what comes later uses what comes before.
  StateLock state_lock;
  trust::PublicKey key;
  std::unique_ptr<RolloutStore> store;
  std::optional<BundleStore> bundles;
  std::unique_ptr<Origin> origin;
  std::optional<Mirror> mirror;
  std::unique_ptr<swarm::Swarm> swarm;
  std::optional<SiteRoot> site_root;
  std::unique_ptr<Site> site;
  std::unique_ptr<Supply> supply;
  std::optional<Api> api;
  std::unique_ptr<http::Server> server;
  std::optional<Users> users;
  std::optional<Sessions> sessions;
  std::optional<Page> page;
  std::unique_ptr<http::Server> page_server;
  std::jthread ticker;

  Result<void> open_stores(const SeederConfig& config, Disk& disk, Clock& clock);
  Result<void> open_swarm(const SeederConfig& config, Disk& disk);
  Result<void> open_site(const SeederConfig& config, Disk& disk, Clock& clock);
  Result<void> open_server(const SeederConfig& config, Disk& disk, http::Identity identity);
  Result<void> open_page(const SeederConfig& config, Disk& disk, Clock& clock);
  void tick(std::stop_token stop) const;
};

Result<void> Seeder::Parts::open_stores(const SeederConfig& config, Disk& disk, Clock& clock) {
  TRY(disk.make_dirs(config.state));
  TRY_ASSIGN(store, RolloutStore::open(config.state / "site.db"));
  bundles.emplace(disk, config.state / "store");
  TRY(bundles->prepare());
  std::string authorities;
  if (config.origin_ca) {
    TRY_ASSIGN(Bytes pem, disk.read(*config.origin_ca, kMaxRootBytes));
    authorities = as_text(pem);
  }
  TRY_ASSIGN(origin, open_origin(disk, config.origin, authorities));
  MirrorOptions options{config.wan_budget, config.wan_rate};
  mirror.emplace(disk, config.state / "vendor", *bundles, *store, *origin, clock, options);
  Path trusted = config.state / "vendor" / "trust" / "root.json";
  return from_root(disk, trusted, "vendor_root", config.vendor_root, [&]() -> Result<void> {
    TRY_ASSIGN(Bytes root, disk.read(config.vendor_root, kMaxRootBytes));
    return mirror->prepare(root);
  });
}

Result<void> Seeder::Parts::open_swarm(const SeederConfig& config, Disk& disk) {
  swarm::SwarmOptions options;
  options.listen = config.swarm_listen;
  options.gateway = true;
  options.upload_limit = config.swarm_upload_limit;
  options.local_discovery = config.swarm_local_discovery;
  options.name = "gateway";
  TRY_ASSIGN(swarm, swarm::Swarm::start(disk, std::move(options)));
  return ok();
}

Result<void> Seeder::Parts::open_site(const SeederConfig& config, Disk& disk, Clock& clock) {
  SiteOptions options;
  options.name = config.site;
  Path trusted = config.state / "site" / "trust" / "root.json";
  TRY(from_root(disk, trusted, "site_root", config.site_root, [&]() -> Result<void> {
    site_root.emplace(disk, clock, config.state);
    TRY_ASSIGN(options.operators, site_root->load(config.site_root));
    return ok();
  }));
  options.gateway = {key};
  options.poll_ms = config.poll_ms;
  options.swarm_endpoint = config.swarm_announce;
  if (options.swarm_endpoint.empty()) {
    TRY_ASSIGN(api::Endpoint endpoint, api::parse_endpoint(config.swarm_listen.front()));
    endpoint.port = swarm->port();
    options.swarm_endpoint = endpoint.text();
  }
  Result<std::unique_ptr<Site>> opened = Site::open(std::move(options), *store, clock);
  if (!opened.ok() && opened.error().code == Code::kWrongSite) {
    return Error{Code::kUsage,
                 fmt::format("site = \"{}\", but {} belongs to another site: {}", config.site,
                             config.state.string(), opened.error().what)};
  }
  TRY_ASSIGN(site, std::move(opened));
  SupplyOptions wanted;
  wanted.refresh_every = config.wan_refresh;
  wanted.effort = config.synthesis_effort;
  wanted.threads = config.synthesis_threads;
  wanted.budget = config.wan_budget;
  wanted.window = config.wan_window;
  wanted.patience = config.synthesis_patience;
  wanted.keep_bundles = config.keep_bundles;
  supply =
      std::make_unique<Supply>(disk, *mirror, *bundles, *store, *site, swarm.get(), clock, wanted);
  site->on_directive([this] { supply->wake(); });
  api.emplace(disk,
              ApiFolders{mirror->metadata_dir(), mirror->targets_dir(), config.state / "evidence"},
              *site_root, *site, *supply, *bundles, *store, config.wan_budget);
  return ok();
}

Result<void> Seeder::Parts::open_server(const SeederConfig& config, Disk& /*disk*/,
                                        http::Identity identity) {
  http::ServerOptions options;
  options.address = config.listen;
  options.inherited = service::inherited_socket("api");
  options.identity = std::move(identity);
  options.max_body = Api::max_body;
  // A node asks a few times a second, and for some dozens of files when a directive begins.
  options.requests_per_second = 50;
  options.request_burst = 300;
  TRY_ASSIGN(server, http::Server::start(std::move(options), [this](const http::Request& request) {
               return api->handle(request);
             }));
  return ok();
}

namespace {

PageCertificate certificate_of(const SeederConfig& config) {
  PageCertificate wanted{config.page_certificate, config.page_certificate_key,
                         config.state / "page", config.page_names};
  Result<api::Endpoint> listen = api::parse_endpoint(config.page_listen);
  bool wildcard = !listen.ok() || listen->address == "0.0.0.0" || listen->address == "::";
  if (!wildcard) wanted.names.push_back(listen->address);
  return wanted;
}

}  // namespace

Result<void> Seeder::Parts::open_page(const SeederConfig& config, Disk& disk, Clock& clock) {
  if (config.page_listen.empty()) return ok();
  users.emplace(disk, config.page_users);
  sessions.emplace(disk, config.state / "page" / "sessions", *users, clock, config.page_session);
  PageSources sources{
      *site, *supply, *store, *bundles, mirror->targets_dir(), [this] { return api->status(); }};
  page.emplace(config.page_tls, std::move(sources), *sessions, disk, clock);
  http::ServerOptions listener;
  listener.address = config.page_listen;
  listener.max_body_bytes = Page::kMaxBodyBytes;
  listener.requests_per_second = 50;
  listener.request_burst = 200;
  std::string fingerprint;
  if (config.page_tls) {
    TRY_ASSIGN(listener.identity, page_identity(disk, certificate_of(config)));
    listener.ask_client_certificate = false;
    fingerprint = listener.identity->certificate_digest().hex();
  }
  TRY_ASSIGN(page_server,
             http::Server::start(std::move(listener), [this](const http::Request& request) {
               return page->handle(request);
             }));
  std::string scheme = config.page_tls ? "https://" : "http://";
  log(Level::kNotice, "page",
      {{"address", scheme + page_server->endpoint().text() + "/"},
       {"certificate_sha256", fingerprint}});
  return ok();
}

void Seeder::Parts::tick(std::stop_token stop) const {
  std::mutex mutex;
  std::condition_variable_any sleeps;
  while (!stop.stop_requested()) {
    site->tick();
    supply->wake();
    service::report_alive();
    std::unique_lock lock(mutex);
    sleeps.wait_for(lock, stop, kTick, [] { return false; });
  }
}

Result<trust::PrivateKey> gateway_key(Disk& disk, const SeederConfig& config) {
  TRY(disk.make_dirs(config.key.parent_path()));
  return trust::load_or_create_key(disk, config.key);
}

Seeder::Seeder(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Seeder::~Seeder() = default;

Result<std::unique_ptr<Seeder>> Seeder::start(const SeederConfig& config, Disk& disk,
                                              Clock& clock) {
  TRY_ASSIGN(StateLock lock, StateLock::take(disk, config.state));
  TRY_ASSIGN(trust::PrivateKey key, gateway_key(disk, config));
  TRY_ASSIGN(std::string pem, key.to_pem(std::nullopt));
  TRY_ASSIGN(http::Identity identity, http::Identity::make(pem, "lineside gateway"));
  auto parts = std::make_unique<Parts>(std::move(lock), key.public_key());
  TRY(parts->open_stores(config, disk, clock));
  TRY(parts->open_swarm(config, disk));
  TRY(parts->open_site(config, disk, clock));
  TRY(parts->open_server(config, disk, std::move(identity)));
  TRY(parts->open_page(config, disk, clock));
  parts->supply->start();
  Parts* running = parts.get();
  parts->ticker = std::jthread([running](std::stop_token stop) { running->tick(std::move(stop)); });
  log(Level::kNotice, "gateway runs",
      {{"site", config.site},
       {"listen", parts->server->endpoint().text()},
       {"fingerprint", parts->key.fingerprint()}});
  return std::unique_ptr<Seeder>(new Seeder(std::move(parts)));
}

std::string Seeder::endpoint() const {
  return parts_->server->endpoint().text();
}

std::string Seeder::page_endpoint() const {
  return parts_->page_server ? parts_->page_server->endpoint().text() : "";
}

const trust::PublicKey& Seeder::public_key() const {
  return parts_->key;
}

}  // namespace lineside::seeder

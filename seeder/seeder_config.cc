// SPDX-License-Identifier: Apache-2.0
#include "seeder/seeder_config.h"

#include <limits>

#include "proto/api/site_api.h"
#include "proto/trust/document.h"

namespace lineside::seeder {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

std::string origin_of(Config& config) {
  std::string where = config.text("origin");
  bool url = where.find("://") != where.npos;
  return url || where.empty() ? where : config.path("origin").string();
}

// What has a scheme that no Origin understands is a mistyped URL, not a folder.
void check_origin(const std::string& where, Config& config) {
  std::size_t scheme = where.find("://");
  if (scheme == where.npos || where.starts_with("http://") || where.starts_with("https://")) return;
  config.refuse("origin", "takes https://…, http://… or a folder, not '" +
                              where.substr(0, scheme + 3).substr(0, 80) + "…'");
}

void check_endpoint(const std::string& text, std::string_view key, Config& config) {
  auto endpoint = api::parse_endpoint(text);
  if (!endpoint.ok()) config.refuse(key, "is no address to listen at: " + endpoint.error().what);
}

bool is_loopback(const std::string& endpoint) {
  auto parsed = api::parse_endpoint(endpoint);
  return parsed.ok() && (parsed->address.starts_with("127.") || parsed->address == "::1");
}

void read_page(SeederConfig& out, Config& config) {
  if (config.has("page.listen")) out.page_listen = config.text("page.listen");
  std::string scheme = config.text("page.scheme", is_loopback(out.page_listen) ? "http" : "https");
  if (scheme != "https" && scheme != "http") config.refuse("page.scheme", "is https or http");
  out.page_tls = scheme == "https";
  if (config.has("page.certificate")) out.page_certificate = config.path("page.certificate");
  if (config.has("page.certificate_key")) {
    out.page_certificate_key = config.path("page.certificate_key");
  }
  out.page_names = config.texts("page.names");
  out.page_users =
      config.has("page.users") ? config.path("page.users") : out.state / "page" / "users";
  out.page_session = config.duration("page.session", std::chrono::hours(12));
}

// A passphrase must not cross a network in the clear.
void check_page(const SeederConfig& seeder, Config& config) {
  if (seeder.page_listen.empty()) return;
  check_endpoint(seeder.page_listen, "page.listen", config);
  if (!seeder.page_tls && !is_loopback(seeder.page_listen)) {
    config.refuse("page.scheme",
                  "is http on loopback addresses only, and " + seeder.page_listen + " is none");
  }
  if (seeder.page_certificate.has_value() != seeder.page_certificate_key.has_value()) {
    config.refuse(seeder.page_certificate ? "page.certificate" : "page.certificate_key",
                  "needs the other of certificate and certificate_key");
  }
}

// What the types alone do not say. Mistakes are left in `config` with their lines.
void check(const SeederConfig& seeder, Config& config) {
  if (!trust::is_name(seeder.site)) {
    config.refuse("site", "takes a name of the form [a-z0-9][a-z0-9._-]{0,63}, not '" +
                              seeder.site.substr(0, 80) + "'");
  }
  check_origin(seeder.origin, config);
  check_endpoint(seeder.listen, "listen", config);
  for (const std::string& listen : seeder.swarm_listen) {
    check_endpoint(listen, "swarm.listen", config);
  }
  check_page(seeder, config);
}

}  // namespace

Result<SeederConfig> load_config(const Disk& disk, const Path& file) {
  TRY_ASSIGN(Config config, Config::load(disk, file));
  SeederConfig out;
  out.state = config.path("state");
  out.site = config.text("site");
  out.site_root = config.path("site_root");
  out.vendor_root = config.path("vendor_root");
  out.origin = origin_of(config);
  if (config.has("origin_ca")) out.origin_ca = config.path("origin_ca");
  out.listen = config.text("listen", "0.0.0.0:7443");
  out.key = config.has("key") ? config.path("key") : out.state / "gateway.key";
  out.poll_ms = static_cast<std::uint32_t>(config.integer("poll_ms", 2000, 50, 600'000));
  out.swarm_listen = config.texts("swarm.listen");
  if (out.swarm_listen.empty()) out.swarm_listen = {"0.0.0.0:7444"};
  out.swarm_announce = config.text("swarm.announce", "");
  out.swarm_upload_limit =
      static_cast<std::uint64_t>(config.integer("swarm.upload_limit", 0, 0, kMax));
  out.swarm_local_discovery = config.boolean("swarm.local_discovery", true);
  out.wan_rate = static_cast<std::uint64_t>(config.integer("wan.rate", 0, 0, kMax));
  out.wan_budget = static_cast<std::uint64_t>(config.integer("wan.budget", 0, 0, kMax));
  out.wan_refresh = config.duration("wan.refresh", std::chrono::seconds(600));
  if (auto window = WanWindow::parse(config.texts("wan.window")); window.ok()) {
    out.wan_window = std::move(*window);
  } else {
    config.refuse("wan.window", window.error().what);
  }
  read_page(out, config);
  out.synthesis_effort = static_cast<int>(config.integer("synthesis.effort", 2, 1, 3));
  out.synthesis_threads = static_cast<unsigned>(config.integer("synthesis.threads", 2, 1, 64));
  out.synthesis_patience = config.duration("synthesis.patience", std::chrono::minutes(10));
  out.keep_bundles = static_cast<std::size_t>(config.integer("store.keep_bundles", 3, 1, 1000));
  check(out, config);
  TRY(config.finish());
  return out;
}

}  // namespace lineside::seeder

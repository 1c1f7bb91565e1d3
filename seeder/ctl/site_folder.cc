// SPDX-License-Identifier: Apache-2.0
#include "seeder/ctl/site_folder.h"

#include <fmt/format.h>

#include <cstdlib>

#include "proto/api/site_api.h"
#include "proto/base/config.h"
#include "proto/http/fetcher.h"
#include "proto/trust/document.h"
#include "proto/trust/tuf/repository.h"
#include "proto/trust/tuf/updater.h"

namespace lineside::ctl {
namespace {

constexpr std::uint64_t kMaxFileBytes = 4ULL << 20;

std::string site_toml(const NewSite& site) {
  return fmt::format("name = \"{}\"\ngateway = \"{}\"\n", site.name, site.gateway);
}

}  // namespace

Path default_site_folder() {
  if (const char* folder = std::getenv("LINESIDE_SITE"); folder != nullptr) return folder;
  const char* home = std::getenv("HOME");
  return Path(home == nullptr ? "." : home) / ".config" / "lineside";
}

Result<void> SiteFolder::write_root(const trust::PrivateKey& key, UtcTime now) {
  trust::RootSpec spec;
  for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
    spec.roles[role] = {{key.public_key()}, 1};
  }
  spec.lifetime = std::chrono::days(3650);
  TRY_ASSIGN(Bytes draft, trust::draft_root(spec, 1, now));
  TRY_ASSIGN(Bytes root, trust::sign_metadata(draft, key));
  return disk_.replace(dir_ / "1.root.json", root);
}

Result<void> SiteFolder::check_new(const NewSite& site, UtcTime now) {
  if (!trust::is_name(site.name)) {
    return Error{Code::kUsage,
                 fmt::format("--name {}: a site's name is [a-z0-9][a-z0-9._-]{{0,63}}",
                             trust::clean_text(site.name, 100))};
  }
  if (!site.gateway.empty() && !api::parse_endpoint(site.gateway).ok()) {
    return Error{Code::kUsage, fmt::format("--gateway {}: expected IP:port, like 10.0.0.2:7443",
                                           trust::clean_text(site.gateway, 100))};
  }
  TRY_ASSIGN(auto present, disk_.stat(dir_));
  if (!present) return ok();
  TRY_ASSIGN(auto entries, disk_.list(dir_));
  if (entries.empty()) return ok();
  SiteFolder old(disk_, dir_);
  if (!old.load(now).ok()) {
    return Error{Code::kExists, dir_.string() +
                                    " holds other files; nothing was changed. Name a new folder "
                                    "with --site, or move this one away"};
  }
  return Error{Code::kExists,
               fmt::format("{} holds site {} already, with its operator key and rosters; nothing "
                           "was changed. Another site needs a folder of its own: --site FOLDER. To "
                           "begin this one anew, move the folder away: its devices will have to be "
                           "given the new site root",
                           dir_.string(), old.name())};
}

Result<trust::PublicKey> SiteFolder::create(const NewSite& site, UtcTime now) {
  TRY(check_new(site, now));
  Path part = dir_.has_filename() ? dir_ : dir_.parent_path();  // "site/" too
  SiteFolder fresh(disk_, part += ".part");
  TRY(disk_.remove_tree(fresh.dir_));
  Result<trust::PublicKey> made = fresh.fill(site, now);
  if (made.ok()) {
    Result<void> named = disk_.rename(fresh.dir_, dir_);
    if (named.ok()) return made;
    made = named.error();
  }
  (void)disk_.remove_tree(fresh.dir_).ok();  // the first error is the one that matters
  return made;
}

Result<trust::PublicKey> SiteFolder::fill(const NewSite& site, UtcTime now) {
  TRY(disk_.make_dirs(dir_ / "documents"));
  if (site.vendor_root) {
    Result<void> trusted = trust_vendor(*site.vendor_root);
    if (!trusted.ok()) return trusted.error().with("--vendor-root");
  }
  TRY_ASSIGN(trust::PrivateKey key, trust::PrivateKey::generate(trust::Scheme::kEd25519));
  TRY(trust::save_key(disk_, dir_ / "operator.key", key, site.passphrase));
  TRY(write_root(key, now));
  trust::Roster roster;
  roster.site = site.name;
  roster.version = 1;
  roster.issued = now;
  roster.gateways = {site.gateway_key};
  TRY_ASSIGN(Bytes envelope, trust::seal(trust::kRosterType, trust::serialise(roster), {&key}));
  TRY(disk_.replace(dir_ / "documents" / "roster.dsse", envelope));
  TRY(disk_.replace(dir_ / "gateway.pem", as_bytes(site.gateway_key.pem())));
  TRY(disk_.replace(dir_ / "site.toml", as_bytes(site_toml(site))));
  return key.public_key();
}

Result<void> SiteFolder::load(UtcTime now) {
  Result<Config> config = Config::load(disk_, dir_ / "site.toml");
  if (!config.ok() && config.error().code == Code::kNotFound) {
    return Error{Code::kNotFound, "no site in " + dir_.string() +
                                      ": run `lineside site init`, or name its folder with --site"};
  }
  if (!config.ok()) return config.error();
  name_ = config->text("name");
  gateway_ = config->text("gateway", "");
  TRY(config->finish());
  Path trusted = dir_ / "trust";
  TRY_ASSIGN(auto present, disk_.stat(trusted / "root.json"));
  if (!present) {
    TRY_ASSIGN(Bytes root, disk_.read(dir_ / "1.root.json", kMaxFileBytes));
    TRY(trust::Updater::init(disk_, trusted, root));
  }
  http::DirectoryFetcher fetcher(disk_, dir_);
  trust::Updater updater(disk_, trusted, fetcher, now);
  TRY(updater.load());
  TRY(updater.refresh_root());
  TRY_ASSIGN(operators_, updater.authority("targets"));
  return ok();
}

Result<trust::PublicKey> SiteFolder::gateway_key() const {
  TRY_ASSIGN(Bytes pem, disk_.read(dir_ / "gateway.pem", kMaxFileBytes));
  return trust::PublicKey::from_pem(as_text(pem));
}

Result<trust::PrivateKey> SiteFolder::operator_key(const trust::PassphraseSource& ask) const {
  return trust::load_key(disk_, dir_ / "operator.key", ask);
}

Result<void> SiteFolder::trust_vendor(BytesView root) {
  TRY_ASSIGN(auto present, disk_.stat(vendor_dir() / "root.json"));
  if (present) {
    TRY_ASSIGN(Bytes known, disk_.read(dir_ / "vendor.root.json", kMaxFileBytes));
    if (std::equal(known.begin(), known.end(), root.begin(), root.end())) return ok();
    return Error{Code::kExists, "another vendor root is trusted in " + dir_.string()};
  }
  TRY(trust::Updater::init(disk_, vendor_dir(), root));
  return disk_.replace(dir_ / "vendor.root.json", root);
}

Result<std::optional<Bytes>> SiteFolder::document(const std::string& name) const {
  Path path = dir_ / "documents" / name;
  TRY_ASSIGN(auto present, disk_.stat(path));
  if (!present) return std::optional<Bytes>();
  TRY_ASSIGN(Bytes envelope, disk_.read(path, trust::kMaxEnvelopeBytes));
  return std::optional<Bytes>(std::move(envelope));
}

namespace {

// Nothing if other operators signed it than the site has now: they were rotated.
template <class Document>
Result<std::optional<Document>> unless_resigned(Result<Document> verified) {
  if (verified.ok()) return std::optional<Document>(std::move(*verified));
  Code code = verified.error().code;
  if (code != Code::kBadSignature && code != Code::kUnknownKey) return verified.error();
  return std::optional<Document>();
}

}  // namespace

Result<std::optional<trust::VerifiedRoster>> SiteFolder::roster() const {
  TRY_ASSIGN(auto envelope, document("roster.dsse"));
  if (!envelope) return std::optional<trust::VerifiedRoster>();
  return unless_resigned(trust::verify_roster(*envelope, operators_, name_, 1));
}

Result<std::optional<trust::VerifiedDirective>> SiteFolder::directive() const {
  TRY_ASSIGN(auto envelope, document("directive.dsse"));
  if (!envelope) return std::optional<trust::VerifiedDirective>();
  return unless_resigned(trust::verify_directive(*envelope, operators_, name_, 1));
}

Result<void> SiteFolder::keep_roster(BytesView envelope) {
  return disk_.replace(dir_ / "documents" / "roster.dsse", envelope);
}

Result<void> SiteFolder::keep_directive(BytesView envelope) {
  return disk_.replace(dir_ / "documents" / "directive.dsse", envelope);
}

}  // namespace lineside::ctl

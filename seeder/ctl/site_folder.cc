// SPDX-License-Identifier: Apache-2.0
#include "seeder/ctl/site_folder.h"

#include <fmt/format.h>

#include <cstdlib>

#include "proto/api/site_api.h"
#include "proto/base/config.h"
#include "proto/http/fetcher.h"
#include "proto/trust/document.h"
#include "proto/trust/key_uri.h"
#include "proto/trust/tuf/metadata.h"
#include "proto/trust/tuf/repository.h"
#include "proto/trust/tuf/root_chain.h"
#include "proto/trust/tuf/updater.h"

namespace lineside::ctl {
namespace {

constexpr std::uint64_t kMaxFileBytes = 4ULL << 20;

std::string site_toml(const std::string& name, const std::string& gateway, const std::string& key) {
  return fmt::format("name = \"{}\"\ngateway = \"{}\"\noperator = \"{}\"\n", name, gateway, key);
}

// What stands in site.toml must be read again as it is.
Result<void> check_key_text(const std::string& text) {
  if (trust::is_label(text, trust::kMaxKeyUriBytes) &&
      text.find_first_of("\"\\") == std::string::npos) {
    return ok();
  }
  return Error{Code::kUsage, "--operator-key: a name with quotes or control characters"};
}

}  // namespace

Path default_site_folder() {
  if (const char* folder = std::getenv("LINESIDE_SITE"); folder != nullptr) return folder;
  const char* home = std::getenv("HOME");
  return Path(home == nullptr ? "." : home) / ".config" / "lineside";
}

// Snapshot and timestamp have no files at a site; a root has to name keys for them all the same.
Result<void> SiteFolder::write_root(const NewSite& site, const trust::PrivateKey& key,
                                    UtcTime now) {
  trust::RootSpec spec;
  trust::RoleKeys everybody{{key.public_key()}, site.threshold};
  spec.names[key.public_key().keyid()] = site.operator_name;
  for (const auto& [name, other] : site.others) {
    everybody.keys.push_back(other);
    spec.names[other.keyid()] = name;
  }
  spec.roles["root"] = spec.roles["targets"] = everybody;
  everybody.threshold = 1;
  spec.roles["snapshot"] = spec.roles["timestamp"] = everybody;
  spec.lifetime = std::chrono::days(3650);
  Result<Bytes> draft = trust::draft_root(spec, 1, now);
  if (!draft.ok()) return draft.error().with("--threshold, --other-operator");
  TRY_ASSIGN(Bytes root, trust::sign_metadata(*draft, key));
  if (site.threshold > 1) return keep_draft(this->draft("1.root.json"), root);
  return disk_.replace(dir_ / "1.root.json", root);
}

Result<void> SiteFolder::write_roster(const NewSite& site, const trust::PrivateKey& key,
                                      UtcTime now) {
  trust::Roster roster;
  roster.site = site.name;
  roster.version = 1;
  roster.issued = now;
  roster.gateways = {site.gateway_key};
  TRY_ASSIGN(Bytes envelope, trust::seal(trust::kRosterType, trust::serialise(roster), {&key}));
  if (site.threshold > 1) return keep_draft(draft("roster-1.dsse.json"), envelope);
  return keep_roster(envelope);
}

Result<void> SiteFolder::write_contacts(const NewSite& site) {
  TRY(disk_.replace(dir_ / "gateway.pem", as_bytes(site.gateway_key.pem())));
  return disk_.replace(dir_ / "site.toml",
                       as_bytes(site_toml(site.name, site.gateway, site.operator_key)));
}

Result<void> SiteFolder::keep_draft(const Path& draft, BytesView bytes) {
  TRY(disk_.make_dirs(draft.parent_path()));
  return disk_.replace(draft, bytes);
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
  TRY(check_key_text(site.operator_key));
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
  return appear([&](SiteFolder& fresh) { return fresh.fill(site, now); });
}

Result<trust::PublicKey> SiteFolder::join(const NewSite& site, BytesView root, UtcTime now) {
  TRY(check_new(site, now));
  return appear([&](SiteFolder& fresh) { return fresh.fill_joined(site, root); });
}

Result<trust::PublicKey> SiteFolder::appear(const Fill& fill) {
  Path part = dir_.has_filename() ? dir_ : dir_.parent_path();  // "site/" too
  SiteFolder fresh(disk_, part += ".part");
  TRY(disk_.remove_tree(fresh.dir_));
  Result<trust::PublicKey> made = fill(fresh);
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
  std::optional<trust::PrivateKey> made;
  if (site.own == nullptr) {
    TRY_ASSIGN(made, trust::PrivateKey::generate(trust::Scheme::kEd25519));
    TRY(trust::save_key(disk_, dir_ / "operator.key", *made, site.passphrase));
  }
  const trust::PrivateKey& key = site.own == nullptr ? *made : *site.own;
  TRY(write_root(site, key, now));
  TRY(write_roster(site, key, now));
  TRY(write_contacts(site));
  return key.public_key();
}

Result<trust::PublicKey> SiteFolder::fill_joined(const NewSite& site, BytesView bytes) {
  TRY(disk_.make_dirs(dir_ / "documents"));
  TRY_ASSIGN(trust::tuf::Root root, trust::tuf::parse_root(bytes));
  const trust::PublicKey& own = site.own->public_key();
  bool known = false;
  for (const std::string& keyid : root.roles.at("targets").keyids) {
    auto key = root.keys.find(keyid);
    known |= key != root.keys.end() && key->second == own;
  }
  if (!known) {
    return Error{Code::kUsage,
                 fmt::format("the key {} is no operator's of this site root", own.fingerprint())};
  }
  if (site.vendor_root) {
    Result<void> trusted = trust_vendor(*site.vendor_root);
    if (!trusted.ok()) return trusted.error().with("--vendor-root");
  }
  TRY(trust::Updater::init(disk_, dir_ / "trust", bytes));
  TRY(disk_.replace(dir_ / fmt::format("{}.root.json", root.version), bytes));
  TRY(write_contacts(site));
  return own;
}

Result<void> SiteFolder::begin(BytesView root) {
  TRY(trust::Updater::init(disk_, dir_ / "trust", root));
  return disk_.replace(dir_ / "1.root.json", root);
}

Result<Bytes> SiteFolder::root() const {
  return disk_.read(dir_ / "trust" / "root.json", kMaxFileBytes);
}

Result<void> SiteFolder::keep_root(std::int64_t version, BytesView root) {
  return disk_.replace(dir_ / fmt::format("{}.root.json", version), root);
}

Result<void> SiteFolder::set_gateway(const trust::PublicKey& key, const std::string& address) {
  if (!address.empty()) gateway_ = address;
  TRY(disk_.replace(dir_ / "gateway.pem", as_bytes(key.pem())));
  return disk_.replace(dir_ / "site.toml", as_bytes(site_toml(name_, gateway_, operator_)));
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
  operator_ = config->text("operator", "operator.key");
  TRY(config->finish());
  Path trusted = dir_ / "trust";
  TRY_ASSIGN(auto present, disk_.stat(trusted / "root.json"));
  if (!present) {
    TRY_ASSIGN(auto waits, disk_.stat(draft("1.root.json")));
    TRY_ASSIGN(auto first, disk_.stat(dir_ / "1.root.json"));
    if (waits && !first) {
      return Error{Code::kConflict,
                   fmt::format("the site root waits for signatures: `lineside sign {0}` by each "
                               "operator, then `lineside submit {0}`",
                               draft("1.root.json").string())};
    }
    TRY_ASSIGN(Bytes root, disk_.read(dir_ / "1.root.json", kMaxFileBytes));
    TRY(trust::Updater::init(disk_, trusted, root));
  }
  http::DirectoryFetcher fetcher(disk_, dir_);
  trust::Updater updater(disk_, trusted, fetcher, now);
  TRY(updater.load());
  TRY(updater.refresh_root());
  TRY_ASSIGN(operators_, updater.authority("targets"));
  root_version_ = updater.version("root");
  return ok();
}

Result<trust::PublicKey> SiteFolder::gateway_key() const {
  TRY_ASSIGN(Bytes pem, disk_.read(dir_ / "gateway.pem", kMaxFileBytes));
  return trust::PublicKey::from_pem(as_text(pem));
}

Result<trust::PrivateKey> SiteFolder::operator_key(const trust::PassphraseSource& ask) const {
  if (trust::is_key_uri(operator_)) return trust::load_key(disk_, operator_, ask);
  return trust::load_key(disk_, dir_ / operator_, ask);
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

// From the first root that this folder has to the present one.
Result<std::vector<Bytes>> SiteFolder::root_chain() const {
  std::vector<Bytes> chain;
  for (std::int64_t version = 1; version <= root_version_; ++version) {
    Path file = dir_ / fmt::format("{}.root.json", version);
    Result<Bytes> root = disk_.read(file, kMaxFileBytes);
    bool before_joining = !root.ok() && root.error().code == Code::kNotFound && chain.empty();
    if (before_joining && version < root_version_) continue;
    if (!root.ok()) return root.error();
    chain.push_back(std::move(root).value());
  }
  return chain;
}

Result<trust::VerifiedRoster> SiteFolder::former_roster(UtcTime now) const {
  TRY_ASSIGN(auto envelope, document("roster.dsse"));
  const std::string file = (dir_ / "documents" / "roster.dsse").string();
  if (!envelope) {
    return Error{Code::kNotFound, file +
                                      " is missing: bring it from the folder of an operator "
                                      "before the rotation"};
  }
  TRY_ASSIGN(std::vector<Bytes> chain, root_chain());
  TRY_ASSIGN(auto authorities, trust::tuf::authorities_of(chain, "targets", now));
  for (auto before = authorities.rbegin(); before != authorities.rend(); ++before) {
    auto verified = trust::verify_roster(*envelope, *before, name_, 1);
    if (verified.ok() || verified.error().code != Code::kBadSignature) return verified;
  }
  return Error{Code::kBadSignature,
               file + " is signed by nobody who is or was an operator of " + name_};
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

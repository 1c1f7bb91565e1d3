// SPDX-License-Identifier: Apache-2.0
// lineside-bundle repo init, sign, publish, refresh, rotate, status, verify
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "delta/bundler/cli/session.h"
#include "delta/bundler/publish.h"
#include "delta/bundler/verify_origin.h"
#include "proto/trust/tuf/repository.h"

namespace lineside::bundler::cli {
namespace {

using trust::RoleKeys;

constexpr std::uint64_t kMaxMetadataBytes = 16ULL << 20;

struct Lifespans {
  int root_days = 365;
  int targets_days = 365;
  int timestamp_days = 30;

  void add_to(CLI::App* app) {
    app->add_option("--targets-days", targets_days, "how long targets are valid")
        ->check(CLI::Range(1, 3650));
    app->add_option("--timestamp-days", timestamp_days,
                    "how long snapshot and timestamp are valid: the longest time for which a site "
                    "may be cut off and still install")
        ->check(CLI::Range(1, 3650));
  }
  [[nodiscard]] trust::Lifetimes lifetimes() const {
    trust::Lifetimes result;
    result.targets = std::chrono::days(targets_days);
    result.snapshot = result.timestamp = std::chrono::days(timestamp_days);
    return result;
  }
};

struct Init {
  std::string origin;
  std::vector<std::string> keys;
  std::map<std::string, std::vector<std::string>> role_keys;  // public keys, by role
  std::map<std::string, unsigned> thresholds;
  Lifespans lifespans;
};

Result<std::vector<trust::PublicKey>> read_public_keys(const Session& session,
                                                       const std::vector<std::string>& paths) {
  std::vector<trust::PublicKey> keys;
  for (const std::string& path : paths) {
    TRY_ASSIGN(Bytes text, session.disk.read(path, 64 * 1024));
    auto key = trust::PublicKey::from_pem(as_text(text));
    if (!key.ok()) return key.error().with(path);
    keys.push_back(std::move(key).value());
  }
  return keys;
}

Result<trust::RootSpec> root_spec(const Session& session, const Init& options,
                                  const std::vector<trust::PrivateKey>& keys) {
  trust::RootSpec spec;
  spec.lifetime = std::chrono::days(options.lifespans.root_days);
  for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
    RoleKeys& role_keys = spec.roles[role];
    auto named = options.role_keys.find(role);
    if (named != options.role_keys.end() && !named->second.empty()) {
      TRY_ASSIGN(role_keys.keys, read_public_keys(session, named->second));
    } else {
      for (const auto& key : keys) role_keys.keys.push_back(key.public_key());
    }
    auto threshold = options.thresholds.find(role);
    if (threshold != options.thresholds.end()) role_keys.threshold = threshold->second;
  }
  return spec;
}

Result<void> init(const Session& session, const Init& options) {
  TRY_ASSIGN(auto keys, load_keys(session, options.keys));
  TRY_ASSIGN(trust::RootSpec spec, root_spec(session, options, keys));
  UtcTime now = session.clock.now();
  TRY_ASSIGN(Bytes root, trust::draft_root(spec, 1, now));
  for (const auto& key : keys) {
    TRY_ASSIGN(root, trust::sign_metadata(root, key));
  }
  trust::Repository repository(session.disk, options.origin);
  TRY(repository.create(root, pointers(keys), options.lifespans.lifetimes(), now));
  fmt::print(
      "{}: a new origin. Give metadata/1.root.json to each site by a way that you trust;\n"
      "everything else follows from it. Its SHA-256 is {}\n",
      options.origin, sha256(root).hex());
  return ok();
}

void add_init(CLI::App& repo, Session& session) {
  auto options = std::make_shared<Init>();
  CLI::App* command = repo.add_subcommand("init", "a new, empty origin");
  command->add_option("ORIGIN", options->origin, "folder that the web server or stick carries")
      ->required();
  command
      ->add_option("--key", options->keys,
                   "private keys that sign now; a role without keys of its own takes these")
      ->required();
  for (const char* role : {"root", "targets", "snapshot", "timestamp"}) {
    command->add_option(fmt::format("--{}-key", role), options->role_keys[role],
                        fmt::format("public keys (.pub) of the role {}", role));
    command
        ->add_option(fmt::format("--{}-threshold", role), options->thresholds[role],
                     "how many of them must sign")
        ->default_val(1)
        ->check(CLI::Range(1, 32));
  }
  command->add_option("--root-days", options->lifespans.root_days, "how long the root is valid")
      ->check(CLI::Range(1, 3650));
  options->lifespans.add_to(command);
  command->callback([options, &session] { session.run([&] { return init(session, *options); }); });
}

struct Change {
  std::string origin;
  std::string file;
  std::vector<std::string> keys;
  int ahead_days = 10;
  Lifespans lifespans;
};

Result<void> publish_packed(const Session& session, const Change& options) {
  TRY_ASSIGN(auto keys, load_keys(session, options.keys));
  TRY_ASSIGN(Published published,
             publish(session.disk, options.file, options.origin, pointers(keys),
                     options.lifespans.lifetimes(), session.clock.now()));
  const trust::Manifest& manifest = published.manifest;
  if (session.json) {
    nlohmann::json out = {{"bundle", manifest.target_name()},
                          {"tree", manifest.tree.hex()},
                          {"bytes_added", published.bytes_added}};
    fmt::print("{}\n", out.dump());
  } else {
    fmt::print("published {} {}: {} added to {}\n", manifest.name, manifest.version,
               human_bytes(published.bytes_added), options.origin);
  }
  return ok();
}

Result<void> refresh(const Session& session, const Change& options) {
  TRY_ASSIGN(auto keys, load_keys(session, options.keys));
  trust::Repository repository(session.disk, options.origin);
  return repository.refresh(pointers(keys), options.lifespans.lifetimes(),
                            std::chrono::days(options.ahead_days), session.clock.now());
}

Result<void> sign(const Session& session, const Change& options) {
  TRY_ASSIGN(auto keys, load_keys(session, options.keys));
  TRY_ASSIGN(Bytes metadata, session.disk.read(options.file, kMaxMetadataBytes));
  for (const auto& key : keys) {
    TRY_ASSIGN(metadata, trust::sign_metadata(metadata, key));
  }
  return session.disk.replace(options.file, metadata);
}

Result<void> rotate(const Session& session, const Change& options) {
  TRY_ASSIGN(Bytes root, session.disk.read(options.file, kMaxMetadataBytes));
  trust::Repository repository(session.disk, options.origin);
  return repository.rotate_root(root);
}

Result<void> verify(const Session& session, const Change& options) {
  TRY_ASSIGN(OriginReport report,
             verify_origin(session.disk, options.origin, options.file, session.clock.now()));
  for (const std::string& bundle : report.bundles) fmt::print("{}\n", bundle);
  fmt::print("{} bundles, {} deliveries: all are what the signatures say\n", report.bundles.size(),
             report.deliveries);
  return ok();
}

// A command that works on an origin with keys.
CLI::App* add_change(CLI::App& app, Session& session, const char* name, const char* what,
                     const char* file, bool wants_keys,
                     Result<void> (*work)(const Session&, const Change&)) {
  auto options = std::make_shared<Change>();
  CLI::App* command = app.add_subcommand(name, what);
  if (file != nullptr) command->add_option(file, options->file)->required();
  if (std::string_view(name) != "sign") {
    command->add_option("--repo", options->origin, "the origin's folder")->required();
  }
  if (wants_keys) {
    command->add_option("--key", options->keys, "private keys to sign with")->required();
    options->lifespans.add_to(command);
  }
  if (std::string_view(name) == "refresh") {
    command->add_option("--ahead-days", options->ahead_days, "renew what ends within this time")
        ->check(CLI::Range(1, 3650));
  }
  command->callback(
      [options, work, &session] { session.run([&] { return work(session, *options); }); });
  return command;
}

void print_status(const Session& session, const std::vector<trust::Repository::RoleStatus>& roles) {
  nlohmann::json out = nlohmann::json::array();
  for (const auto& role : roles) {
    out.push_back({{"role", role.role},
                   {"version", role.version},
                   {"expires", format_utc(role.expires)},
                   {"signatures", role.signatures.have},
                   {"threshold", role.signatures.need},
                   {"missing", role.signatures.missing}});
    if (!session.json) {
      fmt::print("{:<10} version {:<5} ends {}  {} of {} signatures\n", role.role, role.version,
                 format_utc(role.expires), role.signatures.have, role.signatures.need);
    }
  }
  if (session.json) fmt::print("{}\n", out.dump());
}

void add_status(CLI::App& app, Session& session) {
  struct Status {
    std::string origin;
    int warn_days = 14;
  };
  auto options = std::make_shared<Status>();
  CLI::App* command = app.add_subcommand(
      "status", "versions, ends and signatures; exit status 3 if something ends soon (for cron)");
  command->add_option("--repo", options->origin, "the origin's folder")->required();
  command->add_option("--warn-days", options->warn_days, "what counts as soon")
      ->check(CLI::Range(0, 3650));
  command->callback([options, &session] {
    session.run([&]() -> Result<void> {
      TRY_ASSIGN(auto roles, trust::Repository(session.disk, options->origin).status());
      print_status(session, roles);
      for (const auto& role : roles) {
        if (role.expires - session.clock.now() < std::chrono::days(options->warn_days)) {
          fmt::print(stderr, "lineside-bundle: {} ends {}; run: lineside-bundle refresh\n",
                     role.role, format_utc(role.expires));
          session.status = kExpiring;
        }
      }
      return ok();
    });
  });
}

}  // namespace

void add_repository_commands(CLI::App& app, Session& session) {
  CLI::App* repo = app.add_subcommand("repo", "lay out an origin");
  repo->require_subcommand(1);
  add_init(*repo, session);
  add_change(app, session, "publish", "take a packed bundle to the origin", "PACKED", true,
             publish_packed);
  add_change(app, session, "sign", "add a signature to a metadata file", "FILE", true, sign);
  add_change(app, session, "refresh", "renew what ends soon", nullptr, true, refresh);
  add_change(app, session, "rotate", "publish the next, fully signed root", "ROOT", false, rotate);
  add_change(app, session, "verify", "check a whole origin as a site would, from a trusted root",
             "ROOT", false, verify);
  add_status(app, session);
}

}  // namespace lineside::bundler::cli

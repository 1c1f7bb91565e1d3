// SPDX-License-Identifier: Apache-2.0
// lineside-bundle publish, publish-staged, sign, refresh, rotate, status, verify
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "delta/bundler/cli/lifespans.h"
#include "delta/bundler/cli/session.h"
#include "delta/bundler/publish.h"
#include "delta/bundler/verify_origin.h"
#include "proto/trust/tuf/repository.h"

namespace lineside::bundler::cli {
namespace {

constexpr std::uint64_t kMaxMetadataBytes = 16ULL << 20;

struct Change {
  std::string origin;
  std::string file;
  std::vector<std::string> keys;
  bool stage = false;
  int ahead_days = 10;
  Lifespans lifespans;
};

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

// What a change of an origin's metadata came to.
Result<void> print_outcome(const Session& session, const trust::Repository& repository) {
  TRY_ASSIGN(auto roles, repository.status());
  print_status(session, roles);
  return ok();
}

void print_published(const Session& session, const Change& options, const Published& published) {
  const trust::Manifest& manifest = published.manifest;
  if (session.json) {
    nlohmann::json out = {{"bundle", manifest.target_name()},
                          {"tree", manifest.tree.hex()},
                          {"staged", options.stage},
                          {"bytes_added", published.bytes_added}};
    fmt::print("{}\n", out.dump());
  } else if (options.stage) {
    fmt::print("{} {} waits for signatures: lineside-bundle sign {}/metadata/staged/targets.json\n",
               manifest.name, manifest.version, options.origin);
  } else {
    fmt::print("published {} {}: {} added to {}\n", manifest.name, manifest.version,
               human_bytes(published.bytes_added), options.origin);
  }
}

Result<void> publish_packed(const Session& session, const Change& options) {
  TRY_ASSIGN(auto keys, load_keys(session, options.keys));
  auto* work = options.stage ? stage : publish;
  TRY_ASSIGN(Published published, work(session.disk, options.file, options.origin, pointers(keys),
                                       options.lifespans.lifetimes(), session.clock.now()));
  print_published(session, options, published);
  return ok();
}

Result<void> publish_staged(const Session& session, const Change& options) {
  TRY_ASSIGN(auto keys, load_keys(session, options.keys));
  trust::Repository repository(session.disk, options.origin);
  TRY(repository.publish_staged(pointers(keys), options.lifespans.lifetimes(),
                                session.clock.now()));
  return print_outcome(session, repository);
}

Result<void> refresh(const Session& session, const Change& options) {
  TRY_ASSIGN(auto keys, load_keys(session, options.keys));
  trust::Repository repository(session.disk, options.origin);
  TRY(repository.refresh(pointers(keys), options.lifespans.lifetimes(),
                         std::chrono::days(options.ahead_days), session.clock.now()));
  return print_outcome(session, repository);
}

Result<void> sign(const Session& session, const Change& options) {
  TRY_ASSIGN(auto keys, load_keys(session, options.keys));
  TRY_ASSIGN(Bytes metadata, session.disk.read(options.file, kMaxMetadataBytes));
  nlohmann::json ids = nlohmann::json::array();
  for (const auto& key : keys) {
    TRY_ASSIGN(metadata, trust::sign_metadata(metadata, key));
    ids.push_back(key.public_key().keyid());
    if (!session.json) fmt::print("signed {} with {}\n", options.file, key.public_key().keyid());
  }
  TRY(session.disk.replace(options.file, metadata));
  if (session.json)
    fmt::print("{}\n", nlohmann::json{{"file", options.file}, {"keyids", ids}}.dump());
  return ok();
}

Result<void> rotate(const Session& session, const Change& options) {
  TRY_ASSIGN(Bytes root, session.disk.read(options.file, kMaxMetadataBytes));
  trust::Repository repository(session.disk, options.origin);
  TRY(repository.rotate_root(root));
  return print_outcome(session, repository);
}

Result<void> verify(const Session& session, const Change& options) {
  TRY_ASSIGN(OriginReport report,
             verify_origin(session.disk, options.origin, options.file, session.clock.now()));
  if (session.json) {
    nlohmann::json out = {{"bundles", report.bundles}, {"deliveries", report.deliveries}};
    fmt::print("{}\n", out.dump());
    return ok();
  }
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
  if (file != nullptr)
    command->add_option(file, options->file)->required()->check(CLI::ExistingPath);
  if (wants_keys) {
    command->add_option("--key", options->keys, "private key to sign with; once for each")
        ->required()
        ->allow_extra_args(false)
        ->check(CLI::ExistingFile);
  }
  if (std::string_view(name) != "sign") {
    command->add_option("--repo", options->origin, "the origin's folder")
        ->required()
        ->check(CLI::ExistingDirectory);
    if (wants_keys) options->lifespans.add_to(command);
  }
  if (std::string_view(name) == "publish") {
    command->add_flag("--stage", options->stage,
                      "sign as far as the keys go; clients see nothing before publish-staged");
  }
  if (std::string_view(name) == "refresh") {
    command->add_option("--ahead-days", options->ahead_days, "renew what ends within this time")
        ->check(CLI::Range(1, 3650));
  }
  command->callback(
      [options, work, &session] { session.run([&] { return work(session, *options); }); });
  return command;
}

void add_status(CLI::App& app, Session& session) {
  struct Status {
    std::string origin;
    int warn_days = 14;
  };
  auto options = std::make_shared<Status>();
  CLI::App* command = app.add_subcommand(
      "status", "versions, ends and signatures; exit status 3 if something ends soon (for cron)");
  command->add_option("--repo", options->origin, "the origin's folder")
      ->required()
      ->check(CLI::ExistingDirectory);
  command->add_option("--warn-days", options->warn_days, "what counts as soon")
      ->check(CLI::Range(0, 3650));
  command->callback([options, &session] {
    session.run([&]() -> Result<void> {
      TRY_ASSIGN(auto roles, trust::Repository(session.disk, options->origin).status());
      print_status(session, roles);
      for (const auto& role : roles) {
        if (role.expires - session.clock.now() < std::chrono::days(options->warn_days)) {
          fmt::print(stderr, "lineside-bundle: {} ends {}; run: lineside-bundle {}\n", role.role,
                     format_utc(role.expires), role.role == "root" ? "repo root" : "refresh");
          session.status = kExpiring;
        }
      }
      return ok();
    });
  });
}

}  // namespace

void add_repository_commands(CLI::App& app, Session& session) {
  add_change(app, session, "publish", "take a packed bundle to the origin", "PACKED", true,
             publish_packed);
  add_change(app, session, "publish-staged", "publish what publish --stage left and people signed",
             nullptr, true, publish_staged);
  add_change(app, session, "sign", "add a signature to a metadata file", "FILE", true, sign);
  add_change(app, session, "refresh", "renew what ends soon", nullptr, true, refresh);
  add_change(app, session, "rotate", "publish the next, fully signed root", "ROOT", false, rotate);
  add_change(app, session, "verify", "check a whole origin as a site would, from a trusted root",
             "ROOT", false, verify);
  add_status(app, session);
}

}  // namespace lineside::bundler::cli

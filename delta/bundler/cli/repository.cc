// SPDX-License-Identifier: Apache-2.0
// lineside-bundle publish, publish-staged, refresh, rotate, verify
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "delta/bundler/cli/lifespans.h"
#include "delta/bundler/cli/session.h"
#include "delta/bundler/publish.h"
#include "delta/bundler/verify_origin.h"
#include "proto/trust/tuf/describe.h"
#include "proto/trust/tuf/repository.h"

namespace lineside::bundler::cli {
namespace {

constexpr std::uint64_t kMaxMetadataBytes = 16ULL << 20;

struct Change {
  std::string origin;
  std::string file;
  std::vector<std::string> keys;
  bool stage = false;
  bool old_keys_lost = false;
  int ahead_days = 10;
  Lifespans lifespans;
};

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

// What clients see of each role, to tell afterwards what became of it.
using Seen = std::map<std::string, Bytes>;
Seen seen(const trust::Repository& repository) {
  Seen out;
  for (const char* role : {"targets", "snapshot", "timestamp"}) {
    Result<Bytes> bytes = repository.published(role);
    if (bytes.ok()) out[role] = std::move(bytes).value();
  }
  return out;
}

Result<void> print_changes(const Session& session, const trust::Repository& repository,
                           const Seen& before) {
  for (const auto& [role, bytes] : before) {
    TRY_ASSIGN(Bytes after, repository.published(role));
    if (after == bytes) continue;
    TRY_ASSIGN(auto words, trust::describe_change(bytes, after));
    print_change(session, words);
  }
  return ok();
}

Result<void> publish_packed(const Session& session, const Change& options) {
  trust::Repository repository(session.disk, options.origin);
  Seen before = seen(repository);
  TRY_ASSIGN(auto keys, load_keys(session, options.keys));
  auto* work = options.stage ? stage : publish;
  TRY_ASSIGN(Published published, work(session.disk, options.file, options.origin, pointers(keys),
                                       options.lifespans.lifetimes(), session.clock.now()));
  TRY(print_changes(session, repository, before));
  print_published(session, options, published);
  return ok();
}

Result<void> publish_staged(const Session& session, const Change& options) {
  trust::Repository repository(session.disk, options.origin);
  TRY_ASSIGN(Bytes waiting, repository.staged("targets"));
  TRY_ASSIGN(Bytes before, repository.published("targets"));
  TRY_ASSIGN(auto words, trust::describe_change(before, waiting));
  print_change(session, words);
  TRY_ASSIGN(auto keys, load_keys(session, options.keys));
  TRY(repository.publish_staged(pointers(keys), options.lifespans.lifetimes(),
                                session.clock.now()));
  return print_state(session, repository);
}

Result<void> refresh(const Session& session, const Change& options) {
  trust::Repository repository(session.disk, options.origin);
  Seen before = seen(repository);
  TRY_ASSIGN(auto keys, load_keys(session, options.keys));
  TRY(repository.refresh(pointers(keys), options.lifespans.lifetimes(),
                         std::chrono::days(options.ahead_days), session.clock.now()));
  TRY(print_changes(session, repository, before));
  return print_state(session, repository);
}

// The file that is named, or what waits in the origin.
Result<Bytes> next_root(const Session& session, const trust::Repository& repository,
                        const Change& options) {
  if (!options.file.empty()) return session.disk.read(options.file, kMaxMetadataBytes);
  Result<Bytes> waiting = repository.staged("root");
  if (waiting.ok() || waiting.error().code != Code::kNotFound) return waiting;
  return Error{Code::kNotFound, "no root waits in " + options.origin +
                                    "; `lineside-bundle repo root` makes one, or name its file"};
}

Result<void> rotate(const Session& session, const Change& options) {
  using OldKeys = trust::Repository::OldKeys;
  trust::Repository repository(session.disk, options.origin);
  TRY_ASSIGN(Bytes root, next_root(session, repository, options));
  TRY_ASSIGN(Bytes before, repository.published("root"));
  TRY_ASSIGN(auto words, trust::describe_change(before, root));
  print_change(session, words);
  TRY_ASSIGN(auto keys, load_keys(session, options.keys));
  TRY(repository.rotate_root(root, pointers(keys), options.lifespans.lifetimes(),
                             session.clock.now(),
                             options.old_keys_lost ? OldKeys::kLost : OldKeys::kSignToo));
  return print_state(session, repository);
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
        ->check(check_key_source);
  }
  command->add_option("--repo", options->origin, "the origin's folder")
      ->required()
      ->check(CLI::ExistingDirectory);
  if (wants_keys) options->lifespans.add_to(command);
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

void add_rotate(CLI::App& app, Session& session) {
  auto options = std::make_shared<Change>();
  CLI::App* command = app.add_subcommand(
      "rotate", "publish the next, fully signed root; clients are served at every instant");
  command->add_option("ROOT", options->file, "default: what waits in metadata/staged/root.json")
      ->check(CLI::ExistingPath);
  command
      ->add_option("--key", options->keys,
                   "private keys, old and new, of the roles whose keys change; once for each")
      ->allow_extra_args(false)
      ->check(check_key_source);
  command->add_option("--repo", options->origin, "the origin's folder")
      ->required()
      ->check(CLI::ExistingDirectory);
  command->add_flag("--old-keys-lost", options->old_keys_lost,
                    "go without signatures of the old keys: clients refuse the origin until all is "
                    "written");
  options->lifespans.add_to(command);
  command->callback(
      [options, &session] { session.run([&] { return rotate(session, *options); }); });
}

}  // namespace

void add_repository_commands(CLI::App& app, Session& session) {
  add_change(app, session, "publish", "take a packed bundle to the origin", "PACKED", true,
             publish_packed);
  add_change(app, session, "publish-staged", "publish what publish --stage left and people signed",
             nullptr, true, publish_staged);
  add_change(app, session, "refresh", "renew what ends soon", nullptr, true, refresh);
  add_rotate(app, session);
  add_change(app, session, "verify", "check a whole origin as a site would, from a trusted root",
             "ROOT", false, verify);
}

}  // namespace lineside::bundler::cli

// SPDX-License-Identifier: Apache-2.0
// lineside-bundle repo init, repo root: who may sign what.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "delta/bundler/cli/lifespans.h"
#include "delta/bundler/cli/session.h"
#include "proto/trust/tuf/metadata.h"

namespace lineside::bundler::cli {
namespace {

constexpr const char* kRoles[] = {"root", "targets", "snapshot", "timestamp"};

struct Root {
  std::string origin;
  std::string out;  // repo root
  std::vector<std::string> keys;
  std::map<std::string, std::vector<std::string>> role_keys;  // public keys, by role
  std::map<std::string, unsigned> thresholds;                 // 0: not said
  Lifespans lifespans;

  void add_to(CLI::App* app) {
    for (const char* role : kRoles) {
      app->add_option(fmt::format("--{}-key", role), role_keys[role],
                      fmt::format("public key (.pub) of the role {}; once for each", role))
          ->allow_extra_args(false)
          ->check(CLI::ExistingFile);
      app->add_option(fmt::format("--{}-threshold", role), thresholds[role],
                      "how many of them must sign")
          ->check(CLI::Range(1, 32));
    }
    app->add_option("--root-days", lifespans.root_days, "how long the root is valid")
        ->check(CLI::Range(1, 3650));
  }
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

// Puts what the flags say in place of what `spec` says.
Result<void> take_flags(const Session& session, const Root& options, trust::RootSpec& spec) {
  spec.lifetime = std::chrono::days(options.lifespans.root_days);
  for (const char* role : kRoles) {
    trust::RoleKeys& mine = spec.roles[role];
    if (!options.role_keys.at(role).empty()) {
      TRY_ASSIGN(mine.keys, read_public_keys(session, options.role_keys.at(role)));
    }
    if (options.thresholds.at(role) > 0) mine.threshold = options.thresholds.at(role);
  }
  return ok();
}

Result<Bytes> signed_by(Bytes metadata, const std::vector<trust::PrivateKey>& keys) {
  for (const auto& key : keys) {
    TRY_ASSIGN(metadata, trust::sign_metadata(metadata, key));
  }
  return metadata;
}

Result<void> init(const Session& session, const Root& options) {
  TRY_ASSIGN(auto keys, load_keys(session, options.keys));
  trust::RootSpec spec;
  for (const char* role : kRoles) {
    for (const auto& key : keys) spec.roles[role].keys.push_back(key.public_key());
  }
  TRY(take_flags(session, options, spec));
  UtcTime now = session.clock.now();
  TRY_ASSIGN(Bytes draft, trust::draft_root(spec, 1, now));
  TRY_ASSIGN(Bytes root, signed_by(std::move(draft), keys));
  trust::Repository repository(session.disk, options.origin);
  TRY(repository.create(root, pointers(keys), options.lifespans.lifetimes(), now));
  std::string digest = sha256(root).hex();
  if (session.json) {
    nlohmann::json out = {{"origin", options.origin},
                          {"root", options.origin + "/metadata/1.root.json"},
                          {"root_sha256", digest}};
    fmt::print("{}\n", out.dump());
    return ok();
  }
  fmt::print(
      "{}: a new origin. Give metadata/1.root.json to each site by a way that you trust;\n"
      "everything else follows from it. Its SHA-256 is {}\n",
      options.origin, digest);
  return ok();
}

trust::RootSpec spec_of(const trust::tuf::Root& root) {
  trust::RootSpec spec;
  for (const auto& [name, role] : root.roles) {
    trust::RoleKeys& keys = spec.roles[name];
    keys.threshold = role.threshold;
    for (const std::string& keyid : role.keyids) {
      auto key = root.keys.find(keyid);
      if (key != root.keys.end()) keys.keys.push_back(key->second);
    }
  }
  return spec;
}

// The next root, from the newest one and the flags. It is complete when enough keys of both signed.
Result<void> next_root(const Session& session, const Root& options) {
  TRY_ASSIGN(auto taken, session.disk.stat(options.out));
  if (taken) return Error{Code::kExists, options.out + " exists"};
  TRY_ASSIGN(auto keys, load_keys(session, options.keys));
  TRY_ASSIGN(auto roles, trust::Repository(session.disk, options.origin).status());
  auto newest = std::find_if(roles.begin(), roles.end(), [](auto& r) { return r.role == "root"; });
  Path file = Path(options.origin) / "metadata" / fmt::format("{}.root.json", newest->version);
  TRY_ASSIGN(Bytes present, session.disk.read(file, trust::tuf::kMaxRootBytes));
  TRY_ASSIGN(trust::tuf::Root root, trust::tuf::parse_root(present));
  trust::RootSpec spec = spec_of(root);
  TRY(take_flags(session, options, spec));
  TRY_ASSIGN(Bytes draft, trust::draft_root(spec, root.version + 1, session.clock.now()));
  TRY_ASSIGN(Bytes next, signed_by(std::move(draft), keys));
  TRY(session.disk.replace(options.out, next));
  TRY_ASSIGN(auto by_old, trust::signature_state(next, present, "root"));
  TRY_ASSIGN(auto by_new, trust::signature_state(next, next, "root"));
  if (session.json) {
    nlohmann::json out = {
        {"file", options.out},
        {"version", root.version + 1},
        {"missing_of_old_root",
         by_old.have < by_old.need ? by_old.missing : std::vector<std::string>()},
        {"missing_of_new_root",
         by_new.have < by_new.need ? by_new.missing : std::vector<std::string>()}};
    fmt::print("{}\n", out.dump());
    return ok();
  }
  fmt::print(
      "{}: root version {}; {} of {} signatures of the old root's keys, {} of {} of its own\n",
      options.out, root.version + 1, by_old.have, by_old.need, by_new.have, by_new.need);
  return ok();
}

}  // namespace

void add_root_commands(CLI::App& app, Session& session) {
  CLI::App* repo = app.add_subcommand("repo", "lay out an origin; say who may sign");
  repo->require_subcommand(1);

  auto first = std::make_shared<Root>();
  CLI::App* make = repo->add_subcommand("init", "a new, empty origin");
  make->add_option("ORIGIN", first->origin, "folder that the web server or stick carries")
      ->required();
  make->add_option(
          "--key", first->keys,
          "private key that signs now; a role without keys of its own takes these; once for each")
      ->required()
      ->allow_extra_args(false)
      ->check(CLI::ExistingFile);
  first->add_to(make);
  first->lifespans.add_to(make);
  make->callback([first, &session] { session.run([&] { return init(session, *first); }); });

  auto next = std::make_shared<Root>();
  CLI::App* draft = repo->add_subcommand(
      "root", "write the next root: other keys, or more time. Then: sign, rotate, refresh");
  draft->add_option("--repo", next->origin, "the origin's folder")->required();
  draft->add_option("--out", next->out, "file to make")->required();
  draft
      ->add_option("--key", next->keys,
                   "private key of the old or the new root that signs now; once for each")
      ->allow_extra_args(false);
  next->add_to(draft);
  draft->callback([next, &session] { session.run([&] { return next_root(session, *next); }); });
}

}  // namespace lineside::bundler::cli

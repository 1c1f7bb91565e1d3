// SPDX-License-Identifier: Apache-2.0
// lineside-bundle repo init, repo root: who may sign what.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "delta/bundler/cli/lifespans.h"
#include "delta/bundler/cli/session.h"
#include "proto/trust/tuf/describe.h"
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
      const auto& paths = options.role_keys.at(role);
      TRY_ASSIGN(mine.keys, read_public_keys(session, paths));
      for (std::size_t i = 0; i < paths.size(); ++i) {
        spec.names[mine.keys[i].keyid()] = trust::key_name(paths[i]);
      }
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

bool says_who_may_sign(const Root& options) {
  auto keys = [](const auto& role) { return !role.second.empty(); };
  auto thresholds = [](const auto& role) { return role.second > 0; };
  return std::any_of(options.role_keys.begin(), options.role_keys.end(), keys) ||
         std::any_of(options.thresholds.begin(), options.thresholds.end(), thresholds);
}

Result<void> tell_new_origin(const Session& session, const Root& options, BytesView root) {
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

// The first root, made of the flags.
Result<Bytes> first_root(const Session& session, const Root& options,
                         const std::vector<trust::PrivateKey>& keys) {
  trust::RootSpec spec;
  for (const char* role : kRoles) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      spec.roles[role].keys.push_back(keys[i].public_key());
      spec.names[keys[i].public_key().keyid()] = trust::key_name(options.keys[i]);
    }
  }
  TRY(take_flags(session, options, spec));
  TRY_ASSIGN(Bytes draft, trust::draft_root(spec, 1, session.clock.now()));
  TRY_ASSIGN(auto words, trust::describe_change({}, draft));
  print_change(session, words);
  return signed_by(std::move(draft), keys);
}

// Lays the origin out, or if not everybody who must sign did: stages what they have to sign.
Result<void> init(const Session& session, const Root& options) {
  trust::Repository repository(session.disk, options.origin);
  UtcTime now = session.clock.now();
  TRY_ASSIGN(auto keys, load_keys(session, options.keys));
  Result<Bytes> root = repository.staged("root");
  bool goes_on = root.ok();
  if (goes_on && says_who_may_sign(options)) {
    return Error{Code::kExists, options.origin +
                                    ": a root waits here and says who may sign; give --key alone "
                                    "to go on, or remove metadata/staged"};
  }
  if (!goes_on) root = first_root(session, options, keys);
  if (!root.ok()) return root.error();
  trust::Lifetimes lifetimes = options.lifespans.lifetimes();
  Result<void> made = repository.create(*root, pointers(keys), lifetimes, now);
  if (made.ok()) return tell_new_origin(session, options, *root);
  if (goes_on || made.error().code != Code::kBadSignature) return made;
  TRY(repository.stage_first(*root, pointers(keys), lifetimes, now));
  if (!session.json) {
    fmt::print(
        "{}: not everybody has signed yet. Each signs {}/metadata/staged/root.json and\n"
        "targets.json; then: lineside-bundle repo init {} --key KEY of snapshot and timestamp\n",
        options.origin, options.origin, options.origin);
  }
  return print_state(session, repository);
}

trust::RootSpec spec_of(const trust::tuf::Root& root) {
  trust::RootSpec spec;
  spec.names = root.names;
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

struct Next {
  Bytes root;
  Bytes present;
  std::int64_t version = 0;
  bool targets_wait = false;
};

Result<void> print_next(const Session& session, const Path& file, const Next& next) {
  TRY_ASSIGN(auto by_old, trust::signature_state(next.root, next.present, "root"));
  TRY_ASSIGN(auto by_new, trust::signature_state(next.root, next.root, "root"));
  auto missing = [](const trust::SignatureState& state) {
    return state.complete() ? std::vector<std::string>() : state.missing;
  };
  if (session.json) {
    nlohmann::json report = {{"file", file.string()},
                             {"version", next.version},
                             {"targets_wait", next.targets_wait},
                             {"missing_of_old_root", missing(by_old)},
                             {"missing_of_new_root", missing(by_new)}};
    fmt::print("{}\n", report.dump());
    return ok();
  }
  fmt::print("{}: root version {}\nby the present root: {}\nby its own keys: {}\n", file.string(),
             next.version, trust::describe(by_old), trust::describe(by_new));
  if (next.targets_wait) {
    fmt::print("the keys of targets change: the old and the new ones sign {} as well\n",
               (file.parent_path() / "targets.json").string());
  }
  return ok();
}

// The next root, from the newest one and the flags. It is complete when enough keys of both signed.
Result<void> next_root(const Session& session, const Root& options) {
  trust::Repository repository(session.disk, options.origin);
  const bool waits = options.out.empty();
  Path out = waits ? Path(options.origin) / "metadata" / "staged" / "root.json" : Path(options.out);
  TRY_ASSIGN(auto taken, session.disk.stat(out));
  if (taken) return Error{Code::kExists, out.string() + " exists; remove it to begin anew"};
  TRY_ASSIGN(Bytes present, repository.published("root"));
  TRY_ASSIGN(trust::tuf::Root root, trust::tuf::parse_root(present));
  trust::RootSpec spec = spec_of(root);
  TRY(take_flags(session, options, spec));
  TRY_ASSIGN(Bytes draft, trust::draft_root(spec, root.version + 1, session.clock.now()));
  TRY_ASSIGN(auto words, trust::describe_change(present, draft));
  print_change(session, words);
  TRY_ASSIGN(auto keys, load_keys(session, options.keys));
  TRY_ASSIGN(Bytes next, signed_by(std::move(draft), keys));
  bool targets_wait = false;
  if (waits) {
    TRY_ASSIGN(targets_wait,
               repository.stage_for(next, pointers(keys), options.lifespans.lifetimes(),
                                    session.clock.now()));
    TRY(repository.stage_root(next));
  } else {
    TRY(session.disk.replace(out, next));
  }
  return print_next(session, out, {next, present, root.version + 1, targets_wait});
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
      ->check(check_key_source);
  first->add_to(make);
  first->lifespans.add_to(make);
  make->callback([first, &session] { session.run([&] { return init(session, *first); }); });

  auto next = std::make_shared<Root>();
  CLI::App* draft = repo->add_subcommand(
      "root", "write the next root: other keys, or more time. Then: sign, rotate");
  draft->add_option("--repo", next->origin, "the origin's folder")
      ->required()
      ->check(CLI::ExistingDirectory);
  draft->add_option("--out", next->out, "file to make (default: metadata/staged/root.json)");
  draft
      ->add_option("--key", next->keys,
                   "private key of the old or the new root that signs now; once for each")
      ->allow_extra_args(false)
      ->check(check_key_source);
  next->add_to(draft);
  next->lifespans.add_to(draft);
  draft->callback([next, &session] { session.run([&] { return next_root(session, *next); }); });
}

}  // namespace lineside::bundler::cli

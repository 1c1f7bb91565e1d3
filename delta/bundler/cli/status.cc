// SPDX-License-Identifier: Apache-2.0
// lineside-bundle status: what clients see, what waits for signatures, what ends soon.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "delta/bundler/cli/session.h"

namespace lineside::bundler::cli {
namespace {

using nlohmann::json;
using trust::Repository;

json signatures_json(const trust::SignatureState& state) {
  return {{"signatures", state.have},
          {"threshold", state.need},
          {"missing", state.missing},
          {"missing_names", state.missing_names}};
}

json role_json(const Repository::RoleStatus& role) {
  json out = signatures_json(role.signatures);
  out["role"] = role.role;
  out["version"] = role.version;
  out["expires"] = format_utc(role.expires);
  return out;
}

json waiting_json(const Repository::Waiting& waiting) {
  json out = signatures_json(waiting.signatures);
  out["role"] = waiting.role;
  out["version"] = waiting.version;
  out["waiting"] = true;
  out["of"] = waiting.of_next ? "next root" : "present root";
  return out;
}

struct Status {
  std::string origin;
  int warn_days = 14;
};

// For cron: whoever reads the mail is told what to type.
void warn(Session& session, const Status& options,
          const std::vector<Repository::RoleStatus>& roles) {
  for (const auto& role : roles) {
    if (role.expires - session.clock.now() >= std::chrono::days(options.warn_days)) continue;
    fmt::print(stderr, "lineside-bundle: {} ends {}; run: lineside-bundle {} --repo {}\n",
               role.role, format_utc(role.expires), role.role == "root" ? "repo root" : "refresh",
               options.origin);
    session.status = kExpiring;
  }
}

}  // namespace

Result<void> print_state(const Session& session, const Repository& repository) {
  Result<std::vector<Repository::RoleStatus>> roles = repository.status();
  TRY_ASSIGN(auto waiting, repository.waiting());
  // An origin whose first root still waits has nothing that clients see.
  bool begins = !roles.ok() && roles.error().code == Code::kNotFound && !waiting.empty();
  if (!roles.ok() && !begins) return roles.error();
  if (begins) roles = std::vector<Repository::RoleStatus>();
  if (session.json) {
    json out = json::array();
    for (const auto& role : *roles) out.push_back(role_json(role));
    for (const auto& one : waiting) out.push_back(waiting_json(one));
    fmt::print("{}\n", out.dump());
    return ok();
  }
  for (const auto& role : *roles) {
    fmt::print("{:<10} version {:<5} ends {}  {}\n", role.role, role.version,
               format_utc(role.expires), trust::describe(role.signatures));
  }
  for (const auto& one : waiting) {
    fmt::print("waits: {} {}: {}{}\n", one.role, one.version, trust::describe(one.signatures),
               one.of_next ? ", by the next root" : "");
  }
  return ok();
}

void add_status_command(CLI::App& app, Session& session) {
  auto options = std::make_shared<Status>();
  CLI::App* command = app.add_subcommand(
      "status",
      "versions, ends, signatures and who is missing; exit status 3 if something ends soon (for "
      "cron)");
  command->add_option("--repo", options->origin, "the origin's folder")
      ->required()
      ->check(CLI::ExistingDirectory);
  command->add_option("--warn-days", options->warn_days, "what counts as soon")
      ->check(CLI::Range(0, 3650));
  command->callback([options, &session] {
    session.run([&]() -> Result<void> {
      Repository repository(session.disk, options->origin);
      TRY(print_state(session, repository));
      Result<std::vector<Repository::RoleStatus>> roles = repository.status();
      if (roles.ok()) warn(session, *options, *roles);
      return ok();
    });
  });
}

}  // namespace lineside::bundler::cli

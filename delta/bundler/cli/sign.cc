// SPDX-License-Identifier: Apache-2.0
// lineside-bundle sign: one signature more on a file that people sign one after another.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "delta/bundler/cli/session.h"
#include "proto/trust/tuf/describe.h"
#include "proto/trust/tuf/metadata.h"

namespace lineside::bundler::cli {
namespace {

struct Sign {
  std::string file;
  std::string origin;
  std::vector<std::string> keys;
};

// ORIGIN of ORIGIN/metadata/staged/targets.json; empty for a file that stands elsewhere.
Path origin_of(const Sign& options) {
  if (!options.origin.empty()) return options.origin;
  Path folder = std::filesystem::absolute(options.file).lexically_normal().parent_path();
  bool staged = folder.filename() == "staged" && folder.parent_path().filename() == "metadata";
  return staged ? folder.parent_path().parent_path() : Path();
}

// What clients see of the role now; nothing if that is not known here.
Result<Bytes> present(const Session& session, const Path& origin, const std::string& role) {
  if (origin.empty()) return Bytes();
  Result<Bytes> bytes = trust::Repository(session.disk, origin).published(role);
  if (!bytes.ok() && bytes.error().code == Code::kNotFound) return Bytes();
  return bytes;
}

Result<void> sign(const Session& session, const Sign& options) {
  TRY_ASSIGN(Bytes metadata, session.disk.read(options.file, trust::tuf::kMaxTargetsBytes));
  TRY_ASSIGN(trust::tuf::AnyRole file, trust::tuf::parse_any(metadata));
  const Path origin = origin_of(options);
  TRY_ASSIGN(Bytes before, present(session, origin, file.type));
  TRY_ASSIGN(auto words, trust::describe_change(before, metadata));
  print_change(session, words);
  TRY_ASSIGN(auto keys, load_keys(session, options.keys));
  nlohmann::json ids = nlohmann::json::array();
  for (const auto& key : keys) {
    TRY_ASSIGN(metadata, trust::sign_metadata(metadata, key));
    ids.push_back(key.public_key().keyid());
    if (!session.json) fmt::print("signed {} with {}\n", options.file, key.public_key().keyid());
  }
  TRY(session.disk.replace(options.file, metadata));
  if (session.json) {
    fmt::print("{}\n", nlohmann::json{{"file", options.file}, {"keyids", ids}}.dump());
  } else if (file.type == "root") {
    TRY_ASSIGN(auto own, trust::signature_state(metadata, metadata, "root"));
    fmt::print("root: {}\n", trust::describe(own));
    if (before.empty()) return ok();
    TRY_ASSIGN(auto by_present, trust::signature_state(metadata, before, "root"));
    fmt::print("root: {}, by the present root\n", trust::describe(by_present));
  } else if (!origin.empty()) {
    TRY_ASSIGN(auto waiting, trust::Repository(session.disk, origin).waiting());
    for (const auto& one : waiting) {
      if (one.role != file.type) continue;
      fmt::print("{}: {}{}\n", one.role, trust::describe(one.signatures),
                 one.of_next ? ", by the next root" : "");
    }
  }
  return ok();
}

}  // namespace

void add_sign_command(CLI::App& app, Session& session) {
  auto options = std::make_shared<Sign>();
  CLI::App* command = app.add_subcommand(
      "sign", "say what a metadata file changes, and add a signature; as often as you like");
  command->add_option("FILE", options->file, "ORIGIN/metadata/staged/root.json or targets.json")
      ->required()
      ->check(CLI::ExistingPath);
  command->add_option("--key", options->keys, "private key to sign with; once for each")
      ->required()
      ->allow_extra_args(false)
      ->check(check_key_source);
  command
      ->add_option("--repo", options->origin, "the origin that FILE is for, if it stands elsewhere")
      ->check(CLI::ExistingDirectory);
  command->callback([options, &session] { session.run([&] { return sign(session, *options); }); });
}

}  // namespace lineside::bundler::cli

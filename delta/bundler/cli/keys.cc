// SPDX-License-Identifier: Apache-2.0
// lineside-bundle key …
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "delta/bundler/cli/session.h"
#include "proto/base/passphrase.h"
#include "proto/trust/key_file.h"
#include "proto/trust/key_uri.h"

namespace lineside::bundler::cli {
namespace {

void print_key(const Session& session, const trust::PublicKey& key) {
  if (session.json) {
    nlohmann::json out = {
        {"keyid", key.keyid()}, {"fingerprint", key.fingerprint()}, {"public", key.pem()}};
    fmt::print("{}\n", out.dump());
  } else {
    fmt::print("key id       {}\nfingerprint  {}\n{}", key.keyid(), key.fingerprint(), key.pem());
  }
}

struct Generate {
  std::string path;
  std::string scheme = "ed25519";
  bool plain = false;
};

Result<void> generate(const Session& session, const Generate& options) {
  trust::Scheme scheme =
      options.scheme == "p256" ? trust::Scheme::kEcdsaP256Sha256 : trust::Scheme::kEd25519;
  std::string public_path = options.path + ".pub";
  TRY_ASSIGN(auto taken, session.disk.stat(public_path));
  if (taken) return Error{Code::kExists, public_path + " exists"};
  std::optional<std::string> passphrase;
  if (!options.plain) {
    TRY_ASSIGN(passphrase, ask_passphrase(session.disk, "passphrase of the new key", true));
    if (!passphrase) {
      return Error{Code::kUsage,
                   "no terminal to ask for a passphrase; name a file in $LINESIDE_PASSPHRASE_FILE, "
                   "or say --no-passphrase"};
    }
  }
  TRY_ASSIGN(auto key, trust::PrivateKey::generate(scheme));
  TRY(trust::save_key(session.disk, options.path, key, passphrase));
  TRY(session.disk.replace(public_path, as_bytes(key.public_key().pem())));
  print_key(session, key.public_key());
  return ok();
}

struct Show {
  std::string path;
  std::string out;  // where the public key is to be written; empty: nowhere
};

Result<void> write_public(const Session& session, const Show& options,
                          const trust::PublicKey& key) {
  if (options.out.empty()) return ok();
  TRY_ASSIGN(auto taken, session.disk.stat(options.out));
  if (taken) return Error{Code::kExists, options.out + " exists"};
  return session.disk.replace(options.out, as_bytes(key.pem()));
}

Result<trust::PublicKey> read_key(const Session& session, const std::string& path) {
  if (trust::is_key_uri(path)) {
    TRY_ASSIGN(auto keys, load_keys(session, {path}));
    return keys.front().public_key();
  }
  TRY_ASSIGN(Bytes text, session.disk.read(path, 64 * 1024));
  if (as_text(text).find("BEGIN PUBLIC KEY") != std::string_view::npos) {
    return trust::PublicKey::from_pem(as_text(text));
  }
  TRY_ASSIGN(auto keys, load_keys(session, {path}));
  return keys.front().public_key();
}

Result<void> show(const Session& session, const Show& options) {
  TRY_ASSIGN(trust::PublicKey key, read_key(session, options.path));
  TRY(write_public(session, options, key));
  print_key(session, key);
  return ok();
}

}  // namespace

void add_key_commands(CLI::App& app, Session& session) {
  CLI::App* key = app.add_subcommand("key", "make and show signing keys");
  key->require_subcommand(1);

  auto options = std::make_shared<Generate>();
  CLI::App* make = key->add_subcommand("generate", "a new private key, and FILE.pub beside it");
  make->add_option("FILE", options->path, "where to write it (mode 0600)")->required();
  make->add_option("--scheme", options->scheme, "ed25519, or p256 for what a token must hold later")
      ->check(CLI::IsMember({"ed25519", "p256"}));
  make->add_flag("--no-passphrase", options->plain, "leave the file unencrypted");
  make->callback([options, &session] { session.run([&] { return generate(session, *options); }); });

  auto shown = std::make_shared<Show>();
  CLI::App* print = key->add_subcommand("show", "key id, fingerprint and public key");
  print
      ->add_option("KEY", shown->path,
                   "a private or public key; pkcs11:token=…;object=… for one in "
                   "a token")
      ->required()
      ->check(check_key_source);
  print->add_option("--public", shown->out, "write the public key to this file");
  print->callback([shown, &session] { session.run([&] { return show(session, *shown); }); });
}

}  // namespace lineside::bundler::cli

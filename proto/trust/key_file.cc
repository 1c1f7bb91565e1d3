// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/key_file.h"

#include "proto/trust/key_uri.h"

namespace lineside::trust {
namespace {

constexpr std::uint64_t kMaxKeyBytes = 64 * 1024;

}  // namespace

namespace {

// The PIN is asked for like a passphrase.
Result<PrivateKey> load_token_key(const Path& source, const PassphraseSource& passphrase) {
  TRY_ASSIGN(KeyUri uri, parse_key_uri(source.string()));
  if (uri.query.contains("pin-value")) {
    return Error{Code::kUsage, uri.shown() +
                                   ": a PIN is asked for, or read by pin-source=FILE; in a "
                                   "name or an argument everybody can read it"};
  }
  if (!uri.has_pin() && passphrase) {
    TRY_ASSIGN(std::optional<std::string> pin, passphrase(uri.shown()));
    if (pin) uri.query["pin-value"] = *pin;
  }
  return PrivateKey::from_pem(uri.text(), std::nullopt);
}

}  // namespace

Result<PrivateKey> load_key(const Disk& disk, const Path& path,
                            const PassphraseSource& passphrase) {
  if (is_key_uri(path.string())) return load_token_key(path, passphrase);
  TRY_ASSIGN(auto info, disk.stat(path));
  if (info && (info->mode & 0077) != 0) {
    return Error{Code::kDenied,
                 path.string() + " may be read by other users; run: chmod 600 " + path.string()};
  }
  TRY_ASSIGN(Bytes pem, disk.read(path, kMaxKeyBytes));
  std::optional<std::string> secret;
  if (as_text(pem).find("BEGIN ENCRYPTED") != std::string_view::npos && passphrase) {
    TRY_ASSIGN(secret, passphrase(path));
  }
  auto key = PrivateKey::from_pem(as_text(pem), secret);
  if (!key.ok()) return key.error().with(path.string());
  return key;
}

Result<void> save_key(Disk& disk, const Path& path, const PrivateKey& key,
                      const std::optional<std::string>& passphrase) {
  TRY_ASSIGN(auto info, disk.stat(path));
  if (info) return Error{Code::kExists, path.string() + " exists; a key is never overwritten"};
  TRY_ASSIGN(std::string pem, key.to_pem(passphrase));
  if (path.has_parent_path()) TRY(disk.make_dirs(path.parent_path()));
  return disk.replace(path, as_bytes(pem), 0600);
}

Result<PrivateKey> load_or_create_key(Disk& disk, const Path& path) {
  TRY_ASSIGN(auto info, disk.stat(path));
  if (info) return load_key(disk, path, {});
  TRY_ASSIGN(PrivateKey key, PrivateKey::generate(Scheme::kEd25519));
  TRY(save_key(disk, path, key, std::nullopt));
  return key;
}

}  // namespace lineside::trust

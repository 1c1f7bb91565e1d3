// SPDX-License-Identifier: Apache-2.0
#include "node/device_key.h"

#include "proto/trust/token_key.h"

namespace lineside::node {
namespace {

constexpr std::uint64_t kMaxKeyBytes = 16 << 10;

}  // namespace

Result<trust::PrivateKey> read_device_key(const Disk& disk, const Path& state) {
  Path file = state / "device.key";
  TRY_ASSIGN(auto info, disk.stat(file));
  if (!info) {
    return Error{Code::kNotFound, file.string() +
                                      ": this device has no key yet; `lineside-node key` or the "
                                      "first `lineside-node run` makes it"};
  }
  if ((info->mode & 077) != 0) {
    return Error{Code::kDenied, file.string() +
                                    ": others may read this key; chmod 600 it, and "
                                    "enrol with a new key if they might have"};
  }
  TRY_ASSIGN(Bytes pem, disk.read(file, kMaxKeyBytes));
  auto key = trust::PrivateKey::from_pem(as_text(pem), std::nullopt);
  if (!key.ok()) return key.error().with(file.string());
  return key;
}

Result<trust::PrivateKey> open_device_key(Disk& disk, const Path& state) {
  auto held = read_device_key(disk, state);
  if (held.ok() || held.error().code != Code::kNotFound) return held;
  TRY(disk.make_dirs(state));
  TRY_ASSIGN(auto key, trust::PrivateKey::generate(trust::Scheme::kEd25519));
  TRY_ASSIGN(std::string pem, key.to_pem(std::nullopt));
  TRY(disk.replace(state / "device.key", as_bytes(pem), 0600));
  return key;
}

Result<trust::PrivateKey> make_tpm_device_key(Disk& disk, const Path& state) {
  const Path file = state / "device.key";
  TRY_ASSIGN(auto info, disk.stat(file));
  if (info) {
    return Error{Code::kExists, file.string() +
                                    ": this device has a key. To give it one in its TPM, stop the "
                                    "agent and remove that file; it has to be enrolled anew"};
  }
  TRY_ASSIGN(std::string pem, trust::make_tpm_key());
  TRY_ASSIGN(auto key, trust::PrivateKey::from_pem(pem, std::nullopt));
  TRY(disk.make_dirs(state));
  TRY(disk.replace(file, as_bytes(pem), 0600));
  return key;
}

}  // namespace lineside::node

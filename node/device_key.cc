// SPDX-License-Identifier: Apache-2.0
#include "node/device_key.h"

namespace lineside::node {
namespace {

constexpr std::uint64_t kMaxKeyBytes = 16 << 10;

}  // namespace

Result<trust::PrivateKey> open_device_key(Disk& disk, const Path& state) {
  Path file = state / "device.key";
  TRY_ASSIGN(auto info, disk.stat(file));
  if (info) {
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
  TRY(disk.make_dirs(state));
  TRY_ASSIGN(auto key, trust::PrivateKey::generate(trust::Scheme::kEd25519));
  TRY_ASSIGN(std::string pem, key.to_pem(std::nullopt));
  TRY(disk.replace(file, as_bytes(pem), 0600));
  return key;
}

}  // namespace lineside::node

// SPDX-License-Identifier: Apache-2.0
// The device's identity in STATE/device.key, mode 0600: an Ed25519 key, made at the first start, or
// if commissioning said so a P-256 key that this device's TPM wrapped and nobody can copy. It never
// leaves the device; the operator accepts its fingerprint into the roster.
#pragma once

#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/trust/keys.h"

namespace lineside::node {

// Reads the key, or makes and stores one. kDenied if others than the owner may read the file.
Result<trust::PrivateKey> open_device_key(Disk& disk, const Path& state);

// Makes a key in the TPM and stores what names it. kExists if there is a key: an enrolled device is
// not given another by mistake; kNotFound without a TPM that can be used.
Result<trust::PrivateKey> make_tpm_device_key(Disk& disk, const Path& state);

// Reads the key; kNotFound if there is none, else the codes above and of trust::open_token_key.
Result<trust::PrivateKey> read_device_key(const Disk& disk, const Path& state);

}  // namespace lineside::node

// SPDX-License-Identifier: Apache-2.0
// The device's identity: an Ed25519 key in STATE/device.key, made at the first start, mode 0600. It
// never leaves the device; the operator accepts its fingerprint into the roster.
#pragma once

#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/trust/keys.h"

namespace lineside::node {

// Reads the key, or makes and stores one. kDenied if others than the owner may read the file.
Result<trust::PrivateKey> open_device_key(Disk& disk, const Path& state);

// Reads the key; kNotFound if there is none, else the codes above.
Result<trust::PrivateKey> read_device_key(const Disk& disk, const Path& state);

}  // namespace lineside::node

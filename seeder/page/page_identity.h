// SPDX-License-Identifier: Apache-2.0
// The certificate that browsers are shown. Not the gateway's: no browser takes its Ed25519 key.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/http/identity.h"

namespace lineside::seeder {

struct PageCertificate {
  // Both or neither: a certificate with its chain, and its unencrypted key.
  std::optional<Path> certificate;
  std::optional<Path> key;
  // Without them: FOLDER/certificate.pem and key.pem, made at the first start for these names, and
  // kept, so that a browser that was told to trust it need not be told again.
  Path folder;
  std::vector<std::string> names;  // addresses and host names
};

// kUsage naming the file that is missing or does not fit; the codes of Disk.
Result<http::Identity> page_identity(Disk& disk, const PageCertificate& wanted);

}  // namespace lineside::seeder

// SPDX-License-Identifier: Apache-2.0
// Private keys in files: PKCS#8 PEM, mode 0600. And in tokens, by their URI.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "proto/base/disk.h"
#include "proto/trust/keys.h"

namespace lineside::trust {

// Asked only when a key turns out to be encrypted. nullopt: there is nobody to ask.
using PassphraseSource = std::function<Result<std::optional<std::string>>(const Path& key)>;

// `path`: a file, or a key URI (key_uri.h), whose PIN is asked for like a passphrase and may
// not stand in it (kUsage); the codes of open_token_key() for it.
// kDenied if the file may be read by others than its owner, or the passphrase is wrong or missing;
// kMalformed if it holds no private key; the codes of Disk.
Result<PrivateKey> load_key(const Disk& disk, const Path& path, const PassphraseSource& passphrase);
// kExists if the file is there: a key is never overwritten.
Result<void> save_key(Disk& disk, const Path& path, const PrivateKey& key,
                      const std::optional<std::string>& passphrase);
// For daemons: the plain key at `path`, made (Ed25519) at the first start.
Result<PrivateKey> load_or_create_key(Disk& disk, const Path& path);

}  // namespace lineside::trust

// SPDX-License-Identifier: Apache-2.0
// The people who may look at the page. One a line, as `lineside-seeder user add` writes it:
//
//     # name  Argon2id hash (RFC 9106) in the encoded form of its reference implementation
//     anna $argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo
//
// Empty lines and lines that begin with '#' are kept. A name has the form
// [a-z0-9][a-z0-9._-]{0,63}.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/disk.h"
#include "proto/base/result.h"

namespace lineside::seeder {

// Shorter ones are refused when they are made. NIST SP 800-63B section 5.1.1.1 asks for 8 where
// somebody limits the attempts; whoever can pause a plant gets more.
inline constexpr std::size_t kMinPassphraseBytes = 12;
inline constexpr std::size_t kMaxPassphraseBytes = 1024;

using UserHashes = std::map<std::string, std::string>;  // name -> encoded hash

// kMalformed as "FILE:LINE: what was expected", for a second line of the same name, too.
Result<UserHashes> parse_users(std::string_view text, std::string_view file);
// The text with the line of `name` set, or without it if `hash` is absent. `text` was parsed.
std::string edit_users(std::string_view text, std::string_view name,
                       const std::optional<std::string>& hash);

// Encoded Argon2id hash with a salt of its own: 64 MiB, 3 passes, 4 lanes, the second choice of
// RFC 9106 section 4. Takes some 0.1 s. kUsage if the passphrase is too short or too long.
Result<std::string> hash_passphrase(std::string_view passphrase);
// False also for a hash that is none.
bool passphrase_matches(const std::string& hash, std::string_view passphrase);

// The file as it is now: read again whenever it changed, so that a user who was removed is out at
// once. A missing file has no users. Any thread.
class Users {
 public:
  // `disk` outlives it.
  Users(const Disk& disk, Path file);
  // The hash of `name`, nullopt for a stranger. The codes of Disk and parse_users.
  [[nodiscard]] Result<std::optional<std::string>> hash_of(const std::string& name) const;

 private:
  Result<void> reread() const;

  const Disk& disk_;
  Path file_;
  mutable std::mutex mutex_;
  mutable std::optional<FileInfo> seen_;
  mutable UserHashes hashes_;
};

// For the program: change the file (0600, durable). add: a name that is there gets the new hash.
Result<void> add_user(Disk& disk, const Path& file, const std::string& name,
                      std::string_view passphrase);
// kNotFound if there is no such user.
Result<void> remove_user(Disk& disk, const Path& file, const std::string& name);

}  // namespace lineside::seeder

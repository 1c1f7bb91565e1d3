// SPDX-License-Identifier: Apache-2.0
// Who is logged in on the page. A session is known by a random token of 256 bits that only the
// browser has; kept here, and across restarts in a file, is its SHA-256.
//
// A session ends when its time is over, at logout, and when the user's hash changes: whoever was
// removed or has a new passphrase is out.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/base/sha256.h"
#include "seeder/page/users.h"

namespace lineside::seeder {

inline constexpr std::size_t kMaxSessions = 1024;  // the one that ends first gives way

class Sessions {
 public:
  // Reads what `file` has; a damaged file is no session, since people can log in again. References
  // outlive it.
  Sessions(Disk& disk, Path file, const Users& users, const Clock& clock,
           std::chrono::seconds lifetime);

  // The token of a new session (64 hex digits), nullopt if name and passphrase do not fit. Takes as
  // long for a stranger as for a user. One at a time: kTimeout if too many wait already. The codes
  // of Users and Disk.
  Result<std::optional<std::string>> log_in(const std::string& name, std::string_view passphrase);
  // The user of a session that holds, nullopt for anything else.
  [[nodiscard]] std::optional<std::string> user_of(std::string_view token) const;
  Result<void> log_out(std::string_view token);
  [[nodiscard]] std::chrono::seconds lifetime() const { return lifetime_; }

 private:
  struct Session {
    std::string user;
    Digest credential;  // SHA-256 of the user's hash when the session began
    UtcTime ends{};
  };
  void load();
  Result<void> save_locked() const;
  void drop_ended_locked();
  Result<std::string> begin(const std::string& name, const std::string& hash);

  Disk& disk_;
  Path file_;
  const Users& users_;
  const Clock& clock_;
  std::chrono::seconds lifetime_;
  mutable std::mutex mutex_;
  std::map<Digest, Session> sessions_;  // by the token's SHA-256
  std::mutex hashing_;                  // 64 MiB each: one at a time
  std::size_t waiting_ = 0;
};

}  // namespace lineside::seeder

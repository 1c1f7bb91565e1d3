// SPDX-License-Identifier: Apache-2.0
#include "seeder/page/sessions.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "proto/base/log.h"

namespace lineside::seeder {
namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kMaxWaiting = 8;
constexpr std::uint64_t kMaxFileBytes = 1ULL << 20;

// Compared with when there is no such user, so that the answer takes as long.
const std::string& nobodys_hash() {
  static const std::string hash = [] {
    Result<std::string> made = hash_passphrase("nobody has this passphrase");
    return made.ok() ? *made : std::string();
  }();
  return hash;
}

}  // namespace

Sessions::Sessions(Disk& disk, Path file, const Users& users, const Clock& clock,
                   std::chrono::seconds lifetime)
    : disk_(disk), file_(std::move(file)), users_(users), clock_(clock), lifetime_(lifetime) {
  load();
}

// Lines of "TOKEN-SHA256 CREDENTIAL-SHA256 ENDS USER".
void Sessions::load() {
  Result<Bytes> bytes = disk_.read(file_, kMaxFileBytes);
  if (!bytes.ok()) {
    if (bytes.error().code != Code::kNotFound) {
      log(Level::kWarning, "sessions of the page are lost", {{"error", bytes.error().describe()}});
    }
    return;
  }
  std::istringstream lines{std::string(as_text(*bytes))};
  std::string token, credential, ends, user;
  while (sessions_.size() < kMaxSessions && lines >> token >> credential >> ends >> user) {
    Result<Digest> key = Digest::parse(token);
    Result<Digest> held = Digest::parse(credential);
    Result<UtcTime> time = parse_utc(ends);
    if (!key.ok() || !held.ok() || !time.ok()) break;
    sessions_[*key] = {user, *held, *time};
  }
  drop_ended_locked();
}

Result<void> Sessions::save_locked() const {
  std::string text;
  for (const auto& [token, session] : sessions_) {
    text += fmt::format("{} {} {} {}\n", token.hex(), session.credential.hex(),
                        format_utc(session.ends), session.user);
  }
  TRY(disk_.make_dirs(file_.parent_path()));
  return disk_.replace(file_, as_bytes(text), 0600);
}

void Sessions::drop_ended_locked() {
  std::erase_if(sessions_,
                [now = clock_.now()](const auto& held) { return held.second.ends <= now; });
}

Result<std::optional<std::string>> Sessions::log_in(const std::string& name,
                                                    std::string_view passphrase) {
  TRY_ASSIGN(std::optional<std::string> hash, users_.hash_of(name));
  {
    std::lock_guard lock(mutex_);
    if (waiting_ >= kMaxWaiting) return Error{Code::kTimeout, "too many log in at once; try again"};
    ++waiting_;
  }
  bool fits = false;
  {
    std::lock_guard one_at_a_time(hashing_);
    fits = passphrase_matches(hash ? *hash : nobodys_hash(), passphrase) && hash;
  }
  {
    std::lock_guard lock(mutex_);
    --waiting_;
  }
  if (!fits) return std::optional<std::string>();
  TRY_ASSIGN(std::string token, begin(name, *hash));
  return std::optional<std::string>(std::move(token));
}

Result<std::string> Sessions::begin(const std::string& name, const std::string& hash) {
  std::array<unsigned char, kTokenBytes> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
    return Error{Code::kInternal, "the system gives no random bytes"};
  }
  std::string token = to_hex(random);
  std::lock_guard lock(mutex_);
  drop_ended_locked();
  if (sessions_.size() >= kMaxSessions) {
    sessions_.erase(std::min_element(sessions_.begin(), sessions_.end(), [](auto& a, auto& b) {
      return a.second.ends < b.second.ends;
    }));
  }
  sessions_[sha256(as_bytes(token))] = {name, sha256(as_bytes(hash)), clock_.now() + lifetime_};
  TRY(save_locked());
  return token;
}

std::optional<std::string> Sessions::user_of(std::string_view token) const {
  Session session;
  {
    std::lock_guard lock(mutex_);
    auto found = sessions_.find(sha256(as_bytes(token)));
    if (found == sessions_.end() || found->second.ends <= clock_.now()) return std::nullopt;
    session = found->second;
  }
  Result<std::optional<std::string>> hash = users_.hash_of(session.user);
  if (!hash.ok()) {
    log(Level::kError, "the users of the page cannot be read",
        {{"error", hash.error().describe()}});
    return std::nullopt;
  }
  if (!*hash || sha256(as_bytes(**hash)) != session.credential) return std::nullopt;
  return session.user;
}

Result<void> Sessions::log_out(std::string_view token) {
  std::lock_guard lock(mutex_);
  if (sessions_.erase(sha256(as_bytes(token))) == 0) return ok();
  return save_locked();
}

}  // namespace lineside::seeder

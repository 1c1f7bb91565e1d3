// SPDX-License-Identifier: Apache-2.0
#include "seeder/page/users.h"

#include <argon2.h>
#include <fmt/format.h>
#include <openssl/rand.h>

#include <array>
#include <charconv>

#include "proto/trust/document.h"

namespace lineside::seeder {
namespace {

constexpr std::uint64_t kMaxFileBytes = 1ULL << 20;
constexpr std::uint32_t kMemoryKib = 1U << 16;
constexpr std::uint32_t kPasses = 3;
constexpr std::uint32_t kLanes = 4;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
// What a hash in the file may ask of the gateway at each attempt.
constexpr std::uint32_t kMaxMemoryKib = 1U << 20;
constexpr std::uint32_t kMaxPasses = 64;
constexpr std::uint32_t kMaxLanes = 64;
constexpr std::size_t kMaxEncodedBytes = 512;

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_number(std::string_view& text, std::uint32_t most) {
  std::uint32_t value = 0;
  auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (bad != std::errc() || value == 0 || value > most) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool is_base64(std::string_view text) {
  return text.size() >= 8 &&
         text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") ==
             std::string_view::npos;
}

bool is_hash(std::string_view text) {
  if (text.size() > kMaxEncodedBytes || !take(text, "$argon2id$v=19$m=")) return false;
  if (!take_number(text, kMaxMemoryKib) || !take(text, ",t=")) return false;
  if (!take_number(text, kMaxPasses) || !take(text, ",p=")) return false;
  if (!take_number(text, kMaxLanes) || !take(text, "$")) return false;
  std::size_t dollar = text.find('$');
  return dollar != std::string_view::npos && is_base64(text.substr(0, dollar)) &&
         is_base64(text.substr(dollar + 1));
}

bool is_comment(std::string_view line) {
  return line.empty() || line.front() == '#';
}

std::string_view name_in(std::string_view line) {
  return line.substr(0, line.find(' '));
}

// Calls each(line) for every line, without its end.
template <class Each>
void for_lines(std::string_view text, Each each) {
  while (!text.empty()) {
    std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    each(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

Result<std::string> read_text(const Disk& disk, const Path& file) {
  TRY_ASSIGN(auto present, disk.stat(file));
  if (!present) return std::string();
  TRY_ASSIGN(Bytes bytes, disk.read(file, kMaxFileBytes));
  return std::string(as_text(bytes));
}

Result<void> write_text(Disk& disk, const Path& file, const std::string& text) {
  if (!file.parent_path().empty()) TRY(disk.make_dirs(file.parent_path()));
  return disk.replace(file, as_bytes(text), 0600);
}

}  // namespace

Result<UserHashes> parse_users(std::string_view text, std::string_view file) {
  UserHashes users;
  std::optional<Error> wrong;
  int number = 0;
  auto refuse = [&](std::string_view what) {
    if (!wrong) wrong = Error{Code::kMalformed, fmt::format("{}:{}: {}", file, number, what)};
  };
  for_lines(text, [&](std::string_view line) {
    ++number;
    if (is_comment(line)) return;
    std::string_view name = name_in(line);
    if (!trust::is_name(name)) {
      return refuse("expected a name of the form [a-z0-9][a-z0-9._-]{0,63}, a space and a hash");
    }
    std::string_view hash = line.substr(std::min(line.size(), name.size() + 1));
    if (!is_hash(hash)) {
      return refuse(
          "expected an Argon2id hash after the name, as 'lineside-seeder user add' makes it");
    }
    if (!users.emplace(name, hash).second) refuse(fmt::format("a second line for '{}'", name));
  });
  if (wrong) return *wrong;
  return users;
}

std::string edit_users(std::string_view text, std::string_view name,
                       const std::optional<std::string>& hash) {
  std::string out;
  bool done = !hash;
  std::string fresh = hash ? fmt::format("{} {}\n", name, *hash) : "";
  for_lines(text, [&](std::string_view line) {
    if (is_comment(line) || name_in(line) != name) {
      out += fmt::format("{}\n", line);
    } else {
      out += fresh;
      done = true;
    }
  });
  return done ? out : out + fresh;
}

Result<std::string> hash_passphrase(std::string_view passphrase) {
  if (passphrase.size() < kMinPassphraseBytes || passphrase.size() > kMaxPassphraseBytes) {
    return Error{Code::kUsage,
                 fmt::format("a passphrase has {} to {} bytes: take four or five words",
                             kMinPassphraseBytes, kMaxPassphraseBytes)};
  }
  std::array<unsigned char, kSaltBytes> salt{};
  if (RAND_bytes(salt.data(), static_cast<int>(salt.size())) != 1) {
    return Error{Code::kInternal, "the system gives no random bytes"};
  }
  std::array<char, kMaxEncodedBytes> encoded{};
  int status =
      argon2id_hash_encoded(kPasses, kMemoryKib, kLanes, passphrase.data(), passphrase.size(),
                            salt.data(), salt.size(), kHashBytes, encoded.data(), encoded.size());
  if (status != ARGON2_OK) return Error{Code::kInternal, argon2_error_message(status)};
  return std::string(encoded.data());
}

bool passphrase_matches(const std::string& hash, std::string_view passphrase) {
  if (!is_hash(hash) || passphrase.size() > kMaxPassphraseBytes) return false;
  return argon2id_verify(hash.c_str(), passphrase.data(), passphrase.size()) == ARGON2_OK;
}

Users::Users(const Disk& disk, Path file) : disk_(disk), file_(std::move(file)) {}

Result<void> Users::reread() const {
  TRY_ASSIGN(auto now, disk_.stat(file_));
  bool same = now && seen_ && now->inode == seen_->inode && now->mtime_ns == seen_->mtime_ns &&
              now->size == seen_->size;
  if (same) return ok();
  TRY_ASSIGN(std::string text, read_text(disk_, file_));
  seen_.reset();  // a file that is refused is refused again
  TRY_ASSIGN(hashes_, parse_users(text, file_.string()));
  seen_ = now;
  return ok();
}

Result<std::optional<std::string>> Users::hash_of(const std::string& name) const {
  std::lock_guard lock(mutex_);
  TRY(reread());
  auto found = hashes_.find(name);
  if (found == hashes_.end()) return std::optional<std::string>();
  return std::optional<std::string>(found->second);
}

Result<void> add_user(Disk& disk, const Path& file, const std::string& name,
                      std::string_view passphrase) {
  if (!trust::is_name(name)) {
    return Error{Code::kUsage, "a name has the form [a-z0-9][a-z0-9._-]{0,63}, not '" + name + "'"};
  }
  TRY_ASSIGN(std::string text, read_text(disk, file));
  TRY(parse_users(text, file.string()));
  TRY_ASSIGN(std::string hash, hash_passphrase(passphrase));
  return write_text(disk, file, edit_users(text, name, hash));
}

Result<void> remove_user(Disk& disk, const Path& file, const std::string& name) {
  TRY_ASSIGN(std::string text, read_text(disk, file));
  TRY_ASSIGN(UserHashes users, parse_users(text, file.string()));
  if (!users.contains(name)) {
    return Error{Code::kNotFound, fmt::format("{} has no user '{}'", file.string(), name)};
  }
  return write_text(disk, file, edit_users(text, name, std::nullopt));
}

}  // namespace lineside::seeder

// SPDX-License-Identifier: Apache-2.0
// A TOML configuration file whose every mistake is reported as "FILE:LINE: what was expected".
//
// Reading marks a key as known; finish() then refuses the keys that nobody asked for, since a
// misspelt key that is silently ignored is a setting that is silently not in force.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/disk.h"
#include "proto/base/result.h"

namespace lineside {

class Config {
 public:
  // kUsage with the line for bad TOML; kNotFound; kTooLarge over 1 MiB.
  static Result<Config> load(const Disk& disk, const Path& path);
  static Result<Config> parse(std::string_view text, std::string name);
  ~Config();
  Config(Config&&) noexcept;
  Config& operator=(Config&&) noexcept;

  // Keys are dotted paths, "gateway.address". The first error is kept and returned by finish();
  // after one, the getters return the fallback. The forms without a fallback demand the key.
  std::string text(std::string_view key);
  std::string text(std::string_view key, std::string_view fallback);
  std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t min,
                       std::int64_t max);
  bool boolean(std::string_view key, bool fallback);
  // A list of strings; empty if absent.
  std::vector<std::string> texts(std::string_view key);
  // A table of strings, in the file's order of keys sorted; empty if absent.
  std::vector<std::pair<std::string, std::string>> table(std::string_view key);
  // The number of tables in the array of tables `key`; the items are "key.0.name".
  std::size_t count(std::string_view key);
  // "90s", "15m", "12h", "7d", or a bare number of seconds.
  std::chrono::seconds duration(std::string_view key, std::chrono::seconds fallback);
  [[nodiscard]] bool has(std::string_view key) const;
  // A path; a relative one is relative to the folder of the file.
  Path path(std::string_view key);
  Path path(std::string_view key, std::string_view fallback);

  // An error of the caller's own about the value of `key`, with its line; kept like a getter's.
  void refuse(std::string_view key, std::string_view expected);
  // The first error of any getter, or the first key that no getter asked for.
  Result<void> finish() const;

 private:
  struct State;
  explicit Config(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace lineside

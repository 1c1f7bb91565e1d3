// SPDX-License-Identifier: Apache-2.0
#include "delta/bundler/cli/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "proto/base/passphrase.h"
#include "proto/trust/key_file.h"
#include "proto/trust/key_uri.h"

namespace lineside::bundler::cli {

void Session::run(const std::function<Result<void>()>& work) {
  auto done = work();
  end_progress();
  if (done.ok()) return;
  tell(done.error());
  status = done.error().code == Code::kUsage ? kUsageError : kFailed;
}

void Session::tell(const Error& error) const {
  if (!json) {
    fmt::print(stderr, "lineside-bundle: {}\n", error.describe());
    return;
  }
  nlohmann::json document = {{"error", {{"code", code_name(error.code)}, {"message", error.what}}}};
  using Text = nlohmann::json::error_handler_t;
  fmt::print(stderr, "{}\n", document.dump(-1, ' ', false, Text::replace));
}

Result<std::vector<trust::PrivateKey>> load_keys(const Session& session,
                                                 const std::vector<std::string>& paths) {
  std::vector<trust::PrivateKey> keys;
  for (const std::string& path : paths) {
    TRY_ASSIGN(auto key, trust::load_key(session.disk, path, [&](const Path& file) {
                 return ask_passphrase(session.disk, "passphrase of " + file.string(), false);
               }));
    keys.push_back(std::move(key));
  }
  return keys;
}

std::vector<const trust::PrivateKey*> pointers(const std::vector<trust::PrivateKey>& keys) {
  std::vector<const trust::PrivateKey*> result;
  for (const auto& key : keys) result.push_back(&key);
  return result;
}

std::string check_key_source(const std::string& text) {
  if (trust::is_key_uri(text)) {
    auto uri = trust::parse_key_uri(text);
    return uri.ok() ? std::string() : uri.error().what;
  }
  return CLI::ExistingFile(text);
}

void print_change(const Session& session, const std::vector<std::string>& words) {
  if (session.json) return;
  for (const std::string& line : words) fmt::print("  {}\n", line);
  std::fflush(stdout);
}

std::string human_bytes(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes);
  for (const char* unit : {"kB", "MB", "GB"}) {
    value /= 1000;
    if (value < 1000) return fmt::format("{:.1f} {}", value, unit);
  }
  return fmt::format("{:.1f} TB", value / 1000);
}

void show_progress(const std::string& step, std::uint64_t done, std::uint64_t total) {
  if (::isatty(STDERR_FILENO) == 0) return;
  fmt::print(stderr, "\r\x1b[K{}: {} of {}", step, human_bytes(done), human_bytes(total));
  std::fflush(stderr);
}

void end_progress() {
  if (::isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\x1b[K");
}

}  // namespace lineside::bundler::cli

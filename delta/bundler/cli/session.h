// SPDX-License-Identifier: Apache-2.0
// What every command of lineside-bundle works with, and how it speaks.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/trust/keys.h"
#include "proto/trust/tuf/repository.h"

namespace CLI {
class App;
}

namespace lineside::bundler::cli {

// Exit statuses, the same for every command. A file or folder that a flag names and that is not
// there is wrong usage.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;      // the audit or the work failed: standard error says why
inline constexpr int kUsageError = 2;  // the flags or a file that people write are wrong
inline constexpr int kExpiring = 3;    // status: something ends within --warn-days

struct Session {
  Disk& disk;
  const Clock& clock;
  bool json = false;
  int status = kDone;

  // Runs the work of a command; an error is told and becomes an exit status.
  void run(const std::function<Result<void>()>& work);
  // One line on standard error; with --json it is {"error":{"code","message"}}.
  void tell(const Error& error) const;
};

// The private keys at `paths`, each asked for its passphrase if it is encrypted.
Result<std::vector<trust::PrivateKey>> load_keys(const Session& session,
                                                 const std::vector<std::string>& paths);
std::vector<const trust::PrivateKey*> pointers(const std::vector<trust::PrivateKey>& keys);

// What CLI11 asks of an option that names a private key; empty if it may be one.
std::string check_key_source(const std::string& text);

// How a change is told, before a passphrase is asked for: who does not want it stops here. Nothing
// with --json.
void print_change(const Session& session, const std::vector<std::string>& words);
// What clients see and what waits for signatures; a line each, or one JSON array.
Result<void> print_state(const Session& session, const trust::Repository& repository);

// "12.3 MB": for people; exact numbers are in --json.
std::string human_bytes(std::uint64_t bytes);

// One line that is redrawn on a terminal, and silence elsewhere.
void show_progress(const std::string& step, std::uint64_t done, std::uint64_t total);
void end_progress();

void add_key_commands(CLI::App& app, Session& session);
void add_root_commands(CLI::App& app, Session& session);
void add_repository_commands(CLI::App& app, Session& session);
void add_sign_command(CLI::App& app, Session& session);
void add_status_command(CLI::App& app, Session& session);
void add_bundle_commands(CLI::App& app, Session& session);
void add_pep440_command(CLI::App& app, Session& session);

}  // namespace lineside::bundler::cli

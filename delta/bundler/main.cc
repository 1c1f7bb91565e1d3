// SPDX-License-Identifier: Apache-2.0
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "delta/bundler/cli/session.h"
#include "proto/base/version.h"

using namespace lineside;

namespace {

// CLI11 says only that a command is required where one was given that it does not know.
std::string mistake(const CLI::App& app, const CLI::ParseError& error) {
  std::vector<std::string> unknown = app.remaining();
  bool no_command = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  std::string what = no_command && !unknown.empty()
                         ? "there is no command '" + unknown.front() + "'"
                         : std::string(error.what());
  return what + "; see lineside-bundle --help";
}

}  // namespace

int main(int argc, char** argv) {
  auto disk = make_posix_disk();
  SystemClock clock;
  bundler::cli::Session session{*disk, clock};

  CLI::App app(
      "Makes bundles of firmware, ML runtime, models and their inference check, and publishes "
      "them.",
      "lineside-bundle");
  app.footer(
      "Exit status: 0 done; 1 the audit or the work failed; 2 wrong usage; 3 status: something "
      "ends soon.\n"
      "Passphrases are asked on the terminal, or read from the file named by "
      "LINESIDE_PASSPHRASE_FILE,\n"
      "or from the descriptor whose number is in LINESIDE_PASSPHRASE_FD, a line for each key.");
  app.require_subcommand(1);
  app.fallthrough();
  app.add_flag("--json", session.json, "one JSON document on standard output");
  bundler::cli::add_key_commands(app, session);
  bundler::cli::add_root_commands(app, session);
  bundler::cli::add_repository_commands(app, session);
  bundler::cli::add_sign_command(app, session);
  bundler::cli::add_status_command(app, session);
  bundler::cli::add_bundle_commands(app, session);
  bundler::cli::add_pep440_command(app, session);
  app.set_version_flag("--version", std::string("lineside-bundle ") + kVersion);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    // It may not have been read before the mistake.
    for (int i = 1; i < argc; ++i) session.json |= std::string_view(argv[i]) == "--json";
    session.tell({Code::kUsage, mistake(app, error)});
    return bundler::cli::kUsageError;
  }
  return session.status;
}

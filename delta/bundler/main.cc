// SPDX-License-Identifier: Apache-2.0
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "delta/bundler/cli/session.h"

int main(int argc, char** argv) {
  using namespace lineside;
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
      "LINESIDE_PASSPHRASE_FILE.");
  app.require_subcommand(1);
  app.fallthrough();
  app.add_flag("--json", session.json, "one JSON document on standard output");
  bundler::cli::add_key_commands(app, session);
  bundler::cli::add_root_commands(app, session);
  bundler::cli::add_repository_commands(app, session);
  bundler::cli::add_bundle_commands(app, session);
  bundler::cli::add_pep440_command(app, session);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? bundler::cli::kDone : bundler::cli::kUsageError;
  }
  return session.status;
}

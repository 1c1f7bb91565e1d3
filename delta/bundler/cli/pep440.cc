// SPDX-License-Identifier: Apache-2.0
// lineside-bundle pep440
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>
#include <string>

#include "delta/bundler/cli/session.h"
#include "proto/runtime/pep440.h"

namespace lineside::bundler::cli {

void add_pep440_command(CLI::App& app, Session& session) {
  CLI::App* command = app.add_subcommand(
      "pep440", "reads SPECIFIER<TAB>VERSION lines, prints true, false or invalid for each");
  command->callback([&session] {
    session.run([] {
      std::string line;
      while (std::getline(std::cin, line)) std::cout << runtime::pep440_line(line) << '\n';
      return ok();
    });
  });
}

}  // namespace lineside::bundler::cli

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <stdio.h>

#include <CLI/CLI.hpp>
#include <functional>

#include "node/commands.h"
#include "proto/base/version.h"

namespace {

namespace node = lineside::node;

struct Flags {
  std::string config = "/etc/lineside/node.toml";
  bool json = false;
};

CLI::App* add(CLI::App& app, Flags& flags, const char* name, const char* text, bool json) {
  CLI::App* command = app.add_subcommand(name, text);
  command->add_option("-c,--config", flags.config, "Configuration file")->capture_default_str();
  if (json) command->add_flag("--json", flags.json, "Print JSON");
  return command;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "The device agent of Lineside: fetches, checks, activates and watches bundles.\n"
      "Exit status: 0 good, 1 not good, 2 wrong use or configuration, 3 another error."};
  app.set_version_flag("--version", std::string(lineside::kVersion));
  app.require_subcommand(1);
  Flags flags;
  auto* run = add(app, flags, "run", "Run the agent until SIGTERM", false);
  auto* status = add(app, flags, "status", "Version, tree, state and last check", true);
  auto* verify = add(app, flags, "verify", "Scan the disk against the signed listing", true);
  auto* check = add(app, flags, "check", "Run the inference check of the current tree", true);
  auto* key = add(app, flags, "key", "Print the device's fingerprint and public key", false);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  auto config = node::load_config(*lineside::make_posix_disk(), flags.config);
  if (!config.ok()) {
    fmt::print(stderr, "lineside-node: {}\n", config.error().what);
    return 2;
  }
  if (*run) return node::run_command(*config);
  if (*status) return node::status_command(*config, flags.json);
  if (*verify) return node::verify_command(*config, flags.json);
  if (*check) return node::check_command(*config, flags.json);
  if (*key) return node::key_command(*config);
  return 2;
}

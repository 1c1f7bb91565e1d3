// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "node/commands.h"
#include "proto/base/version.h"

namespace {

namespace node = lineside::node;
using lineside::Code;
using lineside::Error;

struct Flags {
  std::string config = "/etc/lineside/node.toml";
  bool json = false;
};

CLI::App* add(CLI::App& app, Flags& flags, const char* name, const char* text, bool json) {
  CLI::App* command = app.add_subcommand(name, text);
  command->add_option("-c,--config", flags.config, "Configuration file")->capture_default_str();
  if (json) command->add_flag("--json", flags.json, "Print JSON, errors too");
  return command;
}

std::string names_of(const CLI::App& app) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands({})) {
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  return names;
}

// What was wrong; for a command that does not exist, those that do.
Error usage_error(const CLI::App& app, const CLI::ParseError& error,
                  const std::vector<std::string>& words) {
  auto first = std::find_if(words.begin(), words.end(),
                            [](const std::string& word) { return word.rfind('-', 0) != 0; });
  if (first == words.end()) {
    return {Code::kUsage, std::string(error.what()) + "; commands are " + names_of(app)};
  }
  const std::vector<const CLI::App*> commands = app.get_subcommands({});
  if (std::none_of(commands.begin(), commands.end(),
                   [&](const CLI::App* command) { return command->get_name() == *first; })) {
    return {Code::kUsage, "no command '" + *first + "'; there are " + names_of(app)};
  }
  return {Code::kUsage, std::string(error.what()) + "; see lineside-node " + *first + " --help"};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The device agent of Lineside: fetches, checks, activates and watches bundles.",
               "lineside-node");
  app.footer(
      "Exit status, the same for all commands:\n"
      "  0  done, and all is well\n"
      "  1  it is not: NOT INFERRING, nothing confirmed, differences, a check that failed\n"
      "  2  wrong use or configuration\n"
      "  3  another error");
  app.set_version_flag("--version", std::string("lineside-node ") + lineside::kVersion);
  app.require_subcommand(1);
  Flags flags;
  auto* run = add(app, flags, "run", "Run the agent until SIGTERM", false);
  auto* status = add(app, flags, "status", "Version, tree, state and last check", true);
  auto* verify = add(app, flags, "verify", "Scan the disk against the signed listing", true);
  auto* check = add(app, flags, "check", "Run the inference check of the current tree", true);
  auto* key =
      add(app, flags, "key", "Print the device's fingerprint and public key; make the key", true);
  bool in_tpm = false;
  key->add_flag("--tpm", in_tpm, "make it in this device's TPM (P-256), before the first start");
  auto* show = add(*key, flags, "show", "Print them, and make nothing", true);
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    bool json = std::find(words.begin(), words.end(), "--json") != words.end();
    return node::fail(usage_error(app, error, words), json);
  }
  auto config = node::load_config(*lineside::make_posix_disk(), flags.config);
  if (!config.ok()) {
    // A file that is not there is as wrong as one that says nonsense.
    return node::fail({Code::kUsage, config.error().what}, flags.json);
  }
  if (*run) return node::run_command(*config);
  if (*status) return node::status_command(*config, flags.json);
  if (*verify) return node::verify_command(*config, flags.json);
  if (*check) return node::check_command(*config, flags.json);
  if (*show) return node::key_show_command(*config, flags.json);
  return node::key_command(*config, in_tpm, flags.json);
}

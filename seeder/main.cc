// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

#include <CLI/CLI.hpp>

#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/base/log.h"
#include "proto/base/passphrase.h"
#include "proto/base/service.h"
#include "proto/base/version.h"
#include "seeder/page/users.h"
#include "seeder/seeder.h"

namespace lineside::seeder {
namespace {

constexpr std::chrono::seconds kLongestEnd{2};

int fail(const Error& error) {
  std::cerr << "lineside-seeder: " << error.describe() << "\n";
  return error.code == Code::kUsage ? 2 : 1;
}

// A file that is not there is a mistake of whoever named it.
int fail_config(const Error& error) {
  int status = fail(error);
  return error.code == Code::kNotFound ? 2 : status;
}

int fail_unknown(const std::string& word) {
  const char* what = word.starts_with('-') ? "option" : "command";
  return fail({Code::kUsage, std::string("there is no ") + what + " '" + word +
                                 "'; lineside-seeder --help lists what there is"});
}

// What is missing or wrong, in our words.
int fail_usage(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* at = &app;
  std::string path = app.get_name();
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    path += " " + at->get_name();
  }
  std::string names;
  for (const CLI::App* sub : at->get_subcommands({})) {
    names += (names.empty() ? "" : ", ") + sub->get_name();
  }
  std::string what = error.what();
  if (!names.empty()) {
    what = "expected a command: " + names;
  } else if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    what = "expected a NAME";
  }
  return fail({Code::kUsage, path + ": " + what + "; " + path + " --help says more"});
}

int show_key(const Path& file, const std::string& public_file) {
  auto disk = make_posix_disk();
  Result<SeederConfig> config = load_config(*disk, file);
  if (!config.ok()) return fail_config(config.error());
  Result<trust::PrivateKey> key = gateway_key(*disk, *config);
  if (!key.ok()) return fail(key.error());
  std::cerr << "fingerprint " << key->public_key().fingerprint() << "\n";
  std::string pem = key->public_key().pem();
  if (public_file.empty()) {
    std::cout << pem;
    return 0;
  }
  Result<void> written = disk->replace(public_file, as_bytes(pem));
  return written.ok() ? 0 : fail(written.error());
}

int set_user(const Path& file, const std::string& name) {
  auto disk = make_posix_disk();
  Result<SeederConfig> config = load_config(*disk, file);
  if (!config.ok()) return fail_config(config.error());
  Result<std::optional<std::string>> passphrase =
      ask_passphrase(*disk, "Passphrase for " + name + ": ", true);
  if (!passphrase.ok()) return fail(passphrase.error());
  if (!*passphrase) {
    return fail({Code::kUsage,
                 "there is no terminal to ask for the passphrase: name a file that holds it in "
                 "LINESIDE_PASSPHRASE_FILE"});
  }
  Result<void> added = add_user(*disk, config->page_users, name, **passphrase);
  if (!added.ok()) return fail(added.error());
  std::cerr << name << " may log in (" << config->page_users.string() << ")\n";
  return 0;
}

int end_user(const Path& file, const std::string& name) {
  auto disk = make_posix_disk();
  Result<SeederConfig> config = load_config(*disk, file);
  if (!config.ok()) return fail_config(config.error());
  Result<void> removed = remove_user(*disk, config->page_users, name);
  return removed.ok() ? 0 : fail(removed.error());
}

// The sorting of a large file cannot be interrupted. What is on the disk is whole at every instant,
// so that it need not be waited for.
void end_soon() {
  std::this_thread::sleep_for(kLongestEnd);
  log(Level::kNotice, "ends in the middle of making a delivery");
  std::_Exit(0);
}

int run(const Path& file) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread, so that all inherit it
  std::signal(SIGPIPE, SIG_IGN);
  auto disk = make_posix_disk();
  SystemClock clock;
  Result<SeederConfig> config = load_config(*disk, file);
  if (!config.ok()) return fail_config(config.error());
  Result<std::unique_ptr<Seeder>> seeder = Seeder::start(*config, *disk, clock);
  if (!seeder.ok()) return fail(seeder.error());
  service::report_ready();
  int received = 0;
  sigwait(&signals, &received);
  service::report_stopping();
  std::thread(end_soon).detach();
  seeder->reset();
  return 0;
}

}  // namespace
}  // namespace lineside::seeder

int main(int argc, char** argv) {
  CLI::App app("Lineside's site gateway.", "lineside-seeder");
  app.footer("Exit status: 0 ok, 1 failed, 2 wrong flags or configuration.");
  app.set_version_flag("--version", std::string("lineside-seeder ") + lineside::kVersion);
  app.allow_extras();  // so that what is not known can be named
  app.require_subcommand(1);
  std::string config = "/etc/lineside/seeder.toml";
  CLI::App* run = app.add_subcommand("run", "Runs until SIGTERM");
  run->add_option("--config", config, "TOML file")->capture_default_str();
  CLI::App* key = app.add_subcommand("key", "Prints the gateway's public key; makes it if missing");
  key->add_option("--config", config, "TOML file")->capture_default_str();
  std::string public_file;
  key->add_option("--public", public_file, "write it to this file instead");
  CLI::App* user = app.add_subcommand("user", "Who may log in to the page");
  user->require_subcommand(1);
  std::string name;
  CLI::App* user_add = user->add_subcommand("add", "Adds a user or sets the passphrase anew");
  CLI::App* user_remove =
      user->add_subcommand("remove", "Ends a user's logins and right to log in");
  for (CLI::App* command : {user_add, user_remove}) {
    command->add_option("NAME", name, "who it is, at most 64 characters")->required();
    command->add_option("--config", config, "TOML file")->capture_default_str();
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::vector<std::string> rest = app.remaining();
    if (rest.empty()) return lineside::seeder::fail_usage(app, error);
    return lineside::seeder::fail_unknown(rest.front());
  }
  if (!app.remaining(true).empty()) {
    return lineside::seeder::fail_unknown(app.remaining(true).front());
  }
  if (run->parsed()) return lineside::seeder::run(config);
  if (user_add->parsed()) return lineside::seeder::set_user(config, name);
  if (user_remove->parsed()) return lineside::seeder::end_user(config, name);
  return lineside::seeder::show_key(config, public_file);
}

// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <iostream>

#include <CLI/CLI.hpp>

#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "seeder/seeder.h"

namespace lineside::seeder {
namespace {

int fail(const Error& error) {
  std::cerr << "lineside-seeder: " << error.describe() << "\n";
  return error.code == Code::kUsage ? 2 : 1;
}

// A file that is not there is a mistake of whoever named it.
int fail_config(const Error& error) {
  int status = fail(error);
  return error.code == Code::kNotFound ? 2 : status;
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
  int received = 0;
  sigwait(&signals, &received);
  return 0;
}

}  // namespace
}  // namespace lineside::seeder

int main(int argc, char** argv) {
  CLI::App app("Lineside's site gateway.", "lineside-seeder");
  app.footer("Exit status: 0 ok, 1 failed, 2 wrong flags or configuration.");
  app.require_subcommand(1);
  std::string config = "/etc/lineside/seeder.toml";
  CLI::App* run = app.add_subcommand("run", "Runs until SIGTERM");
  run->add_option("--config", config, "TOML file")->capture_default_str();
  CLI::App* key = app.add_subcommand("key", "Prints the gateway's public key; makes it if missing");
  key->add_option("--config", config, "TOML file")->capture_default_str();
  std::string public_file;
  key->add_option("--public", public_file, "write it to this file instead");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return run->parsed() ? lineside::seeder::run(config)
                       : lineside::seeder::show_key(config, public_file);
}

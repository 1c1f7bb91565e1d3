// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <iostream>

#include "proto/base/version.h"
#include "proto/trust/document.h"
#include "seeder/ctl/commands.h"
#include "seeder/ctl/exit_status.h"

namespace lineside::ctl {
namespace {

constexpr const char* kPassphraseHelp =
    "\n\nThe passphrase of the operator key is asked for on the terminal or read from the file "
    "named\n"
    "by LINESIDE_PASSPHRASE_FILE. With --json an error is {\"error\":{\"code\",\"message\"}} on "
    "standard\n"
    "error.";

// Everything that flags can say.
struct Flags {
  SessionOptions session;
  SiteInit init;
  Acceptance accept;
  std::string csv, device, bundle, to, soak = "30m", expires = "7d", deadline = "1h";
  std::string on_failure = "pause", attest_folder, vendor_root;
  RolloutWish wish;
  std::int64_t sequence = 0, after = 0;
  std::string folder;
  std::uint64_t bytes = 0;
  std::uint64_t lan_rate = 100'000'000 / 8;
  bool watch = false, csv_report = false;
};

Result<std::chrono::seconds> duration(const char* flag, const std::string& text) {
  Result<std::chrono::seconds> parsed = parse_duration(text);
  if (parsed.ok()) return parsed;
  return parsed.error().with(flag);
}

Result<void> finish_wish(Flags& flags) {
  TRY_ASSIGN(flags.wish.soak, duration("--soak", flags.soak));
  TRY_ASSIGN(flags.wish.expires, duration("--expires", flags.expires));
  TRY_ASSIGN(flags.wish.device_deadline, duration("--deadline", flags.deadline));
  flags.wish.on_failure =
      flags.on_failure == "rollback" ? trust::OnFailure::kRollBack : trust::OnFailure::kPause;
  return ok();
}

void add_wish(CLI::App& app, Flags& flags) {
  RolloutWish& wish = flags.wish;
  app.add_option("--canary", wish.canaries, "devices that go first (default: one a class)");
  app.add_option("--device", wish.devices, "only these devices");
  app.add_option("--group", wish.groups, "only devices of these groups");
  app.add_option("--soak", flags.soak, "wait after the last canary")->capture_default_str();
  app.add_option("--batch", wish.batch_size, "devices at a time")->capture_default_str();
  app.add_option("--failure-limit", wish.failure_limit.percent, "percent of failed devices")
      ->capture_default_str();
  app.add_option("--failure-minimum", wish.failure_limit.minimum_executed,
                 "devices that must have ended before the limit counts")
      ->capture_default_str();
  app.add_option("--on-failure", flags.on_failure, "pause or rollback")
      ->check(CLI::IsMember({"pause", "rollback"}))
      ->capture_default_str();
  app.add_option("--expires", flags.expires, "no node begins later")->capture_default_str();
  app.add_option("--deadline", flags.deadline,
                 "a device that is silent or stands still so long counts as failed")
      ->capture_default_str();
}

using Action = std::function<Result<void>(Session&, Disk&, Flags&)>;

class Program {
 public:
  Program() : app_("Lineside: the operator's program.", "lineside") {
    app_.footer(std::string(kExitStatusHelp) + kPassphraseHelp);
    app_.set_version_flag("--version", std::string("lineside ") + kVersion);
    app_.require_subcommand(1);
    app_.fallthrough();
    flags_.session.site = default_site_folder();
    app_.add_option("--site", flags_.session.site, "the operator's folder (or $LINESIDE_SITE)")
        ->capture_default_str();
    app_.add_option("--gateway", flags_.session.gateway, "IP:port instead of the folder's");
    app_.add_flag("--json", flags_.session.json, "one JSON value instead of tables");
    app_.add_flag("--yes,-y", flags_.session.yes, "sign without asking");
    app_.add_option("--vendor-root", flags_.vendor_root, "the vendor's root.json; remembered");
    add_site();
    add_roster();
    add_rollout();
    add_views();
  }

  int run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::Success& help) {
      return app_.exit(help);
    } catch (const CLI::ParseError& error) {
      std::vector<std::string> words(argv + 1, argv + argc);
      bool json = std::find(words.begin(), words.end(), "--json") != words.end();
      std::cerr << error_line(code_name(Code::kUsage), usage_text(error), json);
      return kExitUsage;
    }
    auto disk = make_posix_disk();
    SystemClock clock;
    Session session(*disk, clock, flags_.session, std::cout, std::cerr);
    Result<void> done = perform(session, *disk);
    if (!done.ok()) {
      const Error& error = done.error();
      std::cerr << error_line(code_name(error.code), error.what, flags_.session.json);
      return exit_status(error.code);
    }
    if (!session.attention()) return kExitOk;
    std::cerr << error_line("attention", *session.attention(), flags_.session.json);
    return kExitAttention;
  }

 private:
  // What was wrong, and for a command that does not exist those that do.
  std::string usage_text(const CLI::ParseError& error) {
    CLI::App* at = &app_;
    while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
    std::vector<std::string> names;
    for (const CLI::App* sub : at->get_subcommands({})) names.push_back(sub->get_name());
    if (names.empty()) return std::string(error.what()) + "; see " + at->get_name() + " --help";
    std::vector<std::string> rest = app_.remaining(true);
    auto word = std::find_if(rest.begin(), rest.end(),
                             [](const std::string& text) { return !text.starts_with('-'); });
    std::string text = word == rest.end() ? std::string(error.what())
                                          : at->get_name() + " has no command '" + *word + "'";
    text += "; there are: ";
    for (const std::string& name : names) text += (name == names.front() ? "" : ", ") + name;
    return text;
  }

  CLI::App* command(CLI::App& parent, const char* name, const char* text, Action action,
                    bool loads = true) {
    CLI::App* sub = parent.add_subcommand(name, text);
    sub->callback([this, action = std::move(action), loads] {
      action_ = action;
      loads_ = loads;
    });
    return sub;
  }

  Result<void> perform(Session& session, Disk& disk) {
    TRY(finish_wish(flags_));
    if (loads_) TRY(session.load());
    if (!flags_.vendor_root.empty() && loads_) TRY(session.trust_vendor(flags_.vendor_root));
    return action_(session, disk, flags_);
  }

  void add_site() {
    CLI::App* site = app_.add_subcommand("site", "The site itself");
    site->require_subcommand(1);
    CLI::App* init = command(
        *site, "init", "Makes operator key, site root and first roster",
        [](Session& session, Disk& disk, Flags& flags) -> Result<void> {
          flags.init.gateway = flags.session.gateway;
          flags.init.vendor_root = flags.vendor_root;
          return site_init(disk, session, flags.init);
        },
        false);
    init->add_option("--name", flags_.init.name, "[a-z0-9][a-z0-9._-]*")->required();
    init->add_option("--gateway-key", flags_.init.gateway_key, "PEM from `lineside-seeder key`")
        ->required();
    init->add_flag("--no-passphrase", flags_.init.no_passphrase, "leave the operator key plain");
  }

  void add_roster() {
    command(app_, "nodes", "Who belongs to the site, and who asks to",
            [](Session& session, Disk&, Flags&) { return nodes(session); });
    CLI::App* take = command(app_, "accept", "Takes a waiting device into the roster",
                             [](Session& session, Disk& disk, Flags& flags) -> Result<void> {
                               if (flags.csv.empty()) return accept(session, {flags.accept});
                               TRY_ASSIGN(Bytes csv, disk.read(flags.csv, 4ULL << 20));
                               TRY_ASSIGN(std::vector<Acceptance> wishes,
                                          parse_acceptances(as_text(csv), flags.csv));
                               return accept(session, wishes);
                             });
    take->add_option("device", flags_.accept.device);
    take->add_option("--fingerprint", flags_.accept.fingerprint, "as the device itself shows it");
    take->add_option("--hardware", flags_.accept.hardware, "classes (default: what it claims)");
    take->add_option("--group", flags_.accept.groups);
    take->add_flag("--canary", flags_.accept.canary, "may be named as canary");
    take->add_option("--csv", flags_.csv,
                     "file of DEVICE,FINGERPRINT[,canary][,group=G]…[,hardware=H]…")
        ->check(CLI::ExistingFile);
    command(app_, "revoke", "Takes a device out of the roster",
            [](Session& session, Disk&, Flags& flags) { return revoke(session, flags.device); })
        ->add_option("device", flags_.device)
        ->required();
  }

  void add_rollout() {
    command(app_, "refresh", "Makes the gateway ask the origin now",
            [](Session& session, Disk&, Flags&) { return refresh(session); });
    command(app_, "bundles", "What the vendor offers",
            [](Session& session, Disk&, Flags&) { return bundles(session); });
    CLI::App* stick =
        command(app_, "import", "Takes bundles from a folder on the gateway's machine",
                [](Session& session, Disk&, Flags& flags) {
                  return import(session, flags.folder, flags.bundle);
                });
    stick->add_option("folder", flags_.folder, "the vendor's repository, e.g. a USB stick's")
        ->required();
    stick->add_option("--bundle", flags_.bundle,
                      "NAME/VERSION (default: the newest release of each)");
    CLI::App* more = command(app_, "allow", "Lets more bytes across the WAN than the budget",
                             [](Session& session, Disk&, Flags& flags) {
                               return allow(session, flags.bundle, flags.bytes);
                             });
    more->add_option("bundle", flags_.bundle, "NAME/VERSION")->required();
    more->add_option("bytes", flags_.bytes, "how many more")->required();
    CLI::App* look = command(app_, "plan", "What a rollout would do, before anything moves",
                             [](Session& session, Disk&, Flags& flags) {
                               return plan(session, flags.bundle, flags.wish, flags.lan_rate);
                             });
    look->add_option("bundle", flags_.bundle, "NAME/VERSION")->required();
    look->add_option("--lan-rate", flags_.lan_rate, "bytes a second of a node's link")
        ->capture_default_str();
    add_wish(*look, flags_);
    CLI::App* rollout = app_.add_subcommand("rollout", "Rolls out a bundle");
    rollout->require_subcommand(1);
    CLI::App* begin = command(*rollout, "start", "Signs a directive for a bundle",
                              [](Session& session, Disk&, Flags& flags) {
                                return rollout_start(session, flags.bundle, flags.wish);
                              });
    begin->add_option("bundle", flags_.bundle, "NAME/VERSION")->required();
    begin->add_flag("--replace", flags_.wish.replace, "end a running rollout as superseded");
    add_wish(*begin, flags_);
    begin->add_flag("--skip-refused", flags_.wish.skip_refused,
                    "leave out the devices that `plan` says cannot take it");
    CLI::App* back = command(*rollout, "rollback", "Signs a directive for the last good bundle",
                             [](Session& session, Disk&, Flags& flags) {
                               return rollout_rollback(session, flags.to, flags.wish);
                             });
    back->add_option("--to", flags_.to,
                     "NAME/VERSION (default: the newest other one whose rollout ended well)");
    add_wish(*back, flags_);
    for (const char* verb : {"pause", "resume", "abort"}) {
      command(*rollout, verb, "The present rollout",
              [verb](Session& session, Disk&, Flags&) { return rollout_command(session, verb); });
    }
    add_report(*rollout);
    command(*rollout, "status", "Like `lineside status`",
            [](Session& session, Disk&, Flags&) { return status(session); });
    command(*rollout, "watch", "Follows the rollout to its end",
            [](Session& session, Disk&, Flags&) {
              return watch(session, {::isatty(STDOUT_FILENO) != 0, true});
            });
  }

  void add_report(CLI::App& parent) {
    CLI::App* made =
        command(parent, "report", "Where each byte came from, and what stands on each disk",
                [](Session& session, Disk&, Flags& flags) {
                  return report(session, flags.sequence, flags.csv_report);
                });
    made->add_option("sequence", flags_.sequence, "of an earlier directive");
    made->add_flag("--csv", flags_.csv_report, "a line a device, for spreadsheets");
  }

  void add_views() {
    command(app_, "status", "The site now", [](Session& session, Disk&, Flags& flags) {
      if (!flags.watch) return status(session);
      return watch(session, {::isatty(STDOUT_FILENO) != 0, false});
    })->add_flag("--watch,-w", flags_.watch, "redraw until interrupted");
    add_report(app_);
    command(app_, "events", "The gateway's log of decisions",
            [](Session& session, Disk&, Flags& flags) { return events(session, flags.after); })
        ->add_option("--after", flags_.after);
    CLI::App* evidence = app_.add_subcommand("attest", "What the canaries signed");
    evidence->require_subcommand(1);
    command(*evidence, "verify", "Verifies it here",
            [](Session& session, Disk&, Flags&) { return attest(session, std::nullopt); });
    command(*evidence, "export", "Writes the verified envelopes to a folder",
            [](Session& session, Disk&, Flags& flags) {
              return attest(session, Path(flags.attest_folder));
            })
        ->add_option("folder", flags_.attest_folder)
        ->required();
  }

  CLI::App app_;
  Flags flags_;
  Action action_;
  bool loads_ = true;
};

}  // namespace
}  // namespace lineside::ctl

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  return lineside::ctl::Program().run(argc, argv);
}

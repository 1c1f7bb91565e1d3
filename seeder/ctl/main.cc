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
    "\n\nThe passphrase or PIN of the operator key is asked for on the terminal or read from the "
    "file\n"
    "named by LINESIDE_PASSPHRASE_FILE or the descriptor LINESIDE_PASSPHRASE_FD. With --json an "
    "error is {\"error\":{\"code\",\"message\"}} on "
    "standard\n"
    "error.";

// Everything that flags can say.
struct Flags {
  SessionOptions session;
  SiteInit init;
  Acceptance accept;
  std::string csv, device, bundle, to, soak = "30m", expires = "7d", deadline = "1h";
  std::string on_failure = "pause", attest_folder, attest_format = "dsse", vendor_root;
  RolloutWish wish;
  std::int64_t sequence = 0, after = 0;
  std::string folder;
  std::uint64_t bytes = 0;
  std::uint64_t lan_rate = 100'000'000 / 8;
  bool watch = false, csv_report = false, older = false;
  OperatorChange operators;
  GatewayChange gateway;
  KeyWish key;
  std::string join_root, draft, draft_key;
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
    init->add_option("--operator-name", flags_.init.operator_name, "how others know this operator");
    init->add_option("--other-operator", flags_.init.other_operators,
                     "public key (.pub) of another operator; once for each")
        ->allow_extra_args(false)
        ->check(CLI::ExistingFile);
    init->add_option("--threshold", flags_.init.threshold, "how many operators must sign")
        ->check(CLI::Range(1, 32))
        ->capture_default_str();
    add_key_source(*init);
    CLI::App* join = command(
        *site, "join", "Makes the folder of another operator of this site",
        [](Session& session, Disk& disk, Flags& flags) -> Result<void> {
          flags.init.gateway = flags.session.gateway;
          flags.init.vendor_root = flags.vendor_root;
          return site_join(disk, session, flags.init, flags.join_root);
        },
        false);
    join->add_option("--name", flags_.init.name, "as the roster calls the site")->required();
    join->add_option("--root", flags_.join_root, "the newest site root, fully signed")->required();
    join->add_option("--gateway-key", flags_.init.gateway_key, "PEM from `lineside-seeder key`")
        ->required();
    add_key_source(*join);
    add_operators(*site);
    add_signing();
  }

  void add_key_source(CLI::App& app) {
    app.add_option(
        "--operator-key", flags_.init.operator_key,
        "the operator's own key, a file or pkcs11:token=…;object=… (default: a new one)");
  }

  void add_operators(CLI::App& site) {
    CLI::App* change = command(site, "operators", "Drafts the next site root: other operators",
                               [](Session& session, Disk&, Flags& flags) {
                                 return site_operators(session, flags.operators);
                               });
    change->add_option("--add", flags_.operators.add, "public key (.pub); once for each")
        ->allow_extra_args(false)
        ->check(CLI::ExistingFile);
    change->add_option("--remove", flags_.operators.remove, "name or fingerprint; once for each")
        ->allow_extra_args(false);
    change->add_option("--threshold", flags_.operators.threshold, "how many must sign")
        ->check(CLI::Range(1, 32));
    change->add_option("--days", flags_.operators.days, "how long the root is valid")
        ->check(CLI::Range(1, 36500))
        ->capture_default_str();
    CLI::App* gateway = command(site, "gateway", "Signs a roster with the key of a new gateway",
                                [](Session& session, Disk&, Flags& flags) {
                                  flags.gateway.address = flags.session.gateway;
                                  return replace_gateway(session, flags.gateway);
                                });
    gateway->add_option("--gateway-key", flags_.gateway.key, "PEM from `lineside-seeder key`")
        ->required();
    gateway->add_flag("--keep", flags_.gateway.keep_old, "the old gateway stays as well");
  }

  void add_signing() {
    CLI::App* sign = command(
        app_, "sign", "Says what a draft changes, and adds a signature",
        [](Session& session, Disk&, Flags& flags) {
          return sign_draft(session, flags.draft, flags.draft_key);
        },
        false);
    sign->add_option("draft", flags_.draft, "a roster, directive or site root")
        ->required()
        ->check(CLI::ExistingFile);
    sign->add_option("--key", flags_.draft_key, "file or key URI instead of the folder's");
    CLI::App* submit = command(
        app_, "submit", "Hands a fully signed draft to the gateway",
        [](Session& session, Disk&, Flags& flags) {
          return submit_draft(session, flags.draft, flags.wish.replace);
        },
        false);
    submit->add_option("draft", flags_.draft)->required()->check(CLI::ExistingFile);
    submit->add_flag("--replace", flags_.wish.replace, "end a running rollout as superseded");
    CLI::App* key = app_.add_subcommand("key", "Operators' keys");
    key->require_subcommand(1);
    CLI::App* make = command(
        *key, "generate", "A new private key, and FILE.pub beside it",
        [](Session& session, Disk& disk, Flags& flags) {
          return key_generate(disk, session, flags.key);
        },
        false);
    make->add_option("file", flags_.key.file)->required();
    make->add_flag("--p256", flags_.key.p256, "ECDSA P-256 instead of Ed25519");
    make->add_flag("--no-passphrase", flags_.key.no_passphrase, "leave the file unencrypted");
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
    CLI::App* roster = app_.add_subcommand("roster", "The roster as a document");
    roster->require_subcommand(1);
    command(*roster, "sign", "Signs the last roster anew, after the operators were rotated",
            [](Session& session, Disk&, Flags& flags) {
              return roster_sign(session, flags.older ? IfOlder::kSign : IfOlder::kRefuse);
            })
        ->add_flag("--older", flags_.older, "although the gateway held a newer one");
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
    CLI::App* writing = command(
        *evidence, "export", "Writes what was verified to a folder",
        [](Session& session, Disk&, Flags& flags) {
          return attest(session, AttestExport{flags.attest_folder, flags.attest_format != "dsse"});
        });
    writing->add_option("folder", flags_.attest_folder)->required();
    writing->add_option("--format", flags_.attest_format, "dsse, or sigstore-bundle (v0.3)")
        ->check(CLI::IsMember({"dsse", "sigstore-bundle"}))
        ->capture_default_str();
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

// SPDX-License-Identifier: Apache-2.0
#include "seeder/ctl/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <thread>

#include "proto/base/passphrase.h"
#include "proto/http/fetcher.h"
#include "proto/http/target.h"
#include "proto/trust/tuf/trusted_set.h"
#include "proto/trust/tuf/updater.h"

namespace lineside::ctl {

std::string bundle_name(std::string name) {
  if (!name.ends_with(".json")) name += ".json";
  return name;
}

namespace {

// The gateway never makes anybody wait for the origin: whoever wants to, asks again.
constexpr int kAsks = 15;

Result<Bytes> ask_plan(Gateway& gateway, const std::string& bundle) {
  std::string target = "/v1/plan?bundle=" + http::encode_path(bundle);
  Result<Bytes> plan = gateway.get(target);
  for (int i = 1; i < kAsks && !plan.ok() && plan.error().code == Code::kTimeout; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    plan = gateway.get(target);
  }
  return plan;
}

// What the gateway shows was signed by others than the operators that this folder knows: there was
// a rotation that one of the two has not heard of, or the gateway is not to be trusted.
Error foreign(const Error& refusal, const SiteFolder& folder) {
  if (refusal.code != Code::kBadSignature) return refusal;
  return {refusal.code,
          fmt::format("{}. The gateway shows what no operator by {}.root.json of this folder "
                      "signed. If the operators were rotated, put the newer root beside it in {}; "
                      "if the gateway has not heard of it, put it beside the gateway's 1.root.json "
                      "and restart the gateway. Otherwise do not trust this gateway",
                      refusal.what, folder.root_version(), folder.dir().string())};
}

}  // namespace

Session::Session(Disk& disk, Clock& clock, SessionOptions options, std::ostream& out,
                 std::ostream& notes)
    : disk_(disk),
      clock_(clock),
      options_(std::move(options)),
      out_(out),
      notes_(notes),
      folder_(disk, options_.site) {}

Result<void> Session::load() {
  return folder_.load(now());
}

Result<void> Session::trust_vendor(const Path& root) {
  TRY_ASSIGN(Bytes bytes, disk_.read(root, 4ULL << 20));
  return folder_.trust_vendor(bytes);
}

Result<const trust::PrivateKey*> Session::key() {
  if (!key_) {
    TRY_ASSIGN(key_, folder_.operator_key([this](const Path& path) {
      return ask_passphrase(disk_, "passphrase of " + path.string() + ": ", false);
    }));
  }
  return &*key_;
}

Result<trust::PrivateKey> Session::load_key(const std::string& source) {
  return trust::load_key(disk_, source, [this](const Path& path) {
    return ask_passphrase(disk_, "passphrase of " + path.string() + ": ", false);
  });
}

Result<Gateway*> Session::gateway() {
  if (!gateway_) {
    TRY_ASSIGN(const trust::PrivateKey* own, key());
    TRY_ASSIGN(trust::PublicKey pinned, folder_.gateway_key());
    std::string address = options_.gateway.empty() ? folder_.gateway() : options_.gateway;
    TRY_ASSIGN(gateway_, Gateway::connect(address, pinned, *own));
  }
  return &*gateway_;
}

Result<seeder::SiteStatus> Session::status(std::int64_t sequence) {
  TRY_ASSIGN(Gateway * server, gateway());
  std::string target = "/v1/status";
  if (sequence != 0) target += fmt::format("?sequence={}", sequence);
  TRY_ASSIGN(Bytes body, server->get(target));
  return seeder::parse_site_status(body);
}

Result<trust::VerifiedRoster> Session::roster() {
  TRY_ASSIGN(Gateway * server, gateway());
  TRY_ASSIGN(auto kept, folder_.roster());
  Result<Bytes> shown = server->get("/v1/roster");
  if (!shown.ok() && shown.error().code == Code::kNotFound && kept) {
    TRY(server->post("/v1/roster", kept->envelope));
    return *kept;
  }
  if (!shown.ok() && shown.error().code == Code::kNotFound) {
    return shown.error().with(
        "the gateway holds no roster that this site's operators signed; after a rotation sign the "
        "last one anew with `lineside roster sign`");
  }
  if (!shown.ok()) return shown.error();
  std::int64_t at_least = kept ? kept->roster.version : 1;
  auto roster = trust::verify_roster(*shown, folder_.operators(), folder_.name(), at_least);
  if (!roster.ok()) return foreign(roster.error(), folder_);
  TRY(folder_.keep_roster(*shown));
  return roster;
}

Result<std::optional<trust::VerifiedDirective>> Session::directive() {
  TRY_ASSIGN(Gateway * server, gateway());
  TRY_ASSIGN(auto kept, folder_.directive());
  Result<Bytes> shown = server->get("/v1/directive");
  if (!shown.ok() && shown.error().code == Code::kNotFound) return kept;
  if (!shown.ok()) return shown.error();
  std::int64_t at_least = kept ? kept->directive.sequence : 1;
  auto directive = trust::verify_directive(*shown, folder_.operators(), folder_.name(), at_least);
  if (!directive.ok()) return foreign(directive.error(), folder_);
  TRY(folder_.keep_directive(*shown));
  return std::optional<trust::VerifiedDirective>(std::move(directive).value());
}

Result<CheckedBundle> Session::bundle(const std::string& name) {
  TRY_ASSIGN(auto root, disk_.stat(folder_.vendor_dir() / "root.json"));
  if (!root) {
    return Error{Code::kUsage,
                 "the vendor's root is not known here: give --vendor-root FILE once, "
                 "from a source that is not the gateway"};
  }
  TRY_ASSIGN(Gateway * server, gateway());
  CheckedBundle checked;
  TRY_ASSIGN(Bytes plan, ask_plan(*server, name));
  TRY_ASSIGN(checked.plan, seeder::parse_plan(plan));
  TRY_ASSIGN(http::Client metadata_client, server->below("v1/vendor/metadata/"));
  TRY_ASSIGN(http::Client target_client, server->below("v1/vendor/targets/"));
  http::HttpFetcher metadata(metadata_client);
  http::HttpFetcher targets(target_client);
  trust::Updater updater(disk_, folder_.vendor_dir(), metadata, now());
  TRY(updater.load());
  TRY(updater.refresh());
  TRY_ASSIGN(auto info, updater.find(name));
  if (!info) return Error{Code::kNotFound, "the vendor does not list " + name};
  TRY_ASSIGN(Bytes bytes, updater.download(*info, targets));
  checked.digest = sha256(bytes);
  TRY_ASSIGN(checked.manifest, trust::parse_manifest(bytes));
  if (checked.manifest.target_name() != name) {
    return Error{Code::kMismatch, name + " calls itself " + checked.manifest.target_name()};
  }
  return checked;
}

Result<void> Session::confirm(const std::vector<std::string>& words, bool ask) {
  for (const std::string& line : words) notes_ << "  " << line << "\n";
  if (options_.yes || !ask) return ok();
  if (::isatty(STDIN_FILENO) == 0) {
    return Error{Code::kUsage, "nobody to ask whether to sign this: give --yes"};
  }
  notes_ << "Sign this? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "yes") return ok();
  return Error{Code::kCancelled, "not signed"};
}

// An answer can be lost after the gateway has acted: then it is asked what it holds.
Result<void> Session::hand_over(const std::string& target, const std::string& shown_at,
                                BytesView envelope) {
  TRY_ASSIGN(Gateway * server, gateway());
  Result<Bytes> posted = server->post(target, envelope);
  if (posted.ok()) return ok();
  Code code = posted.error().code;
  if (code != Code::kNetwork && code != Code::kTimeout) return posted.error();
  return settle_post(posted.error(), server->get(shown_at), envelope);
}

namespace {

Result<void> kept_here(const Result<void>& kept) {
  if (kept.ok()) return ok();
  return kept.error().with(
      "the gateway holds it, so do not give the command again; the copy in the site folder was not "
      "written");
}

}  // namespace

Result<trust::tuf::Root> Session::site_root() const {
  TRY_ASSIGN(Bytes bytes, folder_.root());
  return trust::tuf::parse_root(bytes);
}

Result<Signed> Session::keep_draft(std::string what, const std::string& file, BytesView envelope,
                                   std::string_view type) {
  TRY_ASSIGN(trust::tuf::Root root, site_root());
  Signed made{std::move(what), false, folder_.draft(file), envelope_state(envelope, type, root)};
  TRY(folder_.keep_draft(made.draft, envelope));
  return made;
}

Result<Signed> Session::sign_roster(const trust::Roster& roster,
                                    const std::vector<std::string>& words, bool ask) {
  TRY(confirm(words, ask));
  TRY_ASSIGN(const trust::PrivateKey* own, key());
  TRY_ASSIGN(Bytes envelope, trust::seal(trust::kRosterType, trust::serialise(roster), {own}));
  std::string what = fmt::format("roster {}", roster.version);
  if (folder_.operators().threshold > 1) {
    return keep_draft(what, fmt::format("roster-{}.dsse.json", roster.version), envelope,
                      trust::kRosterType);
  }
  TRY(submit_roster(envelope));
  return Signed{what, true, {}, {}};
}

Result<void> Session::submit_roster(BytesView envelope) {
  TRY_ASSIGN(auto kept, folder_.roster());
  TRY(trust::verify_roster(envelope, folder_.operators(), folder_.name(),
                           kept ? kept->roster.version : 1));
  TRY(hand_over("/v1/roster", "/v1/roster", envelope));
  return kept_here(folder_.keep_roster(envelope));
}

Result<void> Session::submit_root(BytesView bytes) {
  TRY_ASSIGN(Bytes present, folder_.root());
  TRY_ASSIGN(auto chain, trust::tuf::TrustedSet::start(present, now()));
  TRY(chain.update_root(bytes));
  const trust::tuf::Root& next = chain.root().file;
  trust::Authority operators{{}, next.roles.at("targets").threshold};
  for (const std::string& keyid : next.roles.at("targets").keyids) {
    auto found = next.keys.find(keyid);
    if (found != next.keys.end()) operators.keys.push_back(found->second);
  }
  TRY_ASSIGN(auto kept, folder_.roster());
  if (kept && !trust::verify_roster(kept->envelope, operators, folder_.name(), 1).ok()) {
    return Error{Code::kConflict,
                 fmt::format("roster {} would not hold under site root {}: no device would accept "
                             "it. Submit a roster first that the old and the new operators signed",
                             kept->roster.version, next.version)};
  }
  TRY_ASSIGN(Gateway * server, gateway());
  TRY(server->post("/v1/site/root", bytes));
  TRY(kept_here(folder_.keep_root(next.version, bytes)));
  return folder_.load(now());
}

// The gateway refuses it too; here it is found out before a signature exists.
Result<void> Session::check_running(bool replace) {
  if (replace) return ok();
  TRY_ASSIGN(seeder::SiteStatus now, status());
  if (!now.rollout || seeder::stage_has_ended(now.rollout->stage)) return ok();
  return Error{Code::kConflict,
               fmt::format("rollout {} of {} is still running ({}): wait for its end, `lineside "
                           "rollout abort`, or give --replace to end it as superseded",
                           now.rollout->sequence, now.rollout->bundle,
                           now.rollout->paused ? "paused" : now.rollout->stage)};
}

Result<Signed> Session::sign_directive(const trust::Directive& directive,
                                       const std::vector<std::string>& words, bool replace) {
  TRY(check_running(replace));
  TRY(confirm(words, true));
  TRY_ASSIGN(const trust::PrivateKey* own, key());
  TRY_ASSIGN(Bytes envelope,
             trust::seal(trust::kDirectiveType, trust::serialise(directive), {own}));
  std::string what = fmt::format("directive {}", directive.sequence);
  if (folder_.operators().threshold > 1) {
    return keep_draft(what, fmt::format("directive-{}.dsse.json", directive.sequence), envelope,
                      trust::kDirectiveType);
  }
  TRY(submit_directive(envelope, replace));
  return Signed{what, true, {}, {}};
}

Result<void> Session::submit_directive(BytesView envelope, bool replace) {
  TRY_ASSIGN(auto kept, folder_.directive());
  TRY(trust::verify_directive(envelope, folder_.operators(), folder_.name(),
                              kept ? kept->directive.sequence : 1));
  TRY(check_running(replace));
  TRY(hand_over(replace ? "/v1/directive?replace=true" : "/v1/directive", "/v1/directive",
                envelope));
  return kept_here(folder_.keep_directive(envelope));
}

}  // namespace lineside::ctl

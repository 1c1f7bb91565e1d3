// SPDX-License-Identifier: Apache-2.0
// Commands on the site itself: its folder, its operators, their keys.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "proto/base/passphrase.h"
#include "proto/trust/key_file.h"
#include "proto/trust/key_uri.h"
#include "proto/trust/tuf/describe.h"
#include "seeder/ctl/commands.h"

namespace lineside::ctl {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxRootBytes = 4ULL << 20;

Result<trust::PublicKey> read_public_key(const Disk& disk, const std::string& path) {
  Result<Bytes> pem = disk.read(path, 64 * 1024);
  if (!pem.ok()) return Error{Code::kUsage, pem.error().what};
  Result<trust::PublicKey> key = trust::PublicKey::from_pem(as_text(*pem));
  if (!key.ok()) return Error{Code::kUsage, path + ": " + key.error().what};
  return key;
}

Result<std::vector<std::pair<std::string, trust::PublicKey>>> read_named_keys(
    const Disk& disk, const std::vector<std::string>& paths) {
  std::vector<std::pair<std::string, trust::PublicKey>> keys;
  for (const std::string& path : paths) {
    TRY_ASSIGN(trust::PublicKey key, read_public_key(disk, path));
    keys.emplace_back(trust::key_name(path), std::move(key));
  }
  return keys;
}

Result<std::optional<Bytes>> read_vendor_root(const Disk& disk, const Path& path) {
  if (path.empty()) return std::optional<Bytes>();
  Result<Bytes> root = disk.read(path, kMaxRootBytes);
  if (!root.ok()) return Error{Code::kUsage, "--vendor-root: " + root.error().what};
  return std::optional<Bytes>(std::move(root).value());
}

Result<std::string> new_passphrase(const Disk& disk, const std::string& what) {
  TRY_ASSIGN(auto passphrase, ask_passphrase(disk, "passphrase for " + what, true));
  if (passphrase) return *passphrase;
  return Error{Code::kUsage, what +
                                 " needs a passphrase (terminal, LINESIDE_PASSPHRASE_FILE or "
                                 "LINESIDE_PASSPHRASE_FD); --no-passphrase leaves it plain"};
}

// A key that the operator brings stays where it is.
Result<void> bring_key(Session& session, const SiteInit& init, NewSite& site,
                       std::optional<trust::PrivateKey>& own) {
  if (init.operator_key.empty()) return ok();
  TRY_ASSIGN(own, session.load_key(init.operator_key));
  site.own = &*own;
  site.operator_key = trust::is_key_uri(init.operator_key)
                          ? init.operator_key
                          : std::filesystem::absolute(init.operator_key).string();
  return ok();
}

json init_json(const SiteInit& init, const Path& dir, const Path& root, const trust::PublicKey& own,
               const trust::PublicKey& gateway) {
  return {{"site", init.name},
          {"folder", dir.string()},
          {"site_root", root.string()},
          {"operator", own.fingerprint()},
          {"gateway", gateway.fingerprint()}};
}

}  // namespace

Result<void> site_init(Disk& disk, Session& session, const SiteInit& init) {
  TRY_ASSIGN(trust::PublicKey key, read_gateway_key(disk, init.gateway_key));
  NewSite site{init.name, init.gateway, key, std::nullopt, std::nullopt};
  TRY_ASSIGN(site.vendor_root, read_vendor_root(disk, init.vendor_root));
  TRY_ASSIGN(site.others, read_named_keys(disk, init.other_operators));
  site.threshold = init.threshold;
  if (!init.operator_name.empty()) site.operator_name = init.operator_name;
  TRY(session.folder().check_new(site, session.now()));
  std::optional<trust::PrivateKey> brought;
  TRY(bring_key(session, init, site, brought));
  if (!brought && !init.no_passphrase) {
    TRY_ASSIGN(site.passphrase, new_passphrase(disk, "the new operator key"));
  }
  TRY_ASSIGN(trust::PublicKey own, session.folder().create(site, session.now()));
  const Path& dir = session.folder().dir();
  const bool waits = init.threshold > 1;
  Path root = waits ? session.folder().draft("1.root.json") : dir / "1.root.json";
  if (session.json()) {
    session.out() << init_json(init, dir, root, own, key).dump() << "\n";
    return ok();
  }
  session.out() << fmt::format(
      "site {} in {}\n  operator key  {}\n  gateway key   {}\n"
      "  site root     {}  ({})\n",
      init.name, dir.string(), own.fingerprint(), key.fingerprint(), root.string(),
      waits ? "other operators sign it and roster-1.dsse.json: lineside sign FILE, lineside submit"
            : "copy it to the gateway and to every node");
  return ok();
}

Result<void> site_join(Disk& disk, Session& session, const SiteInit& init, const Path& root) {
  TRY_ASSIGN(trust::PublicKey key, read_gateway_key(disk, init.gateway_key));
  NewSite site{init.name, init.gateway, key, std::nullopt, std::nullopt};
  TRY_ASSIGN(site.vendor_root, read_vendor_root(disk, init.vendor_root));
  Result<Bytes> bytes = disk.read(root, kMaxRootBytes);
  if (!bytes.ok()) return Error{Code::kUsage, "--root: " + bytes.error().what};
  TRY(session.folder().check_new(site, session.now()));
  std::optional<trust::PrivateKey> own;
  TRY(bring_key(session, init, site, own));
  if (!own) return Error{Code::kUsage, "--operator-key: expected the operator's own key"};
  TRY_ASSIGN(trust::PublicKey known, session.folder().join(site, *bytes, session.now()));
  const Path& dir = session.folder().dir();
  session.out() << (session.json() ? init_json(init, dir, root, known, key).dump()
                                   : fmt::format("site {} in {}\n  operator key  {}", init.name,
                                                 dir.string(), known.fingerprint()))
                << "\n";
  return ok();
}

Result<void> key_generate(Disk& disk, Session& session, const KeyWish& wish) {
  const Path file(wish.file);
  const std::string public_file = wish.file + ".pub";
  TRY_ASSIGN(auto taken, disk.stat(public_file));
  if (taken) return Error{Code::kExists, public_file + " exists"};
  std::optional<std::string> passphrase;
  if (!wish.no_passphrase) {
    TRY_ASSIGN(passphrase, new_passphrase(disk, file.string()));
  }
  TRY_ASSIGN(auto key, trust::PrivateKey::generate(wish.p256 ? trust::Scheme::kEcdsaP256Sha256
                                                             : trust::Scheme::kEd25519));
  TRY(trust::save_key(disk, file, key, passphrase));
  TRY(disk.replace(public_file, as_bytes(key.public_key().pem())));
  std::string print = key.public_key().fingerprint();
  session.out() << (session.json() ? json{{"key", wish.file}, {"fingerprint", print}}.dump()
                                   : fmt::format("{}  {}", wish.file, print))
                << "\n";
  return ok();
}

namespace {

// The present operators as the flags change them.
Result<trust::RootSpec> next_spec(const Disk& disk, const trust::tuf::Root& root,
                                  const OperatorChange& change) {
  trust::RootSpec spec;
  spec.names = root.names;
  trust::RoleKeys operators{{}, root.roles.at("targets").threshold};
  std::vector<std::string> gone = change.remove;
  for (const std::string& keyid : root.roles.at("targets").keyids) {
    auto key = root.keys.find(keyid);
    if (key == root.keys.end()) continue;
    auto named = std::find_if(gone.begin(), gone.end(), [&](const std::string& text) {
      return text == trust::tuf::name_of(root, keyid) || text == key->second.fingerprint();
    });
    if (named == gone.end()) {
      operators.keys.push_back(key->second);
    } else {
      gone.erase(named);
    }
  }
  if (!gone.empty()) {
    return Error{Code::kUsage, gone.front() +
                                   " is no operator of this site root, by name or "
                                   "fingerprint"};
  }
  TRY_ASSIGN(auto added, read_named_keys(disk, change.add));
  for (const auto& [name, key] : added) {
    operators.keys.push_back(key);
    spec.names[key.keyid()] = name;
  }
  if (change.threshold > 0) operators.threshold = change.threshold;
  spec.roles["root"] = spec.roles["targets"] = operators;
  operators.threshold = 1;
  spec.roles["snapshot"] = spec.roles["timestamp"] = operators;
  spec.lifetime = std::chrono::days(change.days);
  return spec;
}

// Does what is held of the roster hold under other operators, too?
bool roster_holds(BytesView envelope, BytesView root) {
  auto parsed = trust::tuf::parse_root(root);
  return parsed.ok() && envelope_state(envelope, trust::kRosterType, *parsed).complete();
}

}  // namespace

Result<void> site_operators(Session& session, const OperatorChange& change) {
  TRY_ASSIGN(Bytes present, session.folder().root());
  TRY_ASSIGN(trust::tuf::Root root, trust::tuf::parse_root(present));
  TRY_ASSIGN(trust::RootSpec spec, next_spec(session.disk(), root, change));
  TRY_ASSIGN(Bytes draft, trust::draft_root(spec, root.version + 1, session.now()));
  TRY_ASSIGN(auto words, trust::describe_change(present, draft, trust::RootOf::kSite));
  TRY(session.confirm(words, true));
  TRY_ASSIGN(const trust::PrivateKey* own, session.key());
  TRY_ASSIGN(Bytes next, trust::sign_metadata(draft, *own));
  Path file = session.folder().draft(fmt::format("{}.root.json", root.version + 1));
  TRY(session.folder().keep_draft(file, next));
  TRY_ASSIGN(auto by_old, trust::signature_state(next, present, "root"));
  TRY_ASSIGN(auto by_new, trust::signature_state(next, next, "root"));
  TRY_ASSIGN(auto kept, session.folder().roster());
  json out = {{"draft", file.string()}, {"version", root.version + 1}};
  std::string text = fmt::format(
      "site root {} waits in {}\n  by the present operators: {}\n"
      "  by its own: {}\n",
      root.version + 1, file.string(), trust::describe(by_old), trust::describe(by_new));
  // Under operators who did not sign it no device would take the roster: it is signed anew first.
  if (kept && !roster_holds(kept->envelope, next)) {
    trust::Roster again = kept->roster;
    ++again.version;
    again.issued = session.now();
    TRY_ASSIGN(Bytes envelope, trust::seal(trust::kRosterType, trust::serialise(again), {own}));
    Path roster = session.folder().draft(fmt::format("roster-{}.dsse.json", again.version));
    TRY(session.folder().keep_draft(roster, envelope));
    out["roster_draft"] = roster.string();
    text += fmt::format(
        "roster {} waits in {}: the same devices, for the old and the new operators to sign. "
        "Submit it before the root\n",
        again.version, roster.string());
  }
  session.out() << (session.json() ? out.dump() + "\n" : text);
  return ok();
}

}  // namespace lineside::ctl

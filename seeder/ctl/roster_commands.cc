// SPDX-License-Identifier: Apache-2.0
// Commands on the site and who belongs to it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "proto/base/passphrase.h"
#include "seeder/ctl/commands.h"
#include "seeder/ctl/view_text.h"
#include "seeder/ctl/views.h"

namespace lineside::ctl {
namespace {

using nlohmann::json;

Result<std::vector<seeder::PendingRow>> pending_of(Session& session) {
  TRY_ASSIGN(Gateway * gateway, session.gateway());
  TRY_ASSIGN(Bytes body, gateway->get("/v1/pending"));
  return seeder::parse_pending(body);
}

std::string fingerprint_of(const seeder::PendingRow& row) {
  Result<trust::PublicKey> key = trust::PublicKey::from_spki(row.spki);
  return key.ok() ? key->fingerprint() : "unreadable key";
}

constexpr std::uint64_t kMaxRootBytes = 4ULL << 20;

Result<trust::PublicKey> read_gateway_key(const Disk& disk, const Path& path) {
  Result<Bytes> pem = disk.read(path, 64 * 1024);
  if (!pem.ok()) return Error{Code::kUsage, "--gateway-key: " + pem.error().what};
  Result<trust::PublicKey> key = trust::PublicKey::from_pem(as_text(*pem));
  if (key.ok()) return key;
  return Error{Code::kUsage,
               fmt::format("--gateway-key {}: expected the public key in PEM that `lineside-seeder "
                           "key --public FILE` writes: {}",
                           path.string(), key.error().what)};
}

// Those that are not in the roster yet.
Result<std::vector<Acceptance>> still_to_accept(const trust::Roster& roster,
                                                const std::vector<Acceptance>& wishes,
                                                std::vector<std::string>& accepted) {
  std::vector<Acceptance> rest;
  for (const Acceptance& wish : wishes) {
    if (wish.device.empty() || wish.fingerprint.empty()) {
      return Error{
          Code::kUsage,
          "name a device and with --fingerprint what `lineside-node key` shows on it, or a "
          "list of both with --csv"};
    }
    if (is_accepted(roster, wish)) {
      accepted.push_back(wish.device);
    } else {
      rest.push_back(wish);
    }
  }
  return rest;
}

void tell_roster(Session& session, std::int64_t version, const std::vector<std::string>& accepted) {
  if (session.json()) {
    session.out() << json{{"roster", version}, {"already_accepted", accepted}}.dump() << "\n";
    return;
  }
  for (const std::string& device : accepted) {
    session.out() << fmt::format("{} is accepted already, with this key\n", device);
  }
}

}  // namespace

Result<void> site_init(Disk& disk, Session& session, const SiteInit& init) {
  TRY_ASSIGN(trust::PublicKey key, read_gateway_key(disk, init.gateway_key));
  NewSite site{init.name, init.gateway, key, std::nullopt, std::nullopt};
  if (!init.vendor_root.empty()) {
    Result<Bytes> root = disk.read(init.vendor_root, kMaxRootBytes);
    if (!root.ok()) return Error{Code::kUsage, "--vendor-root: " + root.error().what};
    site.vendor_root = std::move(root).value();
  }
  TRY(session.folder().check_new(site, session.now()));
  if (!init.no_passphrase) {
    TRY_ASSIGN(site.passphrase,
               ask_passphrase(disk, "passphrase for the new operator key: ", true));
    if (!site.passphrase) {
      return Error{Code::kUsage,
                   "the operator key needs a passphrase (terminal or LINESIDE_PASSPHRASE_FILE); "
                   "--no-passphrase leaves it plain"};
    }
  }
  TRY_ASSIGN(trust::PublicKey own, session.folder().create(site, session.now()));
  const Path& dir = session.folder().dir();
  if (session.json()) {
    session.out() << json{{"site", init.name},
                          {"folder", dir.string()},
                          {"site_root", (dir / "1.root.json").string()},
                          {"operator", own.fingerprint()},
                          {"gateway", key.fingerprint()}}
                         .dump()
                  << "\n";
    return ok();
  }
  session.out() << fmt::format(
      "site {} in {}\n  operator key  {}\n  gateway key   {}\n"
      "  site root     {}  (copy it to the gateway and to every node)\n",
      init.name, dir.string(), own.fingerprint(), key.fingerprint(),
      (dir / "1.root.json").string());
  return ok();
}

Result<void> nodes(Session& session) {
  TRY_ASSIGN(trust::VerifiedRoster roster, session.roster());
  TRY_ASSIGN(Gateway * gateway, session.gateway());
  TRY_ASSIGN(Bytes body, gateway->get("/v1/nodes"));
  TRY_ASSIGN(auto enrolled, seeder::parse_nodes(body));
  TRY_ASSIGN(auto pending, pending_of(session));
  if (session.json()) {
    json out = {{"nodes", json::array()}, {"pending", json::array()}};
    for (const auto& row : enrolled) out["nodes"].push_back(to_json(row));
    for (const auto& row : pending) out["pending"].push_back(to_json(row));
    session.out() << out.dump() << "\n";
    return ok();
  }
  std::vector<std::vector<std::string>> rows;
  for (const trust::Device& device : roster.roster.devices) {
    std::string heard = "never";
    std::string version = "-";
    std::string state = device.revoked ? "revoked" : "never heard";
    for (const auto& row : enrolled) {
      if (row.device != device.id || !row.report) continue;
      state = state_text(row);
      heard = row.heard ? format_utc(*row.heard) : heard;
      version = row.report->version.empty() ? "-" : row.report->version;
    }
    rows.push_back({device.id, device.revoked ? "revoked" : "enrolled", state,
                    device.key.fingerprint(), fmt::format("{}", fmt::join(device.hardware, ",")),
                    fmt::format("{}", fmt::join(device.groups, ",")), device.canary ? "yes" : "",
                    version, heard});
  }
  for (const auto& row : pending) {
    rows.push_back({row.device, "PENDING", "", fingerprint_of(row),
                    fmt::format("{}", fmt::join(row.hardware, ",")), "", "", "-",
                    format_utc(row.last_seen)});
  }
  session.out() << table(
      {"NODE", "STATUS", "NOW", "FINGERPRINT", "HARDWARE", "GROUPS", "CANARY", "VERSION", "HEARD"},
      rows);
  return ok();
}

Result<void> accept(Session& session, const std::vector<Acceptance>& wishes) {
  TRY_ASSIGN(trust::VerifiedRoster roster, session.roster());
  std::vector<std::string> accepted;
  TRY_ASSIGN(auto rest, still_to_accept(roster.roster, wishes, accepted));
  if (rest.empty()) {
    tell_roster(session, roster.roster.version, accepted);
    return ok();
  }
  TRY_ASSIGN(auto pending, pending_of(session));
  trust::Roster next = roster.roster;
  for (const Acceptance& wish : rest) {
    Result<trust::Roster> made = accept_device(next, wish, pending, session.now());
    if (!made.ok()) return wish.place.empty() ? made.error() : made.error().with(wish.place);
    next = std::move(made).value();
  }
  next.version = roster.roster.version + 1;
  TRY(session.sign_roster(next, describe_change(roster.roster, next), false));
  tell_roster(session, next.version, accepted);
  if (!session.json()) {
    session.out() << fmt::format("roster {} is signed and at the gateway\n", next.version);
  }
  return ok();
}

Result<void> refresh(Session& session) {
  TRY_ASSIGN(Gateway * gateway, session.gateway());
  TRY(gateway->post("/v1/mirror/refresh", {}));
  session.out() << (session.json() ? R"({"status":"refreshed"})"
                                   : "the gateway has the vendor's newest word")
                << "\n";
  return ok();
}

Result<void> revoke(Session& session, const std::string& device) {
  TRY_ASSIGN(trust::VerifiedRoster roster, session.roster());
  TRY_ASSIGN(trust::Roster next, revoke_device(roster.roster, device, session.now()));
  TRY(session.sign_roster(next, describe_change(roster.roster, next), true));
  session.out() << (session.json()
                        ? json{{"roster", next.version}}.dump()
                        : fmt::format("roster {} is signed and at the gateway", next.version))
                << "\n";
  return ok();
}

}  // namespace lineside::ctl

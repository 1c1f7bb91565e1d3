// SPDX-License-Identifier: Apache-2.0
// Commands on the site and who belongs to it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "proto/api/site_api.h"
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

// `made`: the roster that was signed for it; nullptr if none had to be.
void tell_roster(Session& session, std::int64_t version, const std::vector<std::string>& accepted,
                 const Signed* made) {
  if (session.json()) {
    json out = {{"roster", version}, {"already_accepted", accepted}};
    if (made != nullptr && !made->at_gateway) out["draft"] = made->draft.string();
    session.out() << out.dump() << "\n";
    return;
  }
  if (made != nullptr) session.out() << describe(*made) << "\n";
  for (const std::string& device : accepted) {
    session.out() << fmt::format("{} is accepted already, with this key\n", device);
  }
}

}  // namespace

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
    tell_roster(session, roster.roster.version, accepted, nullptr);
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
  TRY_ASSIGN(Signed made, session.sign_roster(next, describe_change(roster.roster, next), false));
  tell_roster(session, next.version, accepted, &made);
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

Result<void> roster_sign(Session& session, IfOlder older) {
  TRY_ASSIGN(auto held, session.folder().roster());
  if (held) {
    TRY_ASSIGN(trust::VerifiedRoster roster, session.roster());  // the gateway is given it
    session.out() << (session.json()
                          ? json{{"roster", roster.roster.version}}.dump()
                          : fmt::format("roster {} is signed by the present operators already",
                                        roster.roster.version))
                  << "\n";
    return ok();
  }
  TRY_ASSIGN(trust::VerifiedRoster last, session.folder().former_roster(session.now()));
  TRY_ASSIGN(seeder::SiteStatus status, session.status());
  if (last.roster.version < status.newest_roster && older == IfOlder::kRefuse) {
    return Error{Code::kConflict,
                 fmt::format("this folder's newest roster is {}, the gateway held roster {}: what "
                             "was revoked between them would belong to the site again. Bring "
                             "documents/roster.dsse from the folder of whoever signed that one, or "
                             "give --older to sign what is here",
                             last.roster.version, status.newest_roster)};
  }
  trust::Roster next = last.roster;
  TRY_ASSIGN(next.version, next_number("roster", last.roster.version, status.newest_roster));
  next.issued = session.now();
  trust::Roster nobody;
  nobody.version = last.roster.version;
  TRY_ASSIGN(Signed made, session.sign_roster(next, describe_change(nobody, next), true));
  tell_roster(session, next.version, {}, &made);
  return ok();
}

Result<void> revoke(Session& session, const std::string& device) {
  TRY_ASSIGN(trust::VerifiedRoster roster, session.roster());
  TRY_ASSIGN(trust::Roster next, revoke_device(roster.roster, device, session.now()));
  TRY_ASSIGN(Signed made, session.sign_roster(next, describe_change(roster.roster, next), true));
  tell_roster(session, next.version, {}, &made);
  return ok();
}

Result<void> replace_gateway(Session& session, const GatewayChange& change) {
  TRY_ASSIGN(trust::PublicKey key, read_gateway_key(session.disk(), change.key));
  if (!change.address.empty() && !api::parse_endpoint(change.address).ok()) {
    return Error{Code::kUsage, "--gateway: expected IP:port, like 10.0.0.2:7443"};
  }
  TRY(session.folder().set_gateway(key, change.address));
  TRY_ASSIGN(trust::VerifiedRoster roster, session.roster());
  trust::Roster next = roster.roster;
  ++next.version;
  next.issued = session.now();
  if (!change.keep_old) next.gateways.clear();
  if (!next.is_gateway(key)) next.gateways.push_back(key);
  TRY_ASSIGN(Signed made, session.sign_roster(next, describe_change(roster.roster, next), true));
  tell_roster(session, next.version, {}, &made);
  return ok();
}

}  // namespace lineside::ctl

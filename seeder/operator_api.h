// SPDX-License-Identifier: Apache-2.0
// The answers that an operator's program gets (routes marked "operator" in proto/api/site_api.h).
// They inform; nothing here is believed where it would matter: `lineside` verifies the vendor's
// chain and every signature by itself.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/api/site_api.h"
#include "proto/base/clock.h"
#include "proto/base/result.h"
#include "proto/base/sha256.h"

namespace lineside::seeder {

// What the plan foretold of a rollout.
struct Forecast {
  std::uint64_t devices = 0;  // that have something to fetch
  std::uint64_t wan_bytes = 0;
  std::uint64_t lan_bytes = 0;  // to all devices together
  std::int64_t transfer_seconds = 0;
  std::int64_t work_seconds = 0;  // staging, checks, switches and trials, one step after another
  std::int64_t soak_seconds = 0;

  [[nodiscard]] std::int64_t seconds() const {
    return transfer_seconds + work_seconds + soak_seconds;
  }
};

struct CanaryRow {
  std::string device;
  std::string evidence;  // "missing", "invalid", "failed", "passed"
  std::string why;
};

struct RolloutRow {
  std::int64_t sequence = 0;
  std::string bundle;
  std::string version;  // of the bundle, empty until its manifest is here
  Digest manifest;
  std::optional<Digest> tree;
  std::string stage;  // stage_name
  bool paused = false;
  std::string reason;
  std::uint32_t batches_open = 0;
  std::uint32_t batch_count = 0;                // canaries count as one
  std::map<std::string, std::int64_t> endings;  // ending_name -> devices
  bool gate_open = false;
  std::string gate;  // in words
  std::vector<CanaryRow> canaries;
  std::uint64_t wan_payload = 0;  // bytes, of this bundle
  std::uint64_t wan_metadata = 0;
  UtcTime issued{};
  UtcTime expires{};
  std::optional<UtcTime> opens_at;  // end of the soak, once all canaries have passed
  std::int64_t soak_s = 0;
  std::map<std::string, UtcTime> opened;  // batch number -> when it opened
  std::int64_t seconds = 0;  // from the opening of the canaries to the last device's last step
  std::optional<Forecast> forecast;  // of the plan that it began with
};

// One of all that there were.
struct RolloutSummary {
  std::int64_t sequence = 0;
  std::string bundle;
  std::string stage;           // stage_name
  std::int64_t confirmed = 0;  // devices
  std::string reason;          // why the stage is what it is
};

// done, failed, aborted, superseded.
[[nodiscard]] bool stage_has_ended(std::string_view stage);

struct NodeRow {
  std::string device;
  std::string fingerprint;
  std::vector<std::string> hardware;
  std::vector<std::string> groups;
  bool canary = false;
  bool revoked = false;
  std::optional<std::int64_t> batch;  // in the present directive
  std::string health;                 // health_name: what it does now
  std::string ending;                 // ending_name, empty if not meant
  std::string why;
  std::optional<UtcTime> heard;
  std::optional<api::NodeReport> report;
};

// Mirror and synthesis.
struct SupplyRow {
  std::string state;       // "idle", "refreshing", "fetching", "building", "making", "ready",
                           // "waiting" (to try again), "asking" (an operator, for more WAN budget)
  std::string text;        // what it does, or the error that it waits after
  std::uint64_t done = 0;  // bytes of the present fetch
  std::uint64_t total = 0;
  std::optional<UtcTime> retry_at;
  std::optional<UtcTime> checked;  // last good refresh from the origin
};

// How the origin answers. No answer of the gateway waits for it: they rest on what is held.
struct OriginRow {
  std::optional<UtcTime> succeeded;  // last good answer
  std::optional<UtcTime> failed;     // last failure
  std::string error;                 // of that failure, empty once what failed succeeded again
  std::string concerns;              // "metadata", or the bundle that it is about; empty likewise
};

struct SiteStatus {
  std::string site;
  std::string fingerprint;  // of the gateway's key
  UtcTime now{};
  std::int64_t roster_version = 0;
  std::int64_t pending = 0;
  SupplyRow supply;
  OriginRow origin;
  std::int64_t newest_sequence = 0;  // of all directives ever held, whoever signed them
  std::int64_t newest_roster = 0;    // likewise
  std::optional<RolloutRow> rollout;
  std::map<std::string, std::int64_t> health;  // health_name -> devices, see count_health
  std::vector<NodeRow> nodes;                  // by id
  std::uint64_t wan_total = 0;                 // bytes, all releases and metadata
  std::uint64_t wan_budget = 0;                // bytes a release, 0: none
};

struct PendingRow {
  std::string device;
  std::string fingerprint;
  Bytes spki;
  std::vector<std::string> hardware;
  std::string agent;
  UtcTime first_seen{};
  UtcTime last_seen{};
};

struct BundleRow {
  std::string name;          // TUF target
  std::uint64_t length = 0;  // of the manifest
  bool mirrored = false;     // manifest and listing are here
  bool held = false;         // so is the tree
};

// What reaches which base, for the operator's plan.
struct PlanRoute {
  Digest base;
  std::uint64_t length = 0;  // bytes; 0 if it is still to be made
  bool ready = false;
};
struct PlanView {
  std::string bundle;
  Digest target;
  bool held = false;            // nothing has to cross the WAN
  std::uint64_t wan_bytes = 0;  // the cheapest route's payload, what is here already deducted
  std::optional<Digest> wan_base;
  std::uint64_t wan_budget = 0;
  std::uint64_t wan_used = 0;
  std::vector<PlanRoute> routes;  // from every base on the floor and from nothing
  OriginRow origin;               // how old this knowledge is, and what hinders newer
};

struct EventRow {
  std::int64_t number = 0;
  UtcTime at{};
  std::string kind;
  std::string actor;
  std::string device;
  std::int64_t sequence = 0;
  std::string document;
  std::string text;
};

nlohmann::json to_json(const SiteStatus& value);
nlohmann::json to_json(const NodeRow& value);
nlohmann::json to_json(const PendingRow& value);
nlohmann::json to_json(const BundleRow& value);
nlohmann::json to_json(const PlanView& value);
nlohmann::json to_json(const Forecast& value);
nlohmann::json to_json(const EventRow& value);
nlohmann::json to_json(const RolloutSummary& value);

// kMalformed naming the member; unknown members are ignored.
Result<SiteStatus> parse_site_status(BytesView body);
Result<std::vector<NodeRow>> parse_nodes(BytesView body);       // {"nodes":[…]}
Result<std::vector<PendingRow>> parse_pending(BytesView body);  // {"pending":[…]}
Result<std::vector<BundleRow>> parse_bundles(BytesView body);   // {"bundles":[…]}
Result<PlanView> parse_plan(BytesView body);
Result<Forecast> parse_forecast(BytesView body);
Result<std::vector<EventRow>> parse_events(BytesView body);          // {"events":[…]}
Result<std::vector<RolloutSummary>> parse_rollouts(BytesView body);  // {"rollouts":[…]}

}  // namespace lineside::seeder

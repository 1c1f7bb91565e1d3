// SPDX-License-Identifier: Apache-2.0
// What a device knows of its own life, durable in STATE/life.json. Every step is written here
// before the next one begins, so that a power cut at any instant loses nothing but the step itself.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "node/life_table.h"
#include "proto/api/site_api.h"
#include "proto/base/clock.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/trust/listing.h"

namespace lineside::node {

inline constexpr std::uint32_t kTries = 3;

// The bundle that is confirmed or being worked on.
struct BundleRef {
  std::string name;  // "vision/2.0.0.json"
  std::string version;
  Digest manifest;
  trust::TreeId tree;
  std::int64_t release = 0;
  bool operator==(const BundleRef&) const = default;
};

// The newest document of a kind that was ever taken: none older, and no other of the same number.
struct DocumentFloor {
  std::int64_t number = 0;  // version or sequence; 0 for none
  Digest digest;            // of its payload
  bool operator==(const DocumentFloor&) const = default;
};

struct Life {
  State state = State::kIdle;

  // What the state is about.
  std::int64_t sequence = 0;                   // of the last directive that was begun; 0 for none
  Digest directive;                            // its payload
  std::optional<BundleRef> target;             // known once the manifest is verified
  std::optional<api::DeliveryOffer> delivery;  // how it comes, known once chosen
  // How often activation and trial may still be begun: decremented before each attempt, so that a
  // tree that takes the device down with it cannot do so for ever.
  std::uint32_t tries = kTries;
  std::optional<trust::TreeId> before;     // current when activation began: where a rollback goes
  std::string code;                        // code_name of the failure; empty if none
  std::string error;                       // the same in words
  std::optional<api::CheckSummary> check;  // the last one, of whatever phase
  // What is attested: of the last check under this directive, staged or trial, never a live one.
  UtcTime check_started{};
  std::vector<std::string> passed_tests;  // check ids
  std::vector<std::string> failed_tests;
  std::map<std::string, std::string> measured;

  // What outlives a directive.
  std::optional<BundleRef> confirmed;
  std::optional<trust::TreeId> previous;                // ran before `confirmed`; its slot is kept
  std::map<std::string, std::int64_t> security_floors;  // by bundle name without version
  std::int64_t attested_sequence = 0;  // directive for which the attestation is made
  std::int64_t attestation_counter = 0;
  UtcTime time_floor{};            // no honest clock shows less: see time_floor.h
  std::uint64_t from_gateway = 0;  // bytes under the present directive, finished transfers
  std::uint64_t from_peers = 0;
  std::uint64_t inferences = 0;  // counted since the last switch
  bool inferring = false;        // the last check of the current tree passed
  std::string inferring_cause;   // why it does not infer; empty if it does, or nothing is known
  UtcTime inferring_since{};     // when `inferring` last changed; 0 for never

  // What may never be undercut, whatever becomes of the stored documents: see documents.h.
  DocumentFloor roster_floor;
  DocumentFloor directive_floor;
  std::vector<std::string> operators;  // key ids of those who set them, sorted
  // Of the directive that the site held back when the gateway was last heard; 0 for none. What an
  // operator stopped does not go on because the gateway is gone.
  std::int64_t paused_sequence = 0;

  // The scan that last read the current tree back from disk.
  std::optional<trust::TreeId> read_back;
  UtcTime read_back_at{};
  std::string damage;  // how it differed from the listing; empty if it did not
};

// Notes what a check of the current tree says. True if that is news: inference died or revived.
bool set_inferring(Life& life, bool inferring, const std::string& cause, UtcTime now);

// JSON; parse_life(serialise(l)) is l. kMalformed naming the member.
Bytes serialise(const Life& life);
Result<Life> parse_life(BytesView bytes);

// STATE/life.json. A device without one begins idle.
Result<Life> load_life(const Disk& disk, const Path& state);
// (durable)
Result<void> save_life(Disk& disk, const Path& state, const Life& life);

}  // namespace lineside::node

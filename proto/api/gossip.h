// SPDX-License-Identifier: Apache-2.0
// What nodes say to each other over HTTPS (TLS 1.3, mutual; both keys are of the site's roster), so
// that the newest signed documents reach everybody whom one honest path reaches:
//
//     POST /v1/heads                      Heads -> Heads: what each holds
//     GET  /v1/evidence                   {"envelopes":[base64, base64]}: two of one number
//
// and, exactly as the gateway serves them (site_api.h): /v1/roster, /v1/directive,
// /v1/site/metadata/, /v1/vendor/metadata/, /v1/vendor/targets/, /v1/attestations, /v1/delivery,
// /v1/leaves/. Heads carry no authority: they say what is worth fetching, and what is fetched is
// verified as if it came from the gateway.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/result.h"
#include "proto/base/sha256.h"

namespace lineside::api {

inline constexpr std::uint64_t kMaxHeadsBytes = 4 * 1024;

struct Heads {
  std::int64_t site_root = 0;         // version of the site's root
  std::int64_t roster = 0;            // version, 0 for none
  Digest roster_digest;               // of its payload
  std::int64_t directive = 0;         // sequence, 0 for none
  Digest directive_digest;            // of its payload
  std::int64_t vendor_timestamp = 0;  // version of the vendor's timestamp, 0 for none
  Digest attestations;                // evidence_digest() of those about the directive
  bool evidence = false;              // two documents of one number are held: /v1/evidence
  Digest delivery;                    // root of the whole delivery that it gives to others
  std::string gossip_endpoint;        // "IP:port" where it is asked; the port alone counts
  std::string swarm_endpoint;         // "IP:port" of its swarm, likewise
  bool operator==(const Heads&) const = default;
};

nlohmann::json to_json(const Heads& value);
// kMalformed naming the member; kTooLarge. Unknown members are ignored, so that versions can meet.
Result<Heads> parse_heads(BytesView body);

// {"envelopes":[base64,…]}, of attestations as of evidence.
nlohmann::json envelopes_json(const std::vector<Bytes>& envelopes);
// kMalformed, kTooLarge past `max_bytes` or `max_count`.
Result<std::vector<Bytes>> parse_envelopes(BytesView body, std::uint64_t max_bytes,
                                           std::size_t max_count);

// Of the digests of what is held, in any order; of none: zero.
Digest evidence_digest(std::vector<Digest> digests);

}  // namespace lineside::api

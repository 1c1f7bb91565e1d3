// SPDX-License-Identifier: Apache-2.0
// What nodes, gateway and operator say to each other over HTTPS (TLS 1.3, mutual). Nothing here
// carries authority: that is in the signed documents, which travel as opaque envelopes. A reply of
// the gateway can at most withhold.
//
//     POST /v1/enrol                      EnrolRequest -> EnrolReply          any key
//     GET  /v1/roster  /v1/directive      the newest envelope, 404 if none    any key
//     GET  /v1/site/metadata/N.root.json  the site root chain                 any key
//     GET  /v1/vendor/{metadata,targets}/ the vendor's repository, mirrored   any key
//     GET  /v1/attestations?directive=D   {"envelopes":[base64,…]}            enrolled
//     POST /v1/attestations               an envelope                         enrolled
//     GET  /v1/delivery?base=T&target=T   DeliveryOffer; see below            enrolled
//     GET  /v1/leaves/ROOT                32 bytes for each 16 KiB            enrolled
//     POST /v1/report                     NodeReport -> ReportReply           enrolled
//     POST /v1/evidence                   two documents of one number         enrolled
//     GET  /v1/status  /v1/nodes  /v1/pending  /v1/bundles  /v1/events?after=N    operator
//     GET  /v1/plan?bundle=NAME           Plan                                operator
//     GET  /v1/rollouts                   all that there were, by sequence    operator
//     POST /v1/site/root                 the next N.root.json                operator
//     POST /v1/roster  /v1/directive      an envelope                         operator
//       /v1/directive?replace=true        even while another rollout is running
//     POST /v1/rollouts/SEQ/pause | resume | abort                            operator
//     POST /v1/rollouts/SEQ/forecast      Forecast, once                       operator
//     POST /v1/mirror/refresh             asks the origin now                 operator
//     POST /v1/mirror/import              {"folder":…,"bundle":…}: brings what a folder on
//       the gateway's machine holds of the vendor's repository                operator
//     POST /v1/mirror/allowance           {"bundle":…,"bytes":…}: more than the WAN budget
//                                                                             operator
//
// A delivery is offered (200), being prepared (503 with Retry-After), or not to be had (404). As
// long as one from any tree that the node last reported is being prepared, every base is answered
// 503, so that nobody takes the full delivery while a small one is in the making; after the
// gateway's patience (synthesis.patience), or once making it has failed, what there is is offered.
//
// /v1/plan, /v1/bundles and /v1/status say what the gateway holds; "origin" in the answer says
// since when and what hinders newer. 503 of /v1/plan, /v1/mirror/refresh and /v1/mirror/import:
// it is not done yet, ask again.
//
// Errors are problem+json (RFC 9457) with a member "code" (code_name).
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/clock.h"
#include "proto/base/result.h"
#include "proto/base/sha256.h"

namespace lineside::api {

inline constexpr std::uint64_t kMaxReportBytes = 256 * 1024;

struct EnrolRequest {
  std::string device;
  std::vector<std::string> hardware;
  std::string agent;  // version of lineside-node
};
// "pending", "accepted" or "revoked"; the fingerprint is of the key that the TLS handshake proved.
struct EnrolReply {
  std::string status;
  std::string fingerprint;
};

struct DeliveryOffer {
  Digest base;
  Digest target;
  std::uint64_t length = 0;
  Digest root;
};

inline constexpr std::size_t kMaxCulprits = 16;

// One transfer as the node sees it. Bytes are payload bytes that passed their check, except wasted.
struct Transfer {
  Digest root;
  std::uint64_t length = 0;
  std::uint64_t have = 0;
  std::uint64_t from_gateway = 0;
  std::uint64_t from_peers = 0;
  std::uint64_t wasted = 0;
  std::uint64_t uploaded = 0;
  std::uint32_t pieces = 0;  // in all
  Bytes piece_map;           // one bit a piece, most significant first
  std::uint32_t peers = 0;
  std::uint64_t down_rate = 0;  // bytes a second
  std::uint64_t up_rate = 0;
  std::vector<std::string> culprits;  // addresses that sent bad blocks; at most kMaxCulprits
};

// The last inference check that ran on the device.
struct CheckSummary {
  std::string phase;    // "staged", "trial" or "live"
  std::string verdict;  // "pass", "fail", "error"
  std::string cause;    // first failed check in words; empty when passed
  UtcTime finished{};
  std::map<std::string, std::string> measured;  // "latency.p50_us" -> "73.1"
  std::string stderr_tail;                      // at most 4 KiB
};

// A signed document (or what claimed to be one) that the node did not take.
struct Refusal {
  std::string what;   // "directive", "roster", "site root", "attestation", "bundle"
  std::string from;   // "gateway", or the address of another node
  std::string code;   // code_name
  std::string error;  // the same in words
  UtcTime at{};
};

struct NodeReport {
  std::string device;
  std::string agent;
  std::vector<std::string> hardware;
  std::string state;                    // a state of the life table: "idle", "fetching", …
  std::int64_t directive_sequence = 0;  // of the directive that the state is about, 0 for none
  std::int64_t roster_version = 0;
  std::string bundle;  // what is confirmed: "vision/2.0.0.json", empty for none
  std::string version;
  Digest manifest;            // of the confirmed bundle
  Digest tree;                // of the current slot, as read back from disk
  UtcTime tree_read{};        // when it was read back
  std::vector<Digest> trees;  // every complete slot: possible bases
  std::uint64_t free_bytes = 0;
  bool inferring = false;        // the last check or heartbeat of the live slot was good
  std::string inferring_cause;   // why it does not infer; empty if it does or nothing is confirmed
  UtcTime inferring_since{};     // when `inferring` last changed; 0 if it never did
  std::uint64_t inferences = 0;  // counted since the last switch
  std::string damage;            // how the live slot last differed from its listing; empty if not
  std::string code;              // of the failure that the state is about; empty if none
  std::string error;             // the same in words
  std::string swarm_endpoint;    // "IP:port" where it listens; others are told its port alone
  std::string gossip_endpoint;   // likewise, where other nodes ask for documents; empty for none
  std::optional<Transfer> transfer;
  std::uint64_t delivered_from_gateway = 0;  // sums over all transfers under the present directive
  std::uint64_t delivered_from_peers = 0;
  std::optional<CheckSummary> check;
  std::optional<Refusal> refusal;  // the last
};

struct ReportReply {
  std::int64_t roster_version = 0;  // newest that the gateway holds; fetch if yours is older
  std::int64_t directive_sequence = 0;
  std::uint32_t attestations = 0;  // number held for that directive
  // Batches of that directive that may go on to activate: batch_of(device) < batches_open. Lets the
  // gateway withhold; the gate itself is the node's own business.
  std::uint32_t batches_open = 0;
  bool paused = false;  // nobody begins anything new
  // The rollout of that directive was aborted or has failed: no gate of it opens any more, and who
  // has not switched gives it up. Withholding for good, so no more than a gateway can do anyway.
  bool called_off = false;
  std::string gateway_endpoint;     // "IP:port" of the gateway's swarm
  std::vector<std::string> peers;   // "IP:port" of nodes that want or have the same delivery
  std::vector<std::string> gossip;  // "IP:port" of nodes that can be asked for documents
  std::uint32_t poll_ms = 2000;     // when to report next
};

nlohmann::json to_json(const EnrolRequest& value);
nlohmann::json to_json(const EnrolReply& value);
nlohmann::json to_json(const DeliveryOffer& value);
nlohmann::json to_json(const NodeReport& value);
nlohmann::json to_json(const ReportReply& value);
// kMalformed naming the member; unknown members are ignored, so that versions can meet.
Result<EnrolRequest> parse_enrol_request(BytesView body);
Result<EnrolReply> parse_enrol_reply(BytesView body);
Result<DeliveryOffer> parse_delivery_offer(BytesView body);
Result<NodeReport> parse_node_report(BytesView body);
Result<ReportReply> parse_report_reply(BytesView body);

// "IP:port" with an IPv4 or bracketed IPv6 address.
struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
  [[nodiscard]] std::string text() const;
  auto operator<=>(const Endpoint&) const = default;
};
Result<Endpoint> parse_endpoint(std::string_view text);

}  // namespace lineside::api

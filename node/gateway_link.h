// SPDX-License-Identifier: Apache-2.0
// The site gateway as a device sees it: a source of documents that verify themselves, and a place
// to report to. It can withhold; what it says is never authority.
//
// Codes of every call: kNetwork, kTimeout (also 503: ask again soon), kUnknownKey (TLS), kHttp (a
// refusal, with its words), kNotFound (404), kMalformed, kTooLarge, kCancelled. Calls block; any
// thread, several at once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proto/api/site_api.h"
#include "proto/base/bytes.h"
#include "proto/base/result.h"
#include "proto/base/sha256.h"
#include "proto/trust/keys.h"
#include "proto/trust/tuf/fetcher.h"

namespace lineside::node {

class GatewayLink {
 public:
  virtual ~GatewayLink() = default;

  // From now on only servers that hold one of these keys are spoken to; with none of them, whoever
  // answers: no roster is held, and what is fetched then verifies itself.
  virtual void pin(const std::vector<trust::PublicKey>& gateways) = 0;

  [[nodiscard]] virtual Result<api::EnrolReply> enrol(const api::EnrolRequest& request) = 0;
  [[nodiscard]] virtual Result<Bytes> roster() = 0;
  [[nodiscard]] virtual Result<Bytes> directive() = 0;
  // The site's root chain; the vendor's metadata and targets. They live as long as the link.
  [[nodiscard]] virtual trust::Fetcher& site_metadata() = 0;
  [[nodiscard]] virtual trust::Fetcher& vendor_metadata() = 0;
  [[nodiscard]] virtual trust::Fetcher& vendor_targets() = 0;

  [[nodiscard]] virtual Result<std::vector<Bytes>> attestations(const Digest& directive) = 0;
  [[nodiscard]] virtual Result<void> post_attestation(BytesView envelope) = 0;
  [[nodiscard]] virtual Result<api::DeliveryOffer> delivery(const Digest& base,
                                                            const Digest& target) = 0;
  // As many leaves as a file of `length` bytes has; whether they are the right ones says their
  // root.
  [[nodiscard]] virtual Result<std::vector<Digest>> leaves(const Digest& root,
                                                           std::uint64_t length) = 0;
  [[nodiscard]] virtual Result<api::ReportReply> report(const api::NodeReport& report) = 0;
  // Two signed documents of one number, for the operators to see.
  [[nodiscard]] virtual Result<void> post_evidence(const std::vector<Bytes>& envelopes) = 0;
};

}  // namespace lineside::node

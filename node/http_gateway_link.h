// SPDX-License-Identifier: Apache-2.0
// The gateway, or another node, over HTTPS: TLS 1.3, our device key as client certificate, the
// server's key pinned as soon as a roster names it. Several addresses are tried in turn, the last
// good one first.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "node/gateway_link.h"
#include "proto/api/gossip.h"
#include "proto/http/identity.h"

namespace lineside::node {

// How long one server may take.
struct LinkPatience {
  std::chrono::milliseconds connect{5'000};
  std::chrono::milliseconds total{120'000};  // of one request, its answer included
};

class HttpGatewayLink final : public GatewayLink {
 public:
  // `addresses`: "https://192.0.2.1:7443", at least one.
  HttpGatewayLink(std::vector<std::string> addresses, http::Identity identity,
                  LinkPatience patience = {});
  ~HttpGatewayLink() override;

  // Ends calls that are under way (kCancelled) and all later ones.
  void stop();

  void pin(const std::vector<trust::PublicKey>& gateways) override;
  [[nodiscard]] Result<api::EnrolReply> enrol(const api::EnrolRequest& request) override;
  [[nodiscard]] Result<Bytes> roster() override;
  [[nodiscard]] Result<Bytes> directive() override;
  [[nodiscard]] trust::Fetcher& site_metadata() override;
  [[nodiscard]] trust::Fetcher& vendor_metadata() override;
  [[nodiscard]] trust::Fetcher& vendor_targets() override;
  [[nodiscard]] Result<std::vector<Bytes>> attestations(const Digest& directive) override;
  [[nodiscard]] Result<void> post_attestation(BytesView envelope) override;
  [[nodiscard]] Result<api::DeliveryOffer> delivery(const Digest& base,
                                                    const Digest& target) override;
  [[nodiscard]] Result<std::vector<Digest>> leaves(const Digest& root,
                                                   std::uint64_t length) override;
  [[nodiscard]] Result<api::ReportReply> report(const api::NodeReport& report) override;
  [[nodiscard]] Result<void> post_evidence(const std::vector<Bytes>& envelopes) override;

  // Of another node alone (proto/api/gossip.h); the same codes.
  [[nodiscard]] Result<api::Heads> exchange(const api::Heads& own);
  [[nodiscard]] Result<std::vector<Bytes>> evidence();

 private:
  struct State;
  class PrefixFetcher;
  std::unique_ptr<State> state_;
};

}  // namespace lineside::node

// SPDX-License-Identifier: Apache-2.0
// A site gateway in memory, which remembers what devices told it; and a transport that copies files
// from it.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "node/gateway_link.h"
#include "node/transport.h"
#include "proto/http/fetcher.h"
#include "proto/trust/merkle.h"

namespace lineside::fakes {

class FakeGateway final : public node::GatewayLink {
 public:
  // Folders with N.root.json, and with the vendor's repository.
  FakeGateway(Disk& disk, const Path& site, const Path& vendor)
      : disk_(disk),
        site_(disk, site),
        metadata_(disk, vendor / "metadata"),
        targets_(disk, vendor / "targets") {}

  bool reachable = true;
  bool knows_directive = true;  // else it has no place for attestations
  Bytes roster_envelope;
  Bytes directive_envelope;
  std::vector<Bytes> envelopes;  // attestations
  std::vector<Bytes> evidence;   // of two documents of one number
  std::map<std::pair<Digest, Digest>, api::DeliveryOffer> offers;
  std::set<std::pair<Digest, Digest>> prepared;  // deliveries that are being made
  std::map<Digest, Path> files;                  // deliveries by root
  api::ReportReply reply;
  std::vector<api::NodeReport> reports;
  std::vector<api::EnrolRequest> enrolments;
  std::size_t pinned = 0;

  void offer(const Digest& base, const Digest& target, const Path& file) {
    auto facts = trust::hash_file(**disk_.open(file), 1);
    offers[{base, target}] = {base, target, facts->length, facts->root};
    files[facts->root] = file;
  }

  void pin(const std::vector<trust::PublicKey>& gateways) override { pinned = gateways.size(); }
  Result<api::EnrolReply> enrol(const api::EnrolRequest& request) override {
    if (!reachable) return gone();
    enrolments.push_back(request);
    return api::EnrolReply{"pending", ""};
  }
  Result<Bytes> roster() override { return envelope(roster_envelope); }
  Result<Bytes> directive() override { return envelope(directive_envelope); }
  trust::Fetcher& site_metadata() override { return site_; }
  trust::Fetcher& vendor_metadata() override { return metadata_; }
  trust::Fetcher& vendor_targets() override { return targets_; }
  Result<std::vector<Bytes>> attestations(const Digest&) override {
    if (!reachable) return gone();
    return envelopes;
  }
  Result<void> post_attestation(BytesView bytes) override {
    if (!reachable) return gone();
    if (!knows_directive) return Error{Code::kNotFound, "no such directive"};
    envelopes.emplace_back(bytes.begin(), bytes.end());
    reply.attestations = static_cast<std::uint32_t>(envelopes.size());
    return ok();
  }
  Result<void> post_evidence(const std::vector<Bytes>& both) override {
    if (!reachable) return gone();
    evidence = both;
    return ok();
  }
  Result<api::DeliveryOffer> delivery(const Digest& base, const Digest& target) override {
    if (!reachable) return gone();
    if (prepared.count({base, target}) != 0) return Error{Code::kTimeout, "being made"};
    auto found = offers.find({base, target});
    if (found == offers.end()) return Error{Code::kNotFound, "no delivery"};
    return found->second;
  }
  Result<std::vector<Digest>> leaves(const Digest& root, std::uint64_t) override {
    if (!reachable) return gone();
    TRY_ASSIGN(auto file, disk_.open(files.at(root)));
    TRY_ASSIGN(auto facts, trust::hash_file(*file, 1, trust::KeepLeaves::kYes));
    return facts.leaves;
  }
  Result<api::ReportReply> report(const api::NodeReport& report) override {
    if (!reachable) return gone();
    reports.push_back(report);
    return reply;
  }

 private:
  static Error gone() { return {Code::kNetwork, "unreachable"}; }
  Result<Bytes> envelope(const Bytes& bytes) const {
    if (!reachable) return gone();
    if (bytes.empty()) return Error{Code::kNotFound, "none"};
    return bytes;
  }

  Disk& disk_;
  http::DirectoryFetcher site_, metadata_, targets_;
};

class FakeTransport final : public node::Transport {
 public:
  explicit FakeTransport(const FakeGateway& gateway) : gateway_(gateway) {}
  std::set<Digest> carried;
  std::set<Digest> still;                    // of these nothing arrives
  std::map<Digest, std::uint64_t> received;  // bytes, all from peers

  Result<void> fetch(const node::Carried& delivery, const std::vector<Digest>&) override {
    std::error_code error;
    std::filesystem::copy_file(gateway_.files.at(delivery.root), delivery.file,
                               std::filesystem::copy_options::overwrite_existing, error);
    if (error) return Error{Code::kIo, error.message()};
    if (carried.insert(delivery.root).second) received[delivery.root] += delivery.length;
    return ok();
  }
  Result<void> wait(const Digest& root, std::stop_token) override {
    if (still.count(root) != 0) return Error{Code::kTimeout, "the transfer stands still"};
    return ok();
  }
  Result<void> seed(const node::Carried& delivery, const std::vector<Digest>&) override {
    carried.insert(delivery.root);
    return ok();
  }
  Result<void> forget(const Digest& root, bool) override {
    carried.erase(root);
    return ok();
  }
  void meet(const Digest&, const std::string&, const std::vector<std::string>&) override {}
  std::optional<api::Transfer> transfer(const Digest& root) const override {
    if (carried.count(root) == 0) return std::nullopt;
    api::Transfer transfer;
    transfer.root = root;
    auto bytes = received.find(root);
    transfer.from_peers = bytes == received.end() ? 0 : bytes->second;
    return transfer;
  }
  void count_anew(const Digest& root) override { received.erase(root); }
  std::string endpoint() const override { return "192.0.2.7:6881"; }

 private:
  const FakeGateway& gateway_;
};

}  // namespace lineside::fakes

// SPDX-License-Identifier: Apache-2.0
// Nodes that talk to each other over real TLS on the loopback.
#include "node/gossip.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "node/http_gateway_link.h"
#include "node/kept_roots.h"
#include "proto/http/client.h"
#include "tests/fakes/signed_site.h"
#include "tests/fakes/temp_dir.h"
#include "tests/proto/http/keys.h"
#include "tests/proto/http/raw_connection.h"

namespace lineside::node {
namespace {

using fakes::must;

class GossipTest : public testing::Test {
 protected:
  GossipTest() {
    for (trust::Device& device : site_.roster.devices) device.revoked = device.id == "cam03";
    roster_ = std::make_shared<const trust::VerifiedRoster>(trust::VerifiedRoster{
        site_.roster, sha256(trust::serialise(site_.roster)), to_bytes("the roster")});
    directive_ = std::make_shared<const trust::VerifiedDirective>(site_.verified());
    server_ = start("ipc01", {});
    Holdings holdings;
    holdings.site_root = 3;
    holdings.roster = roster_;
    holdings.directive = directive_;
    holdings.attestations = {site_.seal(site_.passed("ipc01"))};
    holdings.attestation_digests = {sha256(as_bytes("that one"))};
    server_->show(holdings);
  }

  std::unique_ptr<Gossip> start(const std::string& device, std::vector<std::string> peers) {
    GossipOptions options;
    options.listen = "127.0.0.1:0";
    options.peers = std::move(peers);
    options.every = std::chrono::milliseconds(10);
    dir_.write(device + "/lock", "");
    return must(Gossip::start(*disk_, dir_ / device, identity(device), options));
  }
  http::Identity identity(const std::string& device) {
    return must(http::Identity::make(must(site_.key(device).to_pem(std::nullopt)), device));
  }
  http::ClientOptions client(const http::Identity& own) const {
    http::ClientOptions options;
    options.base_url = "https://" + server_->endpoint();
    options.any_key = true;
    options.identity = own;
    return options;
  }
  Result<http::Reply> get(const http::Identity& own, const std::string& path) const {
    return must(http::Client::make(client(own))).get(path);
  }
  static std::vector<Gift> await_gifts(Gossip& gossip) {
    std::vector<Gift> gifts = gossip.take();
    while (gifts.empty()) {
      std::this_thread::yield();
      gifts = gossip.take();
    }
    return gifts;
  }
  fakes::RawConnection raw() const {
    auto own = must(api::parse_endpoint(server_->endpoint()));
    return fakes::RawConnection({own.address, own.port});
  }

  fakes::TempDir dir_;
  std::unique_ptr<Disk> disk_ = make_posix_disk();
  fakes::SignedSite site_;
  std::shared_ptr<const trust::VerifiedRoster> roster_;
  std::shared_ptr<const trust::VerifiedDirective> directive_;
  std::unique_ptr<Gossip> server_;
};

TEST_F(GossipTest, WhatIsNewerReachesWhoAsks) {
  dir_.write("ipc01/trust/site/root.json", R"({"signed":{"version":3}})");
  dir_.write("ipc01/trust/site/chain/2.root.json", "two");
  auto asker = start("cam01", {server_->endpoint()});
  Holdings poor;
  poor.site_root = 1;
  auto older = site_.roster;
  older.version = 1;
  poor.roster = std::make_shared<const trust::VerifiedRoster>(
      trust::VerifiedRoster{older, sha256(as_bytes("older")), to_bytes("older")});
  asker->show(poor);
  auto gifts = await_gifts(*asker);
  ASSERT_EQ(gifts.size(), 3U);
  EXPECT_EQ(gifts[0].kind, Gift::Kind::kSiteRoots);
  EXPECT_EQ(gifts[0].first, 2);
  ASSERT_EQ(gifts[0].bytes.size(), 2U);
  EXPECT_EQ(as_text(gifts[0].bytes[0]), "two");
  EXPECT_EQ(gifts[1].kind, Gift::Kind::kRoster);
  EXPECT_EQ(as_text(gifts[1].bytes.at(0)), "the roster");
  EXPECT_EQ(gifts[2].kind, Gift::Kind::kDirective);
  EXPECT_EQ(gifts[2].bytes.at(0), directive_->envelope);
  EXPECT_EQ(gifts[2].from, server_->endpoint());
  EXPECT_FALSE(asker->sources().empty());
  asker.reset();
  EXPECT_NE(dir_.read("cam01/peers.json").find(server_->endpoint()), std::string::npos);
}

TEST_F(GossipTest, EvidenceAndASecondDirectiveOfOneNumberAreNews) {
  auto asker = start("cam01", {server_->endpoint()});
  Holdings same;
  same.site_root = 3;
  same.roster = roster_;
  same.directive = directive_;
  asker->show(same);
  auto gifts = await_gifts(*asker);
  EXPECT_EQ(gifts[0].kind, Gift::Kind::kAttestations);
  EXPECT_EQ(gifts[0].bytes.size(), 1U);
  site_.directive.batch_size = 9;
  same.directive = std::make_shared<const trust::VerifiedDirective>(site_.verified());
  asker->show(same);
  while (gifts[0].kind != Gift::Kind::kDirective) gifts = await_gifts(*asker);
  EXPECT_EQ(gifts[0].bytes.at(0), directive_->envelope);
}

// Nobody told the server of the asker: it learns the address from the call, and asks back.
TEST_F(GossipTest, WhoHoldsNewerThingsIsAskedBack) {
  auto rich = start("cam01", {server_->endpoint()});
  site_.directive.sequence = 18;
  Holdings newer;
  newer.site_root = 3;
  newer.roster = roster_;
  newer.directive = std::make_shared<const trust::VerifiedDirective>(site_.verified());
  rich->show(newer);
  auto gifts = await_gifts(*server_);
  EXPECT_EQ(gifts.at(0).kind, Gift::Kind::kDirective);
  EXPECT_EQ(gifts.at(0).bytes.at(0), newer.directive->envelope);
}

TEST_F(GossipTest, APeerServesWhatTheGatewayServes) {
  const std::string hex = sha256(as_bytes("manifest")).hex();
  dir_.write("ipc01/manifests/" + hex + ".json", "manifest");
  dir_.write("ipc01/trust/vendor/timestamp.json", R"({"signed":{"version":7}})");
  dir_.write("ipc01/trust/vendor/snapshot.json", "snapshot");
  HttpGatewayLink link({"https://" + server_->endpoint()}, identity("cam01"));
  link.pin({site_.key("ipc01").public_key()});
  EXPECT_EQ(as_text(must(link.roster())), "the roster");
  EXPECT_EQ(must(link.directive()), directive_->envelope);
  EXPECT_EQ(must(link.attestations(directive_->digest)).size(), 1U);
  EXPECT_TRUE(must(link.attestations(Digest{})).empty());
  EXPECT_EQ(as_text(must(link.vendor_metadata().fetch("5.snapshot.json", 100))), "snapshot");
  EXPECT_FALSE(link.vendor_metadata().fetch("5.other.json", 100).ok());
  EXPECT_FALSE(link.vendor_metadata().fetch("2.root.json", 100).ok());
  EXPECT_EQ(as_text(must(link.vendor_targets().fetch("vision/" + hex + ".2.0.0.json", 100))),
            "manifest");
  EXPECT_EQ(link.vendor_targets().fetch("vision/2.0.0.json", 100).ok(), false);
  EXPECT_EQ(link.delivery(Digest{}, Digest{}).error().code, Code::kNotFound);
  EXPECT_EQ(link.evidence().error().code, Code::kNotFound);
  EXPECT_EQ(must(link.exchange({})).vendor_timestamp, 7);
}

TEST_F(GossipTest, AnUnknownOrRevokedKeyIsRefusedEverything) {
  for (const auto& own : {fakes::new_identity("stranger"), identity("cam03")}) {
    for (const char* path : {"/v1/roster", "/v1/directive", "/v1/evidence", "/v1/nothing",
                             "/v1/site/metadata/1.root.json", "/v1/leaves/00"}) {
      auto reply = get(own, path);
      ASSERT_TRUE(reply.ok()) << reply.error().describe();
      EXPECT_EQ(reply->status, 403) << path;
    }
  }
  EXPECT_EQ(get(identity("cam01"), "/v1/roster")->status, 200);
}

TEST_F(GossipTest, AStrangerWhoAnswersIsNoPeer) {
  GossipOptions options;
  options.listen = "127.0.0.1:0";
  auto stranger =
      must(Gossip::start(*disk_, dir_ / "stranger", fakes::new_identity("stranger"), options));
  HttpGatewayLink link({"https://" + stranger->endpoint()}, identity("cam01"));
  link.pin({site_.key("ipc01").public_key(), site_.key("cam02").public_key()});
  EXPECT_EQ(link.exchange({}).error().code, Code::kUnknownKey);
}

TEST_F(GossipTest, WithoutACertificateNothingIsAnswered) {
  auto options = client(identity("cam01"));
  options.identity.reset();
  EXPECT_FALSE(must(http::Client::make(options)).get("/v1/roster").ok());
}

TEST_F(GossipTest, Tls12IsRefused) {
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                            SSL_CTX_free);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
  auto connection = raw();
  SSL_set_fd(ssl.get(), connection.fd());
  EXPECT_NE(SSL_connect(ssl.get()), 1);
}

TEST_F(GossipTest, PathsStayInTheirFolders) {
  dir_.write("ipc01/device.key", "secret");
  for (const char* path :
       {"/v1/vendor/metadata/../../device.key", "/v1/vendor/metadata/%2e%2e/%2e%2e/device.key",
        "/v1/leaves/../device.key", "/v1/site/metadata/..%2f..%2fdevice.key",
        "/v1/vendor/targets/..%2fdevice.key"}) {
    auto reply = get(identity("cam01"), path);
    ASSERT_TRUE(reply.ok());
    EXPECT_GE(reply->status, 400) << path;
    EXPECT_EQ(as_text(reply->body).find("secret"), std::string_view::npos) << path;
  }
}

TEST_F(GossipTest, BodiesAreCappedAndRequestsCounted) {
  auto own = must(http::Client::make(client(identity("cam01"))));
  EXPECT_EQ(must(own.request("POST", "/v1/heads", Bytes(api::kMaxHeadsBytes + 1, ' '))).status,
            413);
  auto again = must(http::Client::make(client(identity("cam01"))));
  EXPECT_EQ(must(again.request("POST", "/v1/roster", to_bytes("x"))).status, 413);
  EXPECT_EQ(must(again.request("POST", "/v1/heads", to_bytes("{}"))).status, 400);
  int refused = 0;
  for (int i = 0; i < 150; ++i) {
    auto reply = again.get("/v1/roster");
    refused += reply.ok() && reply->status == 429 ? 1 : 0;
  }
  EXPECT_GT(refused, 0);
  EXPECT_EQ(get(identity("cam02"), "/v1/roster")->status, 200);  // others are not punished
}

TEST(KeptRoots, NamesAreReadInOneSpelling) {
  EXPECT_EQ(root_version("1.root.json"), 1);
  EXPECT_EQ(root_version("17.root.json"), 17);
  for (const char* bad : {"0.root.json", "01.root.json", "root.json", "-1.root.json", ".root.json",
                          "1.root.json.x", "99999999999999999999.root.json", "1/2.root.json"}) {
    EXPECT_EQ(root_version(bad), 0) << bad;
  }
}

}  // namespace
}  // namespace lineside::node

// SPDX-License-Identifier: Apache-2.0
#include "proto/api/site_api.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace lineside::api {
namespace {

NodeReport sample() {
  NodeReport report;
  report.device = "line3-cam07";
  report.agent = "0.1.0";
  report.hardware = {"jetson"};
  report.state = "fetching";
  report.directive_sequence = 4;
  report.bundle = "vision/1.0.0.json";
  report.version = "1.0.0";
  report.tree = sha256(as_bytes("tree"));
  report.trees = {report.tree};
  report.inferring_cause = "infer.case.speech: 0.5";
  report.inferring_since = UtcTime{std::chrono::seconds(1'800'000'000)};
  report.damage = "1 differences from the signed listing";
  report.transfer = Transfer{};
  report.transfer->length = 5ULL << 30;
  report.transfer->pieces = 9;
  report.transfer->piece_map = {0xff, 0x80};
  report.gossip_endpoint = "192.0.2.7:7445";
  report.refusal = Refusal{"directive", "gateway", "rollback", "older than held", {}};
  report.transfer->culprits = {"192.0.2.7"};
  report.check = CheckSummary{"live", "pass", "", {}, {{"latency.p50_us", "73.1"}}, ""};
  return report;
}

TEST(NodeReport, SurvivesTheWire) {
  auto back = parse_node_report(as_bytes(to_json(sample()).dump()));
  ASSERT_TRUE(back.ok()) << back.error().describe();
  EXPECT_EQ(to_json(*back), to_json(sample()));
}

TEST(NodeReport, IgnoresMembersOfANewerVersion) {
  auto body = to_json(sample());
  body["colour"] = "blue";
  EXPECT_TRUE(parse_node_report(as_bytes(body.dump())).ok());
}

TEST(NodeReport, OfAnOlderNodeLacksMembers) {
  auto body = to_json(sample());
  for (const char* name :
       {"inferring_cause", "inferring_since", "damage", "gossip_endpoint", "refusal"})
    body.erase(name);
  EXPECT_TRUE(parse_node_report(as_bytes(body.dump())).ok());
}

TEST(NodeReport, NamesTheMemberThatIsWrong) {
  auto body = to_json(sample());
  body["inferences"] = -1;
  auto back = parse_node_report(as_bytes(body.dump()));
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code, Code::kMalformed);
  EXPECT_NE(back.error().what.find("inferences"), std::string::npos) << back.error().what;
}

TEST(NodeReport, RefusesAPieceMapLargerThanThePieces) {
  auto body = to_json(sample());
  body["transfer"]["piece_map"] = to_base64(Bytes(100, 1));
  EXPECT_FALSE(parse_node_report(as_bytes(body.dump())).ok());
}

TEST(NodeReport, TakesABoundedNumberOfCulpritsOrNone) {
  auto body = to_json(sample());
  body["transfer"].erase("culprits");
  EXPECT_TRUE(parse_node_report(as_bytes(body.dump())).ok());
  body["transfer"]["culprits"] = std::vector<std::string>(kMaxCulprits + 1, "192.0.2.7");
  EXPECT_FALSE(parse_node_report(as_bytes(body.dump())).ok());
}

TEST(NodeReport, RefusesABodyOverTheCap) {
  Bytes body(kMaxReportBytes + 1, ' ');
  EXPECT_EQ(parse_node_report(body).error().code, Code::kTooLarge);
}

TEST(ReportReply, SurvivesTheWire) {
  ReportReply reply;
  reply.batches_open = 3;
  reply.called_off = true;
  reply.peers = {"127.0.0.5:7001"};
  reply.gossip = {"127.0.0.5:7002"};
  auto back = parse_report_reply(as_bytes(to_json(reply).dump()));
  ASSERT_TRUE(back.ok()) << back.error().describe();
  EXPECT_EQ(to_json(*back), to_json(reply));
}

TEST(ReportReply, OfAnOlderGatewayCallsNothingOff) {
  auto body = to_json(ReportReply{});
  body.erase("called_off");
  auto back = parse_report_reply(as_bytes(body.dump()));
  ASSERT_TRUE(back.ok()) << back.error().describe();
  EXPECT_FALSE(back->called_off);
}

TEST(Endpoint, ReadsBothFamilies) {
  EXPECT_EQ(parse_endpoint("10.0.0.1:80")->text(), "10.0.0.1:80");
  EXPECT_EQ(parse_endpoint("[fe80::1]:65535")->text(), "[fe80::1]:65535");
}

TEST(Endpoint, RefusesNamesBadPortsAndRest) {
  for (const char* bad : {"", "host:80", "10.0.0.1", "10.0.0.1:", "10.0.0.1:65536", "10.0.0.1:8x",
                          "fe80::1:80", "[10.0.0.1]:80", "10.0.0.1:-1"}) {
    EXPECT_EQ(parse_endpoint(bad).error().code, Code::kMalformed) << bad;
  }
}

}  // namespace
}  // namespace lineside::api

// SPDX-License-Identifier: Apache-2.0
#include "seeder/ctl/views.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "seeder/ctl/view_text.h"

namespace lineside::ctl {
namespace {

seeder::SiteStatus sample() {
  seeder::SiteStatus status;
  status.site = "plant-7";
  status.now = UtcTime(std::chrono::seconds(1'790'000'000));
  status.supply.state = "ready";
  status.rollout.emplace();
  status.rollout->sequence = 3;
  status.rollout->bundle = "vision/2.0.0.json";
  status.rollout->stage = "batches";
  status.rollout->endings = {{"confirmed", 1}, {"pending", 1}};
  status.rollout->canaries = {{"cam01", "passed", ""}};
  status.rollout->wan_payload = 1'200'000;
  for (const char* id : {"cam01", "cam02"}) {
    seeder::NodeRow node;
    node.device = id;
    node.batch = 0;
    node.report.emplace();
    node.report->device = id;
    node.report->state = "fetching";
    node.report->directive_sequence = 3;
    node.report->delivered_from_gateway = 600'000;
    node.report->delivered_from_peers = 400'000;
    node.report->transfer.emplace();
    node.report->transfer->length = 1'000'000;
    node.report->transfer->have = 500'000;
    node.report->transfer->pieces = 62;
    status.nodes.push_back(node);
  }
  return status;
}

TEST(Views, ShowEachNodesProgressAndWhereItsBytesCameFrom) {
  std::string view = status_view(sample(), {});
  EXPECT_NE(view.find("cam02"), std::string::npos);
  EXPECT_NE(view.find("50 %"), std::string::npos);
  EXPECT_NE(view.find("600 kB / 400 kB"), std::string::npos);
  EXPECT_EQ(view.find('\x1b'), std::string::npos) << "no colour unless asked for";
}

TEST(Views, WhatADeviceSaysCannotDriveTheTerminal) {
  seeder::SiteStatus status = sample();
  status.nodes[0].report->error = "\x1b[2Jgone\x07";
  status.nodes[0].report->version = "1\x1b]0;title\x07";
  status.rollout->reason = "\x1b[31m";
  std::string all = status_view(status, {}) + report_view(status, {});
  EXPECT_EQ(all.find('\x1b'), std::string::npos);
  EXPECT_EQ(all.find('\x07'), std::string::npos);
}

seeder::SiteStatus one_is_dead() {
  seeder::SiteStatus status = sample();
  seeder::NodeRow& dead = status.nodes[1];
  dead.ending = "confirmed";
  dead.health = "not-inferring";
  dead.report->state = "confirmed";
  status.nodes[0].health = "inferring";
  status.health = {{"inferring", 1}, {"not-inferring", 1}, {"silent", 0}};
  return status;
}

TEST(Views, AConfirmedDeviceThatDoesNotInferShoutsEverywhere) {
  seeder::SiteStatus status = one_is_dead();
  std::string view = status_view(status, {});
  EXPECT_NE(view.find("1 inferring  1 NOT INFERRING\n"), std::string::npos) << view;
  EXPECT_EQ(view.find("silent"), std::string::npos);
  EXPECT_EQ(view.find('\x1b'), std::string::npos);
  EXPECT_NE(report_view(status, {}).find("confirmed, NOT INFERRING"), std::string::npos);
  EXPECT_EQ(attention_text(status), "NOT INFERRING: cam02");
  auto lines = changes(sample(), status);
  ASSERT_FALSE(lines.empty());
  EXPECT_NE(lines.back().find("cam02 NOT INFERRING"), std::string::npos);
  ViewOptions coloured;
  coloured.colour = true;
  EXPECT_NE(status_view(status, coloured).find("\x1b[31;1mNOT INFERRING"), std::string::npos);
}

TEST(Views, ADamagedDeviceAsksForAttentionAndTheWayOutStandsBesideIt) {
  seeder::SiteStatus status = one_is_dead();
  status.nodes[1].health = "damaged";
  status.nodes[1].report->bundle = "vision/1.0.0.json";
  status.nodes[1].report->damage = "models/a: content differs";
  status.health = {{"inferring", 1}, {"damaged", 1}};
  EXPECT_EQ(attention_text(status), "DAMAGED: cam02");
  std::string view = status_view(status, {});
  EXPECT_NE(view.find("1 inferring  1 DAMAGED\n"), std::string::npos) << view;
  EXPECT_NE(view.find("models/a"), std::string::npos);
  EXPECT_NE(view.find("lineside rollout start vision/1.0.0 --device cam02"), std::string::npos);
  EXPECT_NE(report_view(status, {}).find("confirmed, DAMAGED"), std::string::npos);
}

TEST(Views, OnlyWaitingForTheGatewayIsShownAsThat) {
  seeder::SiteStatus status = sample();
  api::NodeReport& report = *status.nodes[1].report;
  report.transfer.reset();
  report.error = "/v1/delivery: the gateway answers 403";
  for (const char* supply : {"fetching", "making", "ready"}) {
    status.supply.state = supply;
    report.code = "http";
    EXPECT_NE(status_view(status, {}).find("answers 403"), std::string::npos) << supply;
    report.code = "timeout";
    bool waits = std::string(supply) != "ready";
    EXPECT_EQ(status_view(status, {}).find("gateway prepares") != std::string::npos, waits);
  }
  report.code = "not-found";
  report.error = "the vendor vouches for no vision/2.0.0.json";
  EXPECT_NE(status_view(status, {}).find("vouches for no"), std::string::npos);
}

TEST(Views, WhyADeviceDoesNotInferStandsBesideIt) {
  seeder::SiteStatus status = one_is_dead();
  status.nodes[1].report->inferring_cause = "no heartbeat for 60 s";
  EXPECT_NE(status_view(status, {}).find("no heartbeat for 60 s"), std::string::npos);
}

TEST(Views, ASiteThatIsWellAsksForNoAttention) {
  seeder::SiteStatus status = one_is_dead();
  status.nodes[1].health = "updating";
  EXPECT_EQ(attention_text(status), "");
}

TEST(Views, ARolloutAtRestSaysWhatThereIsToLookAt) {
  seeder::RolloutRow rollout = *sample().rollout;
  EXPECT_FALSE(at_rest(rollout));
  rollout.paused = true;
  EXPECT_TRUE(at_rest(rollout));
  EXPECT_NE(rollout_fault(rollout).find("rollout 3 is paused"), std::string::npos);
  rollout.paused = false;
  rollout.stage = "failed";
  rollout.reason = "canary cam01 failed";
  EXPECT_TRUE(at_rest(rollout));
  EXPECT_NE(rollout_fault(rollout).find("ended: failed: canary cam01"), std::string::npos);
  rollout.stage = "done";
  EXPECT_EQ(rollout_fault(rollout), "");
  rollout.endings["stalled"] = 1;
  EXPECT_NE(rollout_fault(rollout), "");
}

TEST(Views, ASupersededRolloutIsShownAsThatEvenIfItWasPaused) {
  seeder::SiteStatus status = sample();
  status.rollout->stage = "superseded";
  status.rollout->paused = true;
  EXPECT_EQ(report_view(status, {}).find("PAUSED"), std::string::npos);
  EXPECT_NE(report_view(status, {}).find("superseded"), std::string::npos);
}

TEST(Views, WhileTheGatewayPreparesADeliveryNoRawAnswerIsShown) {
  seeder::SiteStatus status = sample();
  api::NodeReport& report = *status.nodes[1].report;
  report.transfer.reset();
  report.version = "1.0.0";
  report.code = "not-found";
  report.error = "GET https://10.0.0.2:7443/v1/delivery?base=00&target=11: 404 Not Found";
  status.supply.state = "fetching";
  status.supply.done = 25;
  status.supply.total = 100;
  std::string view = status_view(status, {});
  EXPECT_NE(view.find("gateway prepares delivery from 1.0.0 (25 %)"), std::string::npos) << view;
  EXPECT_EQ(view.find("404"), std::string::npos);
  EXPECT_EQ(view.find("https://"), std::string::npos);
}

TEST(Views, AfterAnAbortTheDeviceSaysByWhomAndWhen) {
  seeder::SiteStatus status = sample();
  status.nodes[1].ending = "unfinished";
  status.nodes[1].health = "updating";
  status.nodes[1].why = "aborted by operator 7Q2F at 2026-03-01T00:00:00Z";
  std::string view = status_view(status, {});
  EXPECT_NE(view.find("fetching, stopped"), std::string::npos);
  EXPECT_NE(view.find("aborted by operator 7Q2F at 2026-03-01"), std::string::npos);
}

TEST(Views, AnEndedRolloutUpdatesNobody) {
  seeder::NodeRow node = sample().nodes[1];
  node.report->state = "gated";
  node.report->bundle = "vision/1.0.0.json";
  node.report->inferring = true;
  UtcTime now = sample().now;
  node.heard = now;
  EXPECT_EQ(seeder::health_of(node, now, now), seeder::Health::kUpdating);
  node.ending = "unfinished";
  EXPECT_EQ(seeder::health_of(node, now, now), seeder::Health::kInferring);
  node.health = "inferring";
  seeder::SiteStatus status = sample();
  status.nodes = {node};
  EXPECT_NE(status_view(status, {}).find("gated, stopped"), std::string::npos);
}

TEST(Views, ThePackageThatIsNamedLateInACauseIsStillRead) {
  seeder::SiteStatus status = sample();
  status.nodes[1].report->state = "failed";
  status.nodes[1].report->error =
      "deps.import: ImportError: this very long story of a loader ends with the one word that "
      "matters, which is numpy";
  EXPECT_NE(status_view(status, {}).find("which is numpy"), std::string::npos);
  ViewOptions narrow;
  narrow.width = 100;
  narrow.colour = true;
  std::string view = status_view(status, narrow);
  EXPECT_EQ(view.find("which is numpy"), std::string::npos);
  std::string line;
  for (std::istringstream lines(view); std::getline(lines, line);) {
    EXPECT_LE(columns(line), 100U) << line;
  }
}

TEST(Views, AnEarlierFailureIsNotTheCauseOfWhatHappensNow) {
  seeder::SiteStatus status = sample();
  status.nodes[1].report->check.emplace();
  status.nodes[1].report->check->phase = "staged";
  status.nodes[1].report->check->verdict = "fail";
  status.nodes[1].report->check->cause = "deps.import: of last week";
  EXPECT_EQ(status_view(status, {}).find("last week"), std::string::npos);
  status.nodes[1].report->state = "failed";
  EXPECT_NE(status_view(status, {}).find("last week"), std::string::npos);
  status.nodes[1].health = "not-inferring";
  EXPECT_EQ(describe_change(seeder::Health::kInferring, status.nodes[1]).find("last week"),
            std::string::npos);
}

TEST(Views, HowTheOriginAnswersIsALineOfItsOwn) {
  seeder::SiteStatus status = sample();
  EXPECT_NE(status_view(status, {}).find("origin   no good answer yet\n"), std::string::npos);
  status.origin.succeeded = UtcTime(std::chrono::seconds(1'789'990'000));
  EXPECT_NE(status_view(status, {}).find("origin   last good answer at 2026-"), std::string::npos);
  status.origin.failed = status.now;
  status.origin.error = "network: connect: \x1b[2Jtimed out";
  status.origin.concerns = "metadata";
  std::string view = status_view(status, {});
  EXPECT_NE(view.find("(metadata): network: connect:"), std::string::npos) << view;
  EXPECT_EQ(view.find('\x1b'), std::string::npos);
}

TEST(Views, SumsAreOfTheRolloutAlone) {
  seeder::SiteStatus status = sample();
  status.nodes[1].report->directive_sequence = 2;
  TransferSums moved = sums(status);
  EXPECT_EQ(moved.wan, 1'200'000U);
  EXPECT_EQ(moved.from_gateway, 600'000U);
  EXPECT_EQ(moved.from_peers, 400'000U);
}

TEST(Views, ChangesNameWhatDiffersAndNothingElse) {
  seeder::SiteStatus before = sample();
  seeder::SiteStatus after = before;
  EXPECT_TRUE(changes(before, after).empty());
  after.nodes[1].report->state = "staging";
  after.rollout->batches_open = 2;
  auto lines = changes(before, after);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_NE(lines[1].find("cam02 staging"), std::string::npos);
}

TEST(Views, LongSitesAreCutToTheTerminal) {
  ViewOptions options;
  options.max_nodes = 1;
  std::string view = status_view(sample(), options);
  EXPECT_EQ(view.find("cam02"), std::string::npos);
  EXPECT_NE(view.find("1 more"), std::string::npos);
}

TEST(Views, TheReportSetsFactsBesideTheForecast) {
  seeder::SiteStatus status = sample();
  EXPECT_EQ(report_view(status, {}).find("FORESEEN"), std::string::npos);
  status.rollout->forecast = seeder::Forecast{2, 1'000'000, 2'500'000, 4, 6, 20};
  status.rollout->seconds = 45;
  std::string view = report_view(status, {});
  EXPECT_NE(view.find("LAN      2.5 MB    2.0 MB"), std::string::npos) << view;
  EXPECT_NE(view.find("time     30 s      45 s"), std::string::npos) << view;
  auto back = seeder::parse_site_status(as_bytes(to_json(status).dump()));
  ASSERT_TRUE(back.ok()) << back.error().describe();
  EXPECT_EQ(back->rollout->forecast->lan_bytes, 2'500'000U);
}

TEST(Views, TheReportAsCsvIsALineADeviceAndHoldsNoFormula) {
  seeder::SiteStatus status = sample();
  status.nodes[0].why = "check-failed: a \"quoted\", word";
  status.nodes[1].report->version = "=cmd()";
  std::string csv = report_csv(status);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 3);
  EXPECT_NE(csv.find(R"("check-failed: a ""quoted"", word")"), std::string::npos) << csv;
  EXPECT_NE(csv.find("\"'=cmd()\""), std::string::npos) << csv;
  EXPECT_NE(csv.find(R"("600000","400000")"), std::string::npos) << csv;
}

TEST(Views, StatusSurvivesItsJson) {
  seeder::SiteStatus status = sample();
  auto back = seeder::parse_site_status(as_bytes(to_json(status).dump()));
  ASSERT_TRUE(back.ok()) << back.error().describe();
  EXPECT_EQ(to_json(*back), to_json(status));
  EXPECT_FALSE(seeder::parse_site_status(as_bytes("{}")).ok());
}

}  // namespace
}  // namespace lineside::ctl

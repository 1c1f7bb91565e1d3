// SPDX-License-Identifier: Apache-2.0
#include "seeder/page/page_views.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/fakes/signed_site.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::seeder {
namespace {

using nlohmann::json;

struct PageViewsTest : ::testing::Test {
  fakes::SignedSite site;
  fakes::TempDir dir;
  std::unique_ptr<Disk> disk = make_posix_disk();

  void mirror(const trust::Manifest& manifest) {
    Bytes bytes = trust::serialise(manifest);
    dir.write("vision/" + sha256(bytes).hex() + ".2.0.0.json", std::string(as_text(bytes)));
  }
};

TEST_F(PageViewsTest, AnAttestationIsShownWithTheEnvelopeThatProvesIt) {
  Bytes envelope = site.seal(site.passed("cam01"));
  json view = attestation_view(envelope, site.roster);
  EXPECT_EQ(view["device"], "cam01");
  EXPECT_EQ(view["outcome"], "passed");
  EXPECT_EQ(view["envelope"], to_base64(envelope));
}

TEST_F(PageViewsTest, AnAttestationThatDoesNotVerifySaysNothingButWhy) {
  trust::Attestation forged = site.passed("cam01");
  Bytes envelope = fakes::must(trust::seal_attestation(forged, site.key("cam02")));
  json view = attestation_view(envelope, site.roster);
  EXPECT_FALSE(view.contains("outcome"));
  EXPECT_FALSE(view["invalid"].get<std::string>().empty());
}

TEST_F(PageViewsTest, PiecesAreOfThoseWhoCarryADelivery) {
  std::vector<NodeRow> nodes(3);
  nodes[0].device = "cam01";
  nodes[1].device = "cam02";
  nodes[2].device = "cam03";
  for (std::size_t i : {1U, 2U}) nodes[i].report.emplace();
  nodes[2].report->transfer.emplace();
  nodes[2].report->transfer->piece_map = {0xff, 0x80};
  EXPECT_EQ(pieces_view(nodes, ""), json({{"cam03", "/4A="}}));
  EXPECT_EQ(pieces_view(nodes, "cam03"), json({{"cam03", "/4A="}}));
  EXPECT_EQ(pieces_view(nodes, "cam02"), json::object());
}

TEST_F(PageViewsTest, FindsTheManifestWithTheHighestRelease) {
  mirror(site.manifest);
  trust::Manifest newer = site.manifest;
  newer.release += 1;
  mirror(newer);
  dir.write("vision/" + std::string(64, '0') + ".2.0.0.json", "{}");
  auto found = find_manifest(*disk, dir.path(), "vision/2.0.0.json");
  ASSERT_TRUE(found.ok()) << found.error().describe();
  EXPECT_EQ(found->manifest.release, newer.release);
  EXPECT_EQ(manifest_view(*found)["waivers"].size(), 1U);
}

TEST_F(PageViewsTest, ANameCannotLeaveTheMirror) {
  for (const char* name :
       {"../trust/1.root.json", "vision/../../x.json", "vision", "", "/x.json", "vision/2.0.0"}) {
    auto found = find_manifest(*disk, dir.path(), name);
    ASSERT_FALSE(found.ok()) << name;
    EXPECT_EQ(found.error().code, Code::kMalformed) << name;
  }
  EXPECT_EQ(find_manifest(*disk, dir.path(), "vision/9.json").error().code, Code::kNotFound);
}

TEST_F(PageViewsTest, LimitsHaveTheNamesOfWhatIsMeasured) {
  dir.write("validation/probe.json", R"({"schema":1,"argv":["{runtime}/run"],
      "cases":[{"name":"a","inputs":{"x":"cases/x.npy"},"outputs":{"y":{"file":"cases/y.npy"}}}],
      "budgets":{"p50_ms":20,"rss_mb":400},"limits":{"wall_s":120}})");
  auto limits = budgets_view(*disk, dir.path());
  ASSERT_TRUE(limits.ok()) << limits.error().describe();
  EXPECT_EQ((*limits)["latency.p50_us"], 20000.0);
  EXPECT_EQ((*limits)["wall_ms"], 120000.0);
  EXPECT_FALSE(limits->contains("load_ms"));
}

}  // namespace
}  // namespace lineside::seeder

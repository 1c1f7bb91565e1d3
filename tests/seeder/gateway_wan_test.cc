// SPDX-License-Identifier: Apache-2.0
// What operators may do about the WAN, over the API.
#include "tests/seeder/gateway_fixture.h"

namespace lineside::seeder {
namespace {

using nlohmann::json;

struct GatewayWanTest : GatewayFixture {};

TEST_F(GatewayWanTest, TakesAStickAndMoreBytesOnAnOperatorsWordOnly) {
  trust::Manifest one = vendor.publish("1.0.0", 1, {{"models/a", noise(9000, 1)}});
  std::unique_ptr<Party> node = enrol("cam1", true);
  for (const char* path : {"/v1/mirror/import", "/v1/mirror/allowance"}) {
    EXPECT_EQ(node->say(path, json::object()).status, 403) << path;
  }
  ctl::Session run = session();
  must(ctl::import(run, vendor.folder(), ""));
  EXPECT_NE(out.str().find(vendor.folder().string()), std::string::npos);
  must(ctl::allow(run, "vision/1.0.0", 4711));
  EXPECT_EQ(ctl::allow(run, "vision/9.9.9", 1).error().code, Code::kNotFound);
  EXPECT_EQ(ctl::import(run, dir / "nowhere", "").error().code, Code::kNotFound);
  Party anna = operator_party();
  for (const char* body : {R"({"folder":"relative"})", R"({"bundle":"x"})", R"([])", "{"}) {
    EXPECT_EQ(anna.post("/v1/mirror/import", as_bytes(body)).status, 400) << body;
  }
}

}  // namespace
}  // namespace lineside::seeder

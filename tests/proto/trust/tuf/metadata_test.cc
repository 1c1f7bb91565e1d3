// SPDX-License-Identifier: Apache-2.0
// Wrong types everywhere: what is well-formed JSON but no metadata must be refused, never crash
// (CVE-2026-23991).
#include "proto/trust/tuf/metadata.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/fakes/tuf_vendor.h"

namespace lineside::trust::tuf {
namespace {

using nlohmann::json;

template <class Parse>
void expect_survives(const json& file, Parse parse) {
  ASSERT_TRUE(parse(to_bytes(file.dump())).ok());
  const json replacements[] = {
      nullptr, true, -1, "text", json::array(), json::object(), json::array({1}), {{"a", 1}}};
  const json leaves = file.flatten();
  for (const auto& [pointer, value] : leaves.items()) {
    json::json_pointer at(pointer);
    while (!at.empty()) {
      for (const json& replacement : replacements) {
        json changed = file;
        changed[at] = replacement;
        (void)parse(to_bytes(changed.dump())).ok();
      }
      json without = file;
      json& parent = without[at.parent_pointer()];
      if (parent.is_object()) parent.erase(at.back());
      (void)parse(to_bytes(without.dump())).ok();
      at.pop_back();
    }
  }
}

TEST(Metadata, SurvivesWrongTypesInEveryMember) {
  fakes::TufVendor vendor;
  vendor.list_hashes = true;
  vendor.delegate("targets", "ml", {"*"});
  vendor.add_target("a", "hello");
  vendor.publish({"ml", "targets", "snapshot", "timestamp"});
  auto file = [&](const char* role) { return json::parse(vendor.served(role)); };
  expect_survives(file("root"), [](const Bytes& bytes) { return parse_root(bytes); });
  expect_survives(file("timestamp"), [](const Bytes& bytes) { return parse_timestamp(bytes); });
  expect_survives(file("snapshot"), [](const Bytes& bytes) { return parse_snapshot(bytes); });
  expect_survives(file("targets"), [](const Bytes& bytes) { return parse_targets(bytes); });
}

class RequiredMember : public testing::TestWithParam<const char*> {};

TEST_P(RequiredMember, IsMissed) {
  fakes::TufVendor vendor;
  json file = json::parse(vendor.served("root"));
  json::json_pointer at(GetParam());
  file[at.parent_pointer()].erase(at.back());
  auto parsed = parse_root(to_bytes(file.dump()));
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().code, Code::kMalformed);
  EXPECT_NE(parsed.error().what.find(at.back()), std::string::npos) << parsed.error().what;
}

INSTANTIATE_TEST_SUITE_P(
    Root, RequiredMember,
    testing::Values("/signed", "/signatures", "/signed/_type", "/signed/version",
                    "/signed/spec_version", "/signed/expires", "/signed/keys", "/signed/roles",
                    "/signed/roles/root", "/signed/roles/timestamp", "/signed/roles/snapshot",
                    "/signed/roles/targets", "/signed/roles/root/keyids",
                    "/signed/roles/root/threshold", "/signatures/0/keyid", "/signatures/0/sig"));

TEST(Metadata, RefusesVersionsBelowOneAndTimesInOtherForms) {
  fakes::TufVendor vendor;
  json file = json::parse(vendor.served("targets"));
  for (json version : {json(0), json(-1), json("1")}) {
    file["signed"]["version"] = version;
    EXPECT_EQ(parse_targets(to_bytes(file.dump())).error().code, Code::kMalformed);
  }
  file["signed"]["version"] = 1;
  for (const char* time : {"2030-01-01", "2030-01-01T00:00:00", "2030-01-01T00:00:00.5Z",
                           "2030-01-01T00:00:00+00:00", "2030-13-01T00:00:00Z"}) {
    file["signed"]["expires"] = time;
    EXPECT_EQ(parse_targets(to_bytes(file.dump())).error().code, Code::kMalformed) << time;
  }
}

TEST(Metadata, KeepsKeysOfUnknownTypes) {
  fakes::TufVendor vendor;
  json file = json::parse(vendor.served("root"));
  json strange = {{"keytype", "lattice"}, {"scheme", "x"}, {"keyval", {{"public", "00"}}}};
  auto key = PublicKey::from_tuf(strange);
  ASSERT_TRUE(key.ok());
  file["signed"]["keys"][key->keyid()] = strange;
  EXPECT_TRUE(parse_root(to_bytes(file.dump())).ok());
}

}  // namespace
}  // namespace lineside::trust::tuf

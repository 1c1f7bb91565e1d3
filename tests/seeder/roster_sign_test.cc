// SPDX-License-Identifier: Apache-2.0
// After the operators of a site were rotated, its roster is signed anew: by those of the new root,
// from what those of an earlier one had signed, and from nothing else.
#include "proto/trust/tuf/repository.h"
#include "tests/seeder/gateway_fixture.h"

namespace lineside::seeder {
namespace {

using nlohmann::json;

struct RosterSignTest : GatewayFixture {
  // Root 2 names `next` as the operator, here and at the gateway, whose folder it is.
  void rotate(const trust::PrivateKey& next) {
    trust::PrivateKey old = operator_key();
    listen = gateway->endpoint();  // the devices find it there after a restart
    trust::RootSpec spec;
    for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
      spec.roles[role] = {{next.public_key()}, 1};
    }
    Bytes draft = must(trust::draft_root(spec, 2, clock.now()));
    Bytes root = must(trust::sign_metadata(must(trust::sign_metadata(draft, old)), next));
    must(disk->replace(dir / "site/2.root.json", root));
    must(disk->remove(dir / "site/operator.key"));
    must(trust::save_key(*disk, dir / "site/operator.key", next, std::nullopt));
  }
};

TEST_F(RosterSignTest, TheDevicesStayAndTheNewOperatorCanGoOn) {
  auto cam1 = enrol("cam1", true);
  auto cam2 = enrol("cam2", false);
  ctl::Session before = session();
  must(ctl::revoke(before, "cam2"));
  rotate(new_key());
  start();
  ctl::Session lost = session();
  Result<void> refused = ctl::nodes(lost);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().what.find("lineside roster sign"), std::string::npos)
      << refused.error().what;

  ctl::Session signing = session();
  notes.str("");
  must(ctl::roster_sign(signing, ctl::IfOlder::kRefuse));
  EXPECT_EQ(json::parse(out.str())["roster"], 5) << "above all that the gateway ever held";
  EXPECT_NE(notes.str().find("+ cam1: key " + cam1->key.public_key().fingerprint()),
            std::string::npos)
      << notes.str();
  EXPECT_NE(notes.str().find("+ cam2: key " + cam2->key.public_key().fingerprint() +
                             ", hardware jetson, revoked"),
            std::string::npos)
      << notes.str();
  say(*cam1, report_of("cam1", "idle", 0));
  EXPECT_EQ(cam2->say("/v1/report", api::to_json(report_of("cam2", "idle", 0))).status, 403);
  ctl::Session again = session();
  must(ctl::roster_sign(again, ctl::IfOlder::kRefuse));
  EXPECT_EQ(json::parse(out.str())["roster"], 5) << "there is nothing to do a second time";
}

// What was revoked meanwhile would be back.
TEST_F(RosterSignTest, AnOlderRosterThanTheGatewayHeldIsNotSignedUnasked) {
  enrol("cam1", true);
  std::string old = dir.read("site/documents/roster.dsse");
  enrol("cam2", false);
  dir.write("site/documents/roster.dsse", old);
  rotate(new_key());
  start();
  ctl::Session signing = session();
  Result<void> refused = ctl::roster_sign(signing, ctl::IfOlder::kRefuse);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kConflict);
  EXPECT_NE(refused.error().what.find("roster 3"), std::string::npos) << refused.error().what;
  must(ctl::roster_sign(signing, ctl::IfOlder::kSign));
  EXPECT_EQ(json::parse(out.str())["roster"], 4);
}

TEST_F(RosterSignTest, ARosterOfNobodyWhoEverWasAnOperatorIsRefused) {
  enrol("cam1", true);
  trust::PrivateKey thief = new_key();
  trust::Roster forged;
  forged.site = "plant-7";
  forged.version = 9;
  forged.gateways = {thief.public_key()};
  Bytes envelope = must(trust::seal(trust::kRosterType, trust::serialise(forged), {&thief}));
  must(disk->replace(dir / "site/documents/roster.dsse", envelope));
  rotate(new_key());
  start();
  ctl::Session signing = session();
  Result<void> refused = ctl::roster_sign(signing, ctl::IfOlder::kSign);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kBadSignature);
}

TEST_F(RosterSignTest, AGatewayThatHasNotHeardOfTheRotationIsToldFromOneThatIsNotToBeTrusted) {
  enrol("cam1", true);
  trust::PrivateKey old = operator_key();
  rotate(new_key());  // the gateway goes on with what it read at its start
  must(disk->remove(dir / "site/operator.key"));
  must(trust::save_key(*disk, dir / "site/operator.key", old, std::nullopt));
  ctl::Session looking = session();
  Result<trust::VerifiedRoster> refused = looking.roster();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kBadSignature);
  for (const std::string& part : {"signed by " + old.public_key().keyid().substr(0, 12),
                                  std::string("2.root.json"), std::string("restart the gateway")}) {
    EXPECT_NE(refused.error().what.find(part), std::string::npos) << refused.error().what;
  }
}

}  // namespace
}  // namespace lineside::seeder

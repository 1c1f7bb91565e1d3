// SPDX-License-Identifier: Apache-2.0
#include "node/attestation_set.h"

#include <gtest/gtest.h>

#include "tests/fakes/signed_site.h"

namespace lineside::node {
namespace {

class AttestationSetTest : public testing::Test {
 protected:
  AttestationSetTest() { set_.begin(site_.verified().digest); }
  Result<bool> add(const Bytes& envelope) {
    return set_.add(envelope, site_.roster, site_.directive);
  }
  fakes::SignedSite site_;
  AttestationSet set_;
};

TEST_F(AttestationSetTest, KeepsEachWordOnce) {
  const Bytes envelope = site_.seal(site_.passed("cam01"));
  EXPECT_TRUE(add(envelope).value());
  EXPECT_FALSE(add(envelope).value());
  EXPECT_TRUE(add(site_.seal(site_.passed("ipc01"))).value());
  EXPECT_EQ(set_.envelopes().size(), 2U);
  EXPECT_EQ(set_.digests().size(), 2U);
}

TEST_F(AttestationSetTest, RefusesWhatIsNoCanarysWordAboutTheDirective) {
  EXPECT_EQ(add(site_.seal(site_.passed("cam02"))).error().code, Code::kConflict);
  auto replayed = site_.passed("cam01");
  replayed.directive = sha256(as_bytes("an earlier directive"));
  EXPECT_EQ(add(site_.seal(replayed)).error().code, Code::kConflict);
  auto fake = site_.passed("cam01");
  fake.device = "cam02";  // signed with its own key, speaking for the canary
  Bytes envelope = site_.seal(fake);
  fake.device = "cam01";
  EXPECT_FALSE(add(fakes::must(trust::seal_attestation(fake, site_.key("cam02")))).ok());
  EXPECT_TRUE(set_.envelopes().empty());
}

TEST_F(AttestationSetTest, OneCanaryCannotFillIt) {
  for (int counter = 0; counter < 10; ++counter) {
    auto said = site_.passed("cam01");
    said.counter = counter;
    auto added = add(site_.seal(said));
    EXPECT_EQ(added.ok(), counter < 4) << counter;
  }
  EXPECT_EQ(set_.envelopes().size(), AttestationSet::kMaxOfOneDevice);
  EXPECT_TRUE(add(site_.seal(site_.passed("ipc01"))).ok());
}

TEST_F(AttestationSetTest, ForgetsUnderAnotherDirective) {
  ASSERT_TRUE(add(site_.seal(site_.passed("cam01"))).ok());
  set_.begin(site_.verified().digest);
  EXPECT_EQ(set_.envelopes().size(), 1U);
  set_.begin(sha256(as_bytes("next")));
  EXPECT_TRUE(set_.envelopes().empty());
}

}  // namespace
}  // namespace lineside::node

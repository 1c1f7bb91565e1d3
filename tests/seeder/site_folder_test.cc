// SPDX-License-Identifier: Apache-2.0
// The operator's folder is made whole or not at all, and never a second time.
#include "seeder/ctl/site_folder.h"

#include <gtest/gtest.h>

#include "proto/trust/tuf/repository.h"
#include "tests/fakes/failing_disk.h"
#include "tests/fakes/signed_site.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::ctl {
namespace {

struct SiteFolderTest : ::testing::Test {
  fakes::TempDir dir;
  std::unique_ptr<Disk> disk = make_posix_disk();
  UtcTime now = fakes::at("2026-11-22T12:00:00Z");
  trust::PrivateKey gateway = fakes::must(trust::PrivateKey::generate(trust::Scheme::kEd25519));
  SiteFolder folder{*disk, dir / "site"};

  NewSite site() { return {"plant-7", "10.0.0.2:7443", gateway.public_key(), {}, {}}; }
  Bytes vendor_root() {
    trust::RootSpec spec;
    for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
      spec.roles[role].keys = {gateway.public_key()};
    }
    return fakes::must(trust::sign_metadata(fakes::must(trust::draft_root(spec, 1, now)), gateway));
  }
  void expect_refused(const NewSite& wanted, const std::string& part) {
    auto made = folder.create(wanted, now);
    ASSERT_FALSE(made.ok()) << part;
    EXPECT_NE(made.error().what.find(part), std::string::npos) << made.error().what;
    EXPECT_TRUE(fakes::must(disk->list(dir.path())).empty()) << "something was written";
  }
};

TEST_F(SiteFolderTest, WrongArgumentsLeaveNothing) {
  NewSite wanted = site();
  wanted.name = "Plant 7";
  expect_refused(wanted, "--name Plant 7");
  wanted = site();
  wanted.gateway = "the gateway";
  expect_refused(wanted, "--gateway the gateway: expected IP:port");
  wanted = site();
  wanted.vendor_root = Bytes{'{', '}'};
  expect_refused(wanted, "--vendor-root");
  ASSERT_TRUE(folder.create(site(), now).ok()) << "the same command, mended, works";
}

TEST_F(SiteFolderTest, HoldsAllThatWasAskedFor) {
  NewSite wanted = site();
  wanted.vendor_root = vendor_root();
  ASSERT_TRUE(folder.create(wanted, now).ok());
  ASSERT_TRUE(folder.load(now).ok());
  EXPECT_EQ(folder.name(), "plant-7");
  EXPECT_EQ(fakes::must(folder.roster())->roster.version, 1);
  EXPECT_TRUE(folder.trust_vendor(*wanted.vendor_root).ok());
}

TEST_F(SiteFolderTest, ASecondTimeSaysWhatIsThereAndChangesNothing) {
  ASSERT_TRUE(folder.create(site(), now).ok());
  std::string key = dir.read("site/operator.key");
  NewSite other = site();
  other.name = "plant-8";
  auto again = folder.create(other, now);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Code::kExists);
  EXPECT_NE(again.error().what.find("holds site plant-7 already"), std::string::npos);
  EXPECT_EQ(dir.read("site/operator.key"), key);
}

TEST_F(SiteFolderTest, ForeignFilesAreLeftAlone) {
  dir.write("site/letter", "mine");
  auto made = folder.create(site(), now);
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().what.find("holds other files"), std::string::npos);
  EXPECT_EQ(dir.read("site/letter"), "mine");
}

TEST_F(SiteFolderTest, WhereverTheDiskFailsNoHalfSiteIsLeft) {
  for (std::uint64_t call = 0;; ++call) {
    fakes::FailingDisk failing(*disk);
    failing.fail_from(call);
    if (SiteFolder(failing, dir / "site").create(site(), now).ok()) break;
    ASSERT_FALSE(std::filesystem::exists(dir / "site")) << "after " << call << " calls";
  }
  EXPECT_TRUE(folder.load(now).ok());
}

}  // namespace
}  // namespace lineside::ctl

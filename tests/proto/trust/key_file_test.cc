// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/key_file.h"

#include <gtest/gtest.h>

#include "tests/fakes/temp_dir.h"

namespace lineside::trust {
namespace {

class KeyFileTest : public ::testing::Test {
 protected:
  static Result<std::optional<std::string>> right(const Path&) {
    return std::optional<std::string>("open sesame");
  }
  static Result<std::optional<std::string>> wrong(const Path&) {
    return std::optional<std::string>("guess");
  }
  fakes::TempDir dir_;
  std::unique_ptr<Disk> disk_ = make_posix_disk();
  PrivateKey key_ = PrivateKey::generate(Scheme::kEd25519).value();
};

TEST_F(KeyFileTest, IsReadableByItsOwnerOnly) {
  ASSERT_TRUE(save_key(*disk_, dir_ / "k", key_, std::nullopt).ok());
  EXPECT_EQ((*disk_->stat(dir_ / "k"))->mode, 0600U);
  ASSERT_TRUE(disk_->set_mode(dir_ / "k", 0644).ok());
  EXPECT_EQ(load_key(*disk_, dir_ / "k", {}).error().code, Code::kDenied);
}

TEST_F(KeyFileTest, AnEncryptedKeyNeedsItsPassphrase) {
  ASSERT_TRUE(save_key(*disk_, dir_ / "k", key_, "open sesame").ok());
  EXPECT_NE(dir_.read("k").find("BEGIN ENCRYPTED PRIVATE KEY"), std::string::npos);
  auto loaded = load_key(*disk_, dir_ / "k", right);
  ASSERT_TRUE(loaded.ok()) << loaded.error().describe();
  EXPECT_EQ(loaded->public_key(), key_.public_key());
  EXPECT_EQ(load_key(*disk_, dir_ / "k", wrong).error().code, Code::kDenied);
  EXPECT_EQ(load_key(*disk_, dir_ / "k", {}).error().code, Code::kDenied);
}

TEST_F(KeyFileTest, IsNeverOverwritten) {
  ASSERT_TRUE(save_key(*disk_, dir_ / "k", key_, std::nullopt).ok());
  EXPECT_EQ(save_key(*disk_, dir_ / "k", key_, std::nullopt).error().code, Code::kExists);
}

TEST_F(KeyFileTest, ADaemonKeepsTheKeyOfItsFirstStart) {
  auto first = load_or_create_key(*disk_, dir_ / "state/device.key");
  auto second = load_or_create_key(*disk_, dir_ / "state/device.key");
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->public_key(), second->public_key());
}

}  // namespace
}  // namespace lineside::trust

// SPDX-License-Identifier: Apache-2.0
// What the writer publishes, the client takes.
#include "proto/trust/tuf/repository.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proto/trust/tuf/updater.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::trust {
namespace {

using Keys = std::vector<const PrivateKey*>;

// A folder as a web server without code serves it.
class FolderFetcher final : public Fetcher {
 public:
  FolderFetcher(const Disk& disk, Path dir) : disk_(disk), dir_(std::move(dir)) {}
  [[nodiscard]] Result<Bytes> fetch(std::string_view path, std::uint64_t max_bytes) override {
    return disk_.read(dir_ / Path(path), max_bytes);
  }

 private:
  const Disk& disk_;
  Path dir_;
};

class Writer : public testing::Test {
 protected:
  void SetUp() override {
    root_ = draft(1, 1);
    sign(root_, root_key_);
    ASSERT_TRUE(repository_.create(root_, online(), lifetimes_, now_).ok());
    ASSERT_TRUE(Updater::init(*disk_, temp_ / "client", root_).ok());
  }
  static PrivateKey key() { return std::move(PrivateKey::generate(Scheme::kEd25519)).value(); }
  Bytes draft(std::int64_t version, unsigned targets_threshold) {
    RootSpec spec;
    spec.roles["root"] = {{root_key_.public_key()}, 1};
    spec.roles["timestamp"] = {{online_key_.public_key()}, 1};
    spec.roles["snapshot"] = {{online_key_.public_key()}, 1};
    spec.roles["targets"] = {{alice_.public_key(), bob_.public_key()}, targets_threshold};
    auto root = draft_root(spec, version, now_);
    EXPECT_TRUE(root.ok()) << root.error().describe();
    return *root;
  }
  static void sign(Bytes& metadata, const PrivateKey& key) {
    auto done = sign_metadata(metadata, key);
    ASSERT_TRUE(done.ok()) << done.error().describe();
    metadata = *done;
  }
  Keys online() { return {&online_key_, &alice_}; }
  static NewTarget target(std::string name, std::string_view text) {
    return {std::move(name), to_bytes(text)};
  }
  // What a client gets; the error's name if it fails.
  std::string download(const std::string& name) {
    FolderFetcher metadata(*disk_, temp_ / "repo/metadata");
    FolderFetcher targets(*disk_, temp_ / "repo/targets");
    Updater client(*disk_, temp_ / "client", metadata, now_);
    auto result = client.load();
    if (result.ok()) result = client.refresh();
    if (!result.ok()) return result.error().describe();
    auto found = client.find(name);
    if (!found.ok()) return found.error().describe();
    if (!*found) return "";
    auto content = client.download(**found, targets);
    return content.ok() ? std::string(as_text(*content)) : content.error().describe();
  }
  std::int64_t version(const std::string& role) {
    auto status = repository_.status();
    for (const auto& one : *status) {
      if (one.role == role) return one.version;
    }
    return 0;
  }

  fakes::TempDir temp_;
  std::unique_ptr<Disk> disk_ = make_posix_disk();
  UtcTime now_ = *parse_utc("2026-06-01T12:00:00Z");
  Lifetimes lifetimes_;
  PrivateKey root_key_ = key();
  PrivateKey online_key_ = key();
  PrivateKey alice_ = key();
  PrivateKey bob_ = key();
  Repository repository_{*disk_, temp_ / "repo"};
  Bytes root_;
};

TEST_F(Writer, PublishesWhatClientsTake) {
  auto done = repository_.publish({target("vision/1.0.0.json", "one"), target("b", "two")},
                                  online(), lifetimes_, now_);
  ASSERT_TRUE(done.ok()) << done.error().describe();
  EXPECT_EQ(download("vision/1.0.0.json"), "one");
  EXPECT_EQ(download("b"), "two");
  EXPECT_EQ(download("c"), "");
}

TEST_F(Writer, AddsToWhatIsPublished) {
  ASSERT_TRUE(repository_.publish({target("a", "1")}, online(), lifetimes_, now_).ok());
  ASSERT_TRUE(repository_.publish({target("b", "2")}, online(), lifetimes_, now_).ok());
  EXPECT_EQ(download("a"), "1");
  EXPECT_EQ(download("b"), "2");
  EXPECT_EQ(version("targets"), 3);
}

TEST_F(Writer, NeverChangesAPublishedTarget) {
  ASSERT_TRUE(repository_.publish({target("a", "1")}, online(), lifetimes_, now_).ok());
  auto again = repository_.publish({target("a", "2")}, online(), lifetimes_, now_);
  EXPECT_EQ(again.error().code, Code::kExists);
  EXPECT_TRUE(repository_.publish({target("a", "1")}, online(), lifetimes_, now_).ok());
  EXPECT_EQ(version("targets"), 2);
}

TEST_F(Writer, RefusesToWriteOverARepository) {
  EXPECT_EQ(repository_.create(root_, online(), lifetimes_, now_).error().code, Code::kExists);
}

TEST_F(Writer, ChangesNothingWithoutEnoughKeys) {
  for (const Keys& keys : {Keys{}, Keys{&online_key_}, Keys{&alice_}, Keys{&root_key_}}) {
    auto done = repository_.publish({target("a", "1")}, keys, lifetimes_, now_);
    EXPECT_EQ(done.error().code, Code::kBadSignature);
  }
  EXPECT_EQ(version("timestamp"), 1);
  EXPECT_TRUE(disk_->list(temp_ / "repo/targets")->empty());
}

TEST_F(Writer, RefusesNamesThatLeaveTheFolder) {
  for (const char* name : {"../a", "/a", "a//b", "a b", "é", "a\\b", ""}) {
    auto done = repository_.publish({target(name, "1")}, online(), lifetimes_, now_);
    EXPECT_EQ(done.error().code, Code::kMalformed) << name;
  }
}

TEST_F(Writer, StagesUntilEnoughHaveSigned) {
  Bytes two = draft(2, 2);
  sign(two, root_key_);
  ASSERT_TRUE(repository_.rotate_root(two, {&online_key_, &alice_, &bob_}, lifetimes_, now_).ok());

  ASSERT_TRUE(repository_.stage({target("a", "1")}, {&alice_}, lifetimes_, now_).ok());
  EXPECT_EQ(download("a"), "");
  auto state = signature_state(*repository_.staged("targets"), two, "targets");
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->have, 1U);
  EXPECT_EQ(state->need, 2U);
  EXPECT_EQ(state->missing, std::vector<std::string>{bob_.public_key().keyid()});
  EXPECT_EQ(repository_.publish_staged({&online_key_}, lifetimes_, now_).error().code,
            Code::kBadSignature);

  ASSERT_TRUE(repository_.sign_staged({&bob_, &root_key_}).ok());
  auto done = repository_.publish_staged({&online_key_}, lifetimes_, now_);
  ASSERT_TRUE(done.ok()) << done.error().describe();
  EXPECT_EQ(download("a"), "1");
  EXPECT_EQ(repository_.staged("targets").error().code, Code::kNotFound);
}

TEST_F(Writer, RefusesAStagedStateThatWasOvertaken) {
  ASSERT_TRUE(repository_.stage({target("a", "1")}, {&alice_}, lifetimes_, now_).ok());
  ASSERT_TRUE(repository_.publish({target("b", "2")}, online(), lifetimes_, now_).ok());
  EXPECT_EQ(repository_.publish_staged(online(), lifetimes_, now_).error().code, Code::kConflict);
}

TEST_F(Writer, RefreshesWhatEndsSoon) {
  ASSERT_TRUE(repository_.refresh({&online_key_}, lifetimes_, std::chrono::days(7), now_).ok());
  EXPECT_EQ(version("timestamp"), 2);
  EXPECT_EQ(version("snapshot"), 1);
  now_ += std::chrono::days(25);
  ASSERT_TRUE(repository_.refresh({&online_key_}, lifetimes_, std::chrono::days(7), now_).ok());
  EXPECT_EQ(version("snapshot"), 2);
  EXPECT_EQ(version("targets"), 1);
  now_ += std::chrono::days(29);
  EXPECT_EQ(download("a"), "");
  now_ += std::chrono::days(330);
  EXPECT_EQ(repository_.refresh({&online_key_}, lifetimes_, {}, now_).error().code,
            Code::kBadSignature);
  ASSERT_TRUE(repository_.refresh(online(), lifetimes_, {}, now_).ok());
  EXPECT_EQ(version("targets"), 2);
}

TEST_F(Writer, RotatesKeys) {
  ASSERT_TRUE(repository_.publish({target("a", "1")}, online(), lifetimes_, now_).ok());
  EXPECT_EQ(download("a"), "1");
  PrivateKey old_online = std::move(online_key_);
  online_key_ = key();
  Bytes two = draft(2, 1);
  Keys both = {&old_online, &online_key_};
  EXPECT_EQ(repository_.rotate_root(two, both, lifetimes_, now_).error().code, Code::kBadSignature);
  sign(two, root_key_);
  ASSERT_TRUE(repository_.rotate_root(two, both, lifetimes_, now_).ok());
  EXPECT_EQ(repository_.refresh({&old_online}, lifetimes_, {}, now_).error().code,
            Code::kBadSignature);
  ASSERT_TRUE(repository_.refresh(online(), lifetimes_, {}, now_).ok());
  EXPECT_EQ(download("a"), "1");
  EXPECT_EQ(version("root"), 2);
}

// Their PEM has line ends, which canonical JSON leaves as they are: a file must be JSON all the
// same.
TEST_F(Writer, PublishesWithP256Keys) {
  PrivateKey p256 = std::move(PrivateKey::generate(Scheme::kEcdsaP256Sha256)).value();
  RootSpec spec;
  for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
    spec.roles[role] = {{p256.public_key()}, 1};
  }
  Bytes root = draft_root(spec, 1, now_).value();
  sign(root, p256);
  Repository fresh(*disk_, temp_ / "p256");
  auto made = fresh.create(root, {&p256}, lifetimes_, now_);
  ASSERT_TRUE(made.ok()) << made.error().describe();
  ASSERT_TRUE(fresh.publish({target("a", "1")}, {&p256}, lifetimes_, now_).ok());
  EXPECT_EQ(fresh.targets()->size(), 1U);
}

TEST_F(Writer, SkipsNoRootVersion) {
  Bytes three = draft(3, 1);
  sign(three, root_key_);
  EXPECT_EQ(repository_.rotate_root(three, {}, lifetimes_, now_).error().code, Code::kMismatch);
}

TEST_F(Writer, SignsOnceHoweverOftenAsked) {
  Bytes again = root_;
  sign(again, root_key_);
  EXPECT_EQ(again, root_);
  EXPECT_EQ(sign_metadata(to_bytes("{}"), root_key_).error().code, Code::kMalformed);
}

TEST_F(Writer, BeginsWithWhatPeopleSignedOneAfterTheOther) {
  Repository fresh(*disk_, temp_ / "fresh");
  Bytes root = draft(1, 2);
  ASSERT_TRUE(fresh.stage_first(root, {&alice_}, lifetimes_, now_).ok());
  EXPECT_EQ(fresh.stage_first(root, {&alice_}, lifetimes_, now_).error().code, Code::kExists);
  auto waiting = fresh.waiting();
  ASSERT_TRUE(waiting.ok()) << waiting.error().describe();
  ASSERT_EQ(waiting->size(), 2U);
  EXPECT_EQ(waiting->at(0).signatures.have, 0U);
  EXPECT_EQ(waiting->at(1).signatures.have, 1U);
  sign(root, root_key_);
  EXPECT_EQ(fresh.create(root, {&online_key_}, lifetimes_, now_).error().code, Code::kBadSignature);
  Bytes targets = *fresh.staged("targets");
  sign(targets, bob_);
  ASSERT_TRUE(disk_->replace(temp_ / "fresh/metadata/staged/targets.json", targets).ok());
  auto made = fresh.create(root, {&online_key_}, lifetimes_, now_);
  ASSERT_TRUE(made.ok()) << made.error().describe();
  EXPECT_TRUE(fresh.waiting()->empty());
  EXPECT_EQ(fresh.status()->size(), 4U);
}

TEST_F(Writer, ReportsTheStateOfEachRole) {
  auto status = repository_.status();
  ASSERT_TRUE(status.ok());
  ASSERT_EQ(status->size(), 4U);
  for (const auto& role : *status) {
    EXPECT_EQ(role.version, 1) << role.role;
    EXPECT_EQ(role.signatures.have, role.signatures.need) << role.role;
    EXPECT_GT(role.expires, now_);
  }
}

TEST(RootDraft, RefusesThresholdsThatCannotBeReached) {
  PrivateKey key = std::move(PrivateKey::generate(Scheme::kEd25519)).value();
  RoleKeys good{{key.public_key()}, 1};
  RootSpec spec;
  for (const char* role : {"root", "timestamp", "snapshot", "targets"}) spec.roles[role] = good;
  EXPECT_TRUE(draft_root(spec, 1, UtcTime{}).ok());
  EXPECT_EQ(draft_root(spec, 0, UtcTime{}).error().code, Code::kUsage);
  for (unsigned threshold : {0U, 2U}) {
    spec.roles["targets"].threshold = threshold;
    EXPECT_EQ(draft_root(spec, 1, UtcTime{}).error().code, Code::kUsage);
  }
  spec.roles["targets"] = {{key.public_key(), key.public_key()}, 2};
  EXPECT_EQ(draft_root(spec, 1, UtcTime{}).error().code, Code::kUsage);
  spec.roles.erase("targets");
  EXPECT_EQ(draft_root(spec, 1, UtcTime{}).error().code, Code::kUsage);
}

}  // namespace
}  // namespace lineside::trust

// SPDX-License-Identifier: Apache-2.0
// A reader who comes between any two writes finds a whole repository. The writer's disk is cut
// after each write in turn: what is there then is what such a reader sees.
#include <gtest/gtest.h>

#include <functional>

#include "proto/trust/tuf/repository.h"
#include "proto/trust/tuf/updater.h"
#include "tests/fakes/failing_disk.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::trust {
namespace {

using Keys = std::vector<const PrivateKey*>;

PrivateKey new_key() {
  return std::move(PrivateKey::generate(Scheme::kEd25519)).value();
}

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

// A repository with one target, online key for snapshot and timestamp, anna and bert for targets.
class Origin {
 public:
  Origin() {
    root = sign(draft(1, online.public_key(), {anna.public_key()}, 1), {&root_key});
    must(repository.create(root, {&online, &anna}, lifetimes, now));
    must(repository.publish({{"old", to_bytes("old")}}, {&online, &anna}, lifetimes, now));
    must(Updater::init(*posix, dir / "old client", root));
    EXPECT_EQ(read("old client"), "old");
  }
  static void must(const Result<void>& done) { ASSERT_TRUE(done.ok()) << done.error().describe(); }
  [[nodiscard]] Bytes draft(std::int64_t version, const PublicKey& online_key,
                            std::vector<PublicKey> targets, unsigned threshold) const {
    RootSpec spec;
    spec.roles["root"] = {{root_key.public_key()}, 1};
    spec.roles["timestamp"] = spec.roles["snapshot"] = {{online_key}, 1};
    spec.roles["targets"] = {std::move(targets), threshold};
    return draft_root(spec, version, now).value();
  }
  static Bytes sign(Bytes metadata, const Keys& keys) {
    for (const PrivateKey* key : keys) metadata = sign_metadata(metadata, *key).value();
    return metadata;
  }
  // The target "old" as a client gets it, or what hinders it.
  [[nodiscard]] std::string read(const std::string& client) const {
    FolderFetcher metadata(*posix, dir / "repo/metadata");
    FolderFetcher targets(*posix, dir / "repo/targets");
    Updater updater(*posix, dir / client, metadata, now);
    auto done = updater.load();
    if (done.ok()) done = updater.refresh();
    if (!done.ok()) return done.error().describe();
    std::string text;
    for (const TargetInfo& target : updater.targets()) {
      auto content = updater.download(target, targets);
      if (!content.ok()) return content.error().describe();
      if (target.name == "old") text = as_text(*content);
    }
    return text;
  }
  [[nodiscard]] std::string first_visit() const {
    std::filesystem::remove_all(dir / "new client");
    auto begun = Updater::init(*posix, dir / "new client", root);
    return begun.ok() ? read("new client") : begun.error().describe();
  }
  [[nodiscard]] std::int64_t version(const std::string& role) const {
    auto status = repository.status();
    if (!status.ok()) return 0;
    for (const auto& one : *status) {
      if (one.role == role) return one.version;
    }
    return 0;
  }

  fakes::TempDir dir;
  std::unique_ptr<Disk> posix = make_posix_disk();
  fakes::FailingDisk disk{*posix};
  UtcTime now = *parse_utc("2026-06-01T12:00:00Z");
  Lifetimes lifetimes;
  PrivateKey root_key = new_key(), online = new_key(), anna = new_key(), bert = new_key();
  Repository repository{disk, dir / "repo"};
  Bytes root;
};

using Work = std::function<Result<void>(Origin&)>;

// Readers at every cut, and the work done again to its end after each.
void expect_whole_at_every_write(const Work& work) {
  for (std::uint64_t cut = 0;; ++cut) {
    Origin origin;
    origin.disk.fail_from(origin.disk.writes() + cut);
    bool done = work(origin).ok();
    origin.disk.mend();
    EXPECT_EQ(origin.read("old client"), "old") << "a known client, after write " << cut;
    EXPECT_EQ(origin.first_visit(), "old") << "a first visit, after write " << cut;
    if (done) {
      EXPECT_GT(cut, 0U);
      return;
    }
    Result<void> again = work(origin);
    EXPECT_TRUE(again.ok()) << "again after write " << cut << ": " << again.error().describe();
    EXPECT_EQ(origin.read("old client"), "old") << "finished after write " << cut;
    ASSERT_LT(cut, 50U);
  }
}

TEST(WholeAtEveryWrite, WhilePublishing) {
  expect_whole_at_every_write([](Origin& o) {
    return o.repository.publish({{"new", to_bytes("new")}, {"dir/other", to_bytes("o")}},
                                {&o.online, &o.anna}, o.lifetimes, o.now);
  });
}

TEST(WholeAtEveryWrite, WhileRefreshingEverything) {
  expect_whole_at_every_write([](Origin& o) {
    return o.repository.refresh({&o.online, &o.anna}, o.lifetimes, std::chrono::days(400), o.now);
  });
}

TEST(WholeAtEveryWrite, WhileTheOnlineKeyIsReplaced) {
  PrivateKey fresh = new_key();
  expect_whole_at_every_write([&](Origin& o) -> Result<void> {
    Bytes two =
        Origin::sign(o.draft(2, fresh.public_key(), {o.anna.public_key()}, 1), {&o.root_key});
    if (o.version("root") == 2) return ok();
    return o.repository.rotate_root(two, {&o.online, &fresh}, o.lifetimes, o.now);
  });
}

TEST(WholeAtEveryWrite, WhileEveryKeyButTheRootsIsReplaced) {
  PrivateKey fresh = new_key();
  expect_whole_at_every_write([&](Origin& o) -> Result<void> {
    Bytes two =
        Origin::sign(o.draft(2, fresh.public_key(), {o.bert.public_key()}, 1), {&o.root_key});
    if (o.version("root") == 2) return ok();
    return o.repository.rotate_root(two, {&o.online, &fresh, &o.anna, &o.bert}, o.lifetimes, o.now);
  });
}

TEST(WholeAtEveryWrite, WhileTheThresholdOfTargetsRises) {
  expect_whole_at_every_write([](Origin& o) -> Result<void> {
    Bytes two = Origin::sign(
        o.draft(2, o.online.public_key(), {o.anna.public_key(), o.bert.public_key()}, 2),
        {&o.root_key});
    if (o.version("root") == 2) return ok();
    return o.repository.rotate_root(two, {&o.online, &o.anna, &o.bert}, o.lifetimes, o.now);
  });
}

TEST(Rotation, OfTheRootsKeysAloneSignsNothingElse) {
  Origin origin;
  Bytes two =
      Origin::sign(origin.draft(2, origin.online.public_key(), {origin.anna.public_key()}, 1),
                   {&origin.root_key});
  ASSERT_TRUE(origin.repository.rotate_root(two, {}, origin.lifetimes, origin.now).ok());
  EXPECT_EQ(origin.version("timestamp"), 2);
  EXPECT_EQ(origin.read("old client"), "old");
}

TEST(Rotation, WithoutTheOldKeyIsRefusedUnlessItIsLost) {
  Origin origin;
  PrivateKey fresh = new_key();
  Bytes two = Origin::sign(origin.draft(2, fresh.public_key(), {origin.anna.public_key()}, 1),
                           {&origin.root_key});
  auto refused = origin.repository.rotate_root(two, {&fresh}, origin.lifetimes, origin.now);
  EXPECT_EQ(refused.error().code, Code::kBadSignature);
  EXPECT_EQ(origin.version("root"), 1) << "nothing was changed";
  auto done = origin.repository.rotate_root(two, {&fresh}, origin.lifetimes, origin.now,
                                            Repository::OldKeys::kLost);
  ASSERT_TRUE(done.ok()) << done.error().describe();
  EXPECT_EQ(origin.read("old client"), "old");
}

TEST(Rotation, PeopleSignTargetsForBothRootsOneAfterTheOther) {
  Origin origin;
  Bytes two = Origin::sign(origin.draft(2, origin.online.public_key(),
                                        {origin.anna.public_key(), origin.bert.public_key()}, 2),
                           {&origin.root_key});
  Repository& repository = origin.repository;
  ASSERT_TRUE(repository.stage_root(two).ok());
  ASSERT_TRUE(*repository.stage_for(two, {&origin.anna}, origin.lifetimes, origin.now));
  auto waiting = repository.waiting();
  ASSERT_TRUE(waiting.ok()) << waiting.error().describe();
  ASSERT_EQ(waiting->size(), 4U);
  EXPECT_EQ(waiting->at(1).role, "targets");
  EXPECT_TRUE(waiting->at(1).signatures.complete()) << "by the present root";
  EXPECT_TRUE(waiting->at(3).of_next);
  EXPECT_EQ(describe(waiting->at(3).signatures),
            "1 of 2 signatures, missing " + origin.bert.public_key().keyid().substr(0, 12));
  EXPECT_FALSE(repository.rotate_root(two, {&origin.online}, origin.lifetimes, origin.now).ok());
  Bytes targets = Origin::sign(*repository.staged("targets"), {&origin.bert});
  ASSERT_TRUE(
      origin.posix->replace(origin.dir / "repo/metadata/staged/targets.json", targets).ok());
  auto done = repository.rotate_root(two, {&origin.online}, origin.lifetimes, origin.now);
  ASSERT_TRUE(done.ok()) << done.error().describe();
  EXPECT_EQ(origin.read("old client"), "old");
  EXPECT_TRUE(repository.waiting()->empty());
}

}  // namespace
}  // namespace lineside::trust

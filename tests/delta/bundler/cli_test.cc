// SPDX-License-Identifier: Apache-2.0
// lineside-bundle as a program: exit statuses, what it prints, and what it leaves alone.
#include <sys/wait.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/delta/bundler/bundles.h"

namespace lineside::bundler {
namespace {

class Program : public ::testing::Test, protected testing::Workplace {
 protected:
  // The exit status; standard output and error are in "out.txt" and "err.txt".
  int run(const std::string& arguments, const std::string& input = "") {
    dir.write("in.txt", input);
    std::string command = "cd '" + dir.path().string() +
                          "' && env -u LINESIDE_PASSPHRASE_FILE '" LINESIDE_BIN_DIR
                          "/lineside-bundle' " +
                          arguments + " <in.txt >out.txt 2>err.txt";
    int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  void must(const std::string& arguments) {
    EXPECT_EQ(run(arguments), 0) << arguments << "\n" << dir.read("err.txt");
  }
  nlohmann::json answer(const std::string& arguments) {
    must(arguments + " --json");
    auto json = nlohmann::json::parse(dir.read("out.txt"), nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << arguments << "\n" << dir.read("out.txt");
    return json;
  }
  void expect_said(const std::string& file, const std::string& part) {
    EXPECT_NE(dir.read(file).find(part), std::string::npos) << dir.read(file);
  }
  void bundle_toml(const std::string& tree, const std::string& version, int release,
                   const std::string& more = "") {
    dir.write("bundle.toml", "name = \"line-audio\"\nversion = \"" + version +
                                 "\"\nrelease = " + std::to_string(release) +
                                 "\nvendor = \"machines.example\"\nhardware = [\"press\"]\n"
                                 "tree = \"" +
                                 tree + "\"\n" + more);
  }
  void origin_with_key() {
    must("key generate --no-passphrase key");
    must("repo init origin --key key");
  }
  void packed_bundle() {
    tree("tree", "1");
    bundle_toml("tree", "1.0.0", 1);
    must("pack bundle.toml --out packed --effort fast");
  }
  static constexpr const char* kRoot = "origin/metadata/1.root.json";
};

TEST_F(Program, GoesFromKeyToVerifiedOrigin) {
  origin_with_key();
  expect_said("out.txt", "metadata/1.root.json");
  packed_bundle();
  expect_said("out.txt", "packed line-audio 1.0.0");
  must("publish packed --repo origin --key key");
  expect_said("out.txt", "published line-audio 1.0.0");
  must(std::string("verify --repo origin ") + kRoot);
  expect_said("out.txt", "1 bundles, 1 deliveries");
  must("refresh --repo origin --key key");
  must("status --repo origin");
  expect_said("out.txt", "timestamp  version 3");
}

TEST_F(Program, EveryAnswerHasAFormForPrograms) {
  EXPECT_TRUE(answer("key generate --no-passphrase key").contains("keyid"));
  EXPECT_EQ(answer("key show key.pub"), answer("key show key"));
  auto made = answer("repo init origin --key key");
  EXPECT_EQ(made["root_sha256"], sha256(as_bytes(dir.read(kRoot))).hex());
  tree("tree", "1");
  bundle_toml("tree", "1.0.0", 1);
  EXPECT_TRUE(answer("audit bundle.toml").is_array());
  auto packed = answer("pack bundle.toml --out packed --effort fast");
  EXPECT_EQ(packed["bundle"], "line-audio/1.0.0.json");
  EXPECT_EQ(answer("publish packed --repo origin --key key")["tree"], packed["tree"]);
  EXPECT_EQ(answer(std::string("verify --repo origin ") + kRoot)["deliveries"], 1);
  EXPECT_EQ(answer("refresh --repo origin --key key").size(), 4U);
  EXPECT_EQ(answer("status --repo origin").size(), 4U);
}

TEST_F(Program, AuditErrorIsStatusOneAndNothingIsWritten) {
  broken_tree("tree");
  bundle_toml("tree", "1.0.0", 1);
  EXPECT_EQ(run("audit bundle.toml"), 1);
  EXPECT_EQ(run("audit tree"), 1);
  EXPECT_EQ(run("pack bundle.toml --out packed"), 1);
  expect_said("out.txt",
              "error: tensorflow 2.8.0 requires numpy>=1.20, the bundle holds numpy 1.19.5");
  expect_said("out.txt", "rule dep-version, subject tensorflow->numpy");
  expect_said("err.txt", "nothing was packed");
  EXPECT_FALSE(std::filesystem::exists(dir / "packed"));
}

TEST_F(Program, AWaiverOfThatFindingLetsItPass) {
  broken_tree("tree");
  bundle_toml("tree", "1.0.0", 1,
              "[[waiver]]\nrule = \"dep-version\"\nsubject = \"tensorflow->numpy\"\n"
              "by = \"A. Person\"\nuntil = \"9999-01-01T00:00:00Z\"\nreason = \"tried\"\n");
  must("audit bundle.toml");
  expect_said("out.txt", "waived (by A. Person until 9999-01-01");
}

TEST_F(Program, WrongUsageIsStatusTwo) {
  EXPECT_EQ(run(""), 2);
  EXPECT_EQ(run("frobnicate"), 2);
  expect_said("err.txt", "there is no command 'frobnicate'");
  EXPECT_EQ(run("pack bundle.toml"), 2);
  EXPECT_EQ(run("pack bundle.toml --out packed --effort much"), 2);
  bundle_toml("nowhere", "1.0.0", 1);
  EXPECT_EQ(run("pack bundle.toml --out packed"), 2);
  expect_said("err.txt", "bundle.toml:6: 'tree'");
  EXPECT_EQ(run("key generate key"), 2) << "no terminal, no passphrase";
  EXPECT_FALSE(std::filesystem::exists(dir / "key"));
}

TEST_F(Program, WhatIsNotThereIsWrongUsageAndNamed) {
  origin_with_key();
  packed_bundle();
  for (const char* arguments :
       {"audit nowhere", "pack nowhere --out out", "pack bundle.toml --out out --base nowhere",
        "publish nowhere --repo origin --key key", "publish packed --repo nowhere --key key",
        "publish packed --repo origin --key nowhere", "sign nowhere --key key",
        "verify nowhere --repo origin", "status --repo nowhere", "key show nowhere",
        "repo init other --key nowhere"}) {
    EXPECT_EQ(run(arguments), 2) << arguments;
    expect_said("err.txt", "nowhere");
  }
  EXPECT_FALSE(std::filesystem::exists(dir / "out"));
  EXPECT_FALSE(std::filesystem::exists(dir / "other"));
}

TEST_F(Program, ErrorsHaveAFormForPrograms) {
  auto error = [&](const std::string& arguments, int status) {
    EXPECT_EQ(run(arguments + " --json"), status) << arguments;
    auto json = nlohmann::json::parse(dir.read("err.txt"), nullptr, false);
    EXPECT_TRUE(json.is_object() && json.contains("error")) << dir.read("err.txt");
    return json.is_object() ? json["error"] : nlohmann::json();
  };
  EXPECT_EQ(error("frobnicate", 2)["code"], "usage");
  EXPECT_EQ(error("status --repo nowhere", 2)["code"], "usage");
  broken_tree("tree");
  bundle_toml("tree", "1.0.0", 1);
  EXPECT_EQ(error("pack bundle.toml --out packed", 1)["code"], "incompatible");
  origin_with_key();
  EXPECT_NE(error("repo init origin --key key", 1)["message"], "");
}

TEST_F(Program, SaysItsVersion) {
  must("--version");
  expect_said("out.txt", "lineside-bundle 0.");
}

TEST_F(Program, AuditDemandsAllThatPackDemands) {
  tree("tree", "1");
  bundle_toml("tree", "1.0.0", 1);
  must("audit bundle.toml");
  dir.write("tree/validation/probe.json", R"({"schema":1,"argv":["x"],"cases":[]})");
  EXPECT_EQ(run("audit bundle.toml"), 1);
  expect_said("out.txt", "validation/probe.json.cases: expected at least one case");
  std::filesystem::remove_all(dir / "tree/models");
  EXPECT_EQ(run("audit bundle.toml"), 1);
  expect_said("out.txt", "no file below models/");
}

TEST_F(Program, HelpSaysWhatStatusesMean) {
  must("--help");
  expect_said("out.txt", "Exit status");
  std::vector<std::string> commands = {"key",    "repo",   "publish", "publish-staged", "sign",
                                       "verify", "status", "audit",   "pack",           "pep440"};
  for (const std::string& command : commands) expect_said("out.txt", "\n  " + command + " ");
  for (const std::string& command : commands) {
    must(command + " --help");
    expect_said("out.txt", "Usage: lineside-bundle " + command);
  }
}

TEST_F(Program, WhatEndsSoonIsStatusThree) {
  origin_with_key();
  EXPECT_EQ(run("status --repo origin --warn-days 31"), 3);
  expect_said("err.txt", "timestamp ends ");
  EXPECT_EQ(run("status --repo origin --warn-days 14"), 0);
  EXPECT_EQ(run("status --repo nowhere"), 2);
}

TEST_F(Program, KeysAreNotOverwritten) {
  must("key generate --no-passphrase key");
  std::string before = dir.read("key") + dir.read("key.pub");
  EXPECT_EQ(run("key generate --no-passphrase key"), 1);
  std::filesystem::rename(dir / "key", dir / "aside");
  EXPECT_EQ(run("key generate --no-passphrase key"), 1) << "key.pub is of another key";
  std::filesystem::rename(dir / "aside", dir / "key");
  EXPECT_EQ(dir.read("key") + dir.read("key.pub"), before);
}

TEST_F(Program, AnOriginIsNotLaidOutTwice) {
  origin_with_key();
  std::string before = contents("origin");
  EXPECT_EQ(run("repo init origin --key key"), 1);
  EXPECT_TRUE(contents("origin") == before);
}

TEST_F(Program, DamageIsStatusOneAndChangesNothing) {
  origin_with_key();
  packed_bundle();
  std::string before = contents("origin");
  dir.write("packed/listing", "x");
  EXPECT_EQ(run("publish packed --repo origin --key key"), 1);
  expect_said("err.txt", "mismatch: ");
  EXPECT_TRUE(contents("origin") == before);
  dir.write("origin/metadata/timestamp.json", "{}");
  EXPECT_EQ(run(std::string("verify --repo origin ") + kRoot), 1);
}

TEST_F(Program, ReleaseNumberThatDoesNotRiseIsRefused) {
  origin_with_key();
  packed_bundle();
  must("publish packed --repo origin --key key");
  tree("tree", "2");
  bundle_toml("tree", "2.0.0", 1);
  must("pack bundle.toml --out second --effort fast");
  EXPECT_EQ(run("publish second --repo origin --key key"), 1);
  expect_said("err.txt", "conflict: ");
}

TEST_F(Program, TwoPeopleSignOneAfterTheOther) {
  must("key generate --no-passphrase online");
  must("key generate --no-passphrase anna");
  must("key generate --no-passphrase bert");
  must(
      "repo init --key online --key anna --key bert --root-key anna.pub --root-key bert.pub "
      "--root-threshold 2 --targets-key anna.pub --targets-key bert.pub --targets-threshold 2 "
      "--snapshot-key online.pub --timestamp-key online.pub origin");
  packed_bundle();
  EXPECT_EQ(run("publish --repo origin --key anna --key online packed"), 1);
  expect_said("err.txt", "bad-signature: ");
  must("publish packed --stage --repo origin --key anna");
  EXPECT_EQ(answer(std::string("verify --repo origin ") + kRoot)["bundles"].size(), 0U);
  EXPECT_EQ(run("publish-staged --repo origin --key online"), 1);
  must("sign origin/metadata/staged/targets.json --key bert");
  must("publish-staged --repo origin --key online");
  EXPECT_EQ(answer(std::string("verify --repo origin ") + kRoot)["bundles"].size(), 1U);
}

TEST_F(Program, KeysAreReplacedByTheNextRoot) {
  origin_with_key();
  packed_bundle();
  must("publish packed --repo origin --key key");
  must("key generate --no-passphrase new");
  must(
      "repo root --repo origin --out 2.root.json --root-key new.pub --targets-key new.pub "
      "--snapshot-key new.pub --timestamp-key new.pub --key new");
  EXPECT_EQ(run("rotate 2.root.json --repo origin"), 1) << "the old root has not signed";
  must("sign 2.root.json --key key --repo origin");
  expect_said("out.txt", "+ targets: new (");
  expect_said("out.txt", "- targets: key (");
  EXPECT_EQ(run("rotate 2.root.json --repo origin --key new"), 1) << "readers would be refused";
  must("rotate 2.root.json --repo origin --key new --key key");
  EXPECT_EQ(run("refresh --repo origin --key key"), 1) << "the old key signs no more";
  must("refresh --repo origin --key new");
  EXPECT_EQ(answer(std::string("verify --repo origin ") + kRoot)["bundles"].size(), 1U);
}

TEST_F(Program, AnOriginBeginsHalfSigned) {
  for (const char* name : {"anna", "bob", "online"}) {
    must(std::string("key generate --no-passphrase ") + name);
  }
  must(
      "repo init origin --key anna --root-key anna.pub --root-key bob.pub --root-threshold 2 "
      "--targets-key anna.pub --targets-key bob.pub --targets-threshold 2 "
      "--snapshot-key online.pub --timestamp-key online.pub");
  must("status --repo origin");
  expect_said("out.txt", "root 1: 1 of 2 signatures, missing bob");
  expect_said("out.txt", "targets 1: 1 of 2 signatures, missing bob");
  EXPECT_EQ(run("repo init origin --key online"), 1) << "bob has not signed";
  EXPECT_EQ(run("repo init origin --key bob --root-key bob.pub"), 1) << "another root waits";
  must("sign origin/metadata/staged/root.json --key bob");
  expect_said("out.txt", "+ root: anna (");
  must("sign origin/metadata/staged/root.json --key bob");
  expect_said("out.txt", "root: 2 of 2 signatures");
  must("sign origin/metadata/staged/targets.json --key bob");
  must("repo init origin --key online");
  must(std::string("verify --repo origin ") + kRoot);
  EXPECT_EQ(answer("status --repo origin").size(), 4U) << "nothing waits";
}

TEST_F(Program, ARootWaitsInTheOriginUntilItIsSigned) {
  origin_with_key();
  must("key generate --no-passphrase bob");
  must(
      "repo root --repo origin --root-key key.pub --root-key bob.pub --root-threshold 2 "
      "--targets-key key.pub --targets-key bob.pub --targets-threshold 2 --key key");
  expect_said("out.txt", "targets: 2 of 2 must sign, before it was 1 of 1");
  must("status --repo origin");
  expect_said("out.txt", "waits: root 2: 1 of 2 signatures, missing bob, by the next root");
  EXPECT_EQ(run("rotate --repo origin --key key"), 1) << "bob has not signed";
  must("sign origin/metadata/staged/root.json --key bob");
  must("sign origin/metadata/staged/targets.json --key bob");
  must("rotate --repo origin --key key");
  must(std::string("verify --repo origin ") + kRoot);
  EXPECT_EQ(run("rotate --repo origin"), 1);
  expect_said("err.txt", "no root waits in origin");
}

TEST_F(Program, APassphraseComesFromADescriptorALineForEachKey) {
  dir.write("lines", "first secret\nsecond secret\n");
  ::setenv("LINESIDE_PASSPHRASE_FD", "7", 1);
  EXPECT_EQ(run("key generate one 7<lines"), 0) << dir.read("err.txt");
  dir.write("again", "second secret\nx\n");
  EXPECT_EQ(run("key generate two 7<again"), 0) << dir.read("err.txt");
  EXPECT_EQ(run("repo init origin --key one --key two 7<lines"), 0) << dir.read("err.txt");
  EXPECT_EQ(run("refresh --repo origin --key two --key one 7<lines"), 1) << "the other order";
  EXPECT_EQ(run("refresh --repo origin --key one 7<&-"), 2);
  expect_said("err.txt", "LINESIDE_PASSPHRASE_FD");
  ::unsetenv("LINESIDE_PASSPHRASE_FD");
}

TEST_F(Program, ComparesVersionsForOtherPrograms) {
  EXPECT_EQ(run("pep440", ">=1.20\t1.19.5\n>=1.20\t1.26\nx\t1\n"), 0);
  EXPECT_EQ(dir.read("out.txt"), "false\ntrue\ninvalid\n");
}

}  // namespace
}  // namespace lineside::bundler

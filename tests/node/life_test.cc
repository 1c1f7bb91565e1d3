// SPDX-License-Identifier: Apache-2.0
#include "node/life.h"

#include <gtest/gtest.h>

#include "node/device_key.h"
#include "node/ledger.h"
#include "node/node_config.h"
#include "node/slots/directory_slots.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::node {
namespace {

Life full() {
  Life life;
  life.state = State::kTrial;
  life.sequence = 17;
  life.directive = sha256(as_bytes("directive"));
  life.target = {"vision/2.0.0.json", "2.0.0", sha256(as_bytes("m")), sha256(as_bytes("t")), 20};
  life.delivery = {sha256({}), life.target->tree, 4711, sha256(as_bytes("root"))};
  life.tries = 1;
  life.before = sha256(as_bytes("old"));
  life.check = {"staged", "fail", "cause", UtcTime{std::chrono::seconds(5)}, {{"a", "1"}}, "tail"};
  life.passed_tests = {"load.model"};
  life.measured = {{"latency.p50_us", "73.1"}};
  life.confirmed = life.target;
  life.security_floors = {{"vision", 12}};
  life.attestation_counter = 5;
  life.read_back = life.before;
  life.inferring = true;
  life.inferring_since = UtcTime{std::chrono::seconds(9)};
  life.roster_floor = {4, sha256(as_bytes("roster"))};
  life.directive_floor = {17, life.directive};
  life.operators = {"anna", "bert"};
  life.damage = "1 difference";
  return life;
}

TEST(Life, RoundTripsThroughTheDisk) {
  fakes::TempDir dir;
  auto disk = make_posix_disk();
  EXPECT_EQ(load_life(*disk, dir.path())->state, State::kIdle);
  ASSERT_TRUE(save_life(*disk, dir.path(), full()).ok());
  auto back = load_life(*disk, dir.path());
  ASSERT_TRUE(back.ok()) << back.error().what;
  EXPECT_EQ(serialise(*back), serialise(full()));
}

TEST(Life, RefusesWhatItDoesNotKnow) {
  std::string text(as_text(serialise(full())));
  for (auto [from, to] : {std::pair{"\"trial\"", "\"party\""},
                          {"\"schema\": 1", "\"schema\": 2"},
                          {"\"tries\": 1", "\"tries\": 99"},
                          {"\"sequence\"", "\"sequenze\""}}) {
    std::string changed = text;
    changed.replace(changed.find(from), std::string(from).size(), to);
    EXPECT_FALSE(parse_life(as_bytes(changed)).ok()) << from;
  }
  EXPECT_FALSE(parse_life({}).ok());
}

TEST(Life, OfAnOlderAgentIsTakenOver) {
  std::string text(as_text(serialise(Life{})));
  for (const char* name : {"inferring_cause", "inferring_since", "damage", "measured"}) {
    std::size_t begin = text.find("\n \"" + std::string(name) + "\"");
    ASSERT_NE(begin, std::string::npos) << name;
    text.erase(begin, text.find('\n', begin + 1) - begin);
  }
  auto life = parse_life(as_bytes(text));
  ASSERT_TRUE(life.ok()) << life.error().what;
  EXPECT_EQ(serialise(*life), serialise(Life{}));
}

TEST(Ledger, RemovesWhatAPowerCutLeftHalfWritten) {
  fakes::TempDir dir;
  auto disk = make_posix_disk();
  for (const char* name :
       {".life.json.a1B2c3", ".device.key.zzzzzz", "documents/.roster.dsse.000000"}) {
    dir.write(name, "half");
  }
  for (const char* name : {".hidden", "events.log", "slots/.tree.partial/x", ".a.toolongtail"}) {
    dir.write(name, "kept");
  }
  ASSERT_TRUE(Ledger::open(*disk, dir.path()).ok());
  EXPECT_EQ(disk->list(dir.path())->size(), 5U);
  EXPECT_TRUE(disk->list(dir / "documents")->empty());
  EXPECT_EQ(dir.read("slots/.tree.partial/x"), "kept");
}

TEST(DirectorySlots, SwitchAndCollect) {
  fakes::TempDir dir;
  auto disk = make_posix_disk();
  DirectorySlots slots(*disk, dir.path());
  auto a = sha256(as_bytes("a"));
  auto b = sha256(as_bytes("b"));
  EXPECT_EQ(*slots.current(), std::nullopt);
  EXPECT_EQ(slots.activate(a).error().code, Code::kNotFound);
  for (const auto& tree : {a, b}) dir.write("slots/" + tree.hex() + "/file", tree.hex());
  ASSERT_TRUE(slots.activate(a).ok());
  ASSERT_TRUE(slots.activate(b).ok());
  EXPECT_EQ(dir.read("current/file"), b.hex());
  EXPECT_TRUE(slots.mark_good(b).ok());
  EXPECT_FALSE(slots.mark_good(a).ok());
  ASSERT_TRUE(slots.collect({}).ok());
  EXPECT_EQ(*slots.trees(), std::vector{b});  // what runs is never removed
  ASSERT_TRUE(slots.activate(std::nullopt).ok());
  EXPECT_EQ(*slots.current(), std::nullopt);
}

TEST(DeviceKey, IsMadeOnceAndKeptPrivate) {
  fakes::TempDir dir;
  auto disk = make_posix_disk();
  auto key = open_device_key(*disk, dir / "state");
  ASSERT_TRUE(key.ok()) << key.error().what;
  EXPECT_EQ((*disk->stat(dir / "state/device.key"))->mode, 0600U);
  EXPECT_EQ(open_device_key(*disk, dir / "state")->public_key().keyid(), key->public_key().keyid());
  ASSERT_TRUE(disk->set_mode(dir / "state/device.key", 0644).ok());
  EXPECT_EQ(open_device_key(*disk, dir / "state").error().code, Code::kDenied);
}

TEST(NodeConfig, MistakesNameTheFile) {
  fakes::TempDir dir;
  auto disk = make_posix_disk();
  const std::string good =
      "[device]\nid = \"cam01\"\nhardware = [\"ipc-x86\"]\nstate = \"state\"\n"
      "[site]\nname = \"plant-7\"\nroot = \"1.root.json\"\n[vendor]\nroot = \"v.json\"\n"
      "[gateway]\naddresses = [\"https://192.0.2.1:7443\"]\n";
  auto config = load_config(*disk, dir.write("good.toml", good));
  ASSERT_TRUE(config.ok()) << config.error().what;
  EXPECT_EQ(config->state, dir / "state");
  for (const std::string& bad :
       {good + "adresses = []\n", good + "[live]\ncheck_every = \"soon\"\n",
        std::string("[device]\nid = 5\n")}) {
    auto result = load_config(*disk, dir.write("bad.toml", bad));
    ASSERT_FALSE(result.ok()) << bad;
    EXPECT_NE(result.error().what.find("bad.toml"), std::string::npos) << result.error().what;
  }
}

TEST(NodeConfig, MistakesInValuesNameTheLine) {
  fakes::TempDir dir;
  auto disk = make_posix_disk();
  const std::string good =
      "[device]\nid = \"cam01\"\nhardware = [\"ipc-x86\"]\nstate = \"state\"\n"
      "[site]\nname = \"plant-7\"\nroot = \"1.root.json\"\n[vendor]\nroot = \"v.json\"\n"
      "[gateway]\naddresses = [\"https://192.0.2.1:7443\"]\n"
      "[swarm]\nlisten = \"192.0.2.7:7444\"\n"
      "[patience]\nretry = \"3s\"\n"
      "[check]\nbwrap = \"bwrap\"\n";
  auto config = load_config(*disk, dir.write("good.toml", good));
  ASSERT_TRUE(config.ok()) << config.error().what;
  EXPECT_EQ(config->patience.retry, std::chrono::seconds(3));
  EXPECT_EQ(config->patience.transfer, std::chrono::minutes(5));
  struct Mistake {
    const char *from, *to, *place;
  };
  for (const Mistake& one :
       {Mistake{"cam01", "Cam 01", "bad.toml:2: 'device.id'"},
        {"\"ipc-x86\"", "", "bad.toml:3: 'device.hardware'"},
        {"ipc-x86", "ipc/x86", "bad.toml:3: 'device.hardware'"},
        {"plant-7", "../7", "bad.toml:6: 'site.name'"},
        {"https://", "http://", "bad.toml:11: 'gateway.addresses'"},
        {"\"https://192.0.2.1:7443\"", "", "bad.toml:11: "},
        {"\"bwrap\"", "\"bwrap\"\ndevices = [\"/dev/../etc\"]", "bad.toml:18: 'check.devices'"},
        {":7444", "", "bad.toml:13: 'swarm.listen'"},
        {"retry = \"3s\"", "retry = \"0s\"", "bad.toml:15: 'patience.retry'"},
        {"retry = \"3s\"", "retry = \"25h\"", "bad.toml:15: 'patience.retry'"},
        {"retry", "retrie", "bad.toml:15: 'patience.retrie'"}}) {
    std::string bad = good;
    bad.replace(bad.find(one.from), std::string(one.from).size(), one.to);
    auto result = load_config(*disk, dir.write("bad.toml", bad));
    ASSERT_FALSE(result.ok()) << bad;
    EXPECT_EQ(result.error().code, Code::kUsage);
    EXPECT_NE(result.error().what.find(one.place), std::string::npos) << result.error().what;
  }
}

}  // namespace
}  // namespace lineside::node

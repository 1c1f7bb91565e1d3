// SPDX-License-Identifier: Apache-2.0
#include "proto/base/config.h"

#include <gtest/gtest.h>

namespace lineside {
namespace {

Config parsed(std::string_view text) {
  auto config = Config::parse(text, "etc/node.toml");
  EXPECT_TRUE(config.ok());
  return std::move(config).value();
}

TEST(Config, NamesTheLineOfBadToml) {
  auto config = Config::parse("a = 1\nb = = 2\n", "node.toml");
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().code, Code::kUsage);
  EXPECT_EQ(config.error().what.substr(0, 12), "node.toml:2:");
}

TEST(Config, NamesTheLineOfAWrongType) {
  Config config = parsed("id = 'cam07'\n[swarm]\nport = 'many'\n");
  config.text("id");
  config.integer("swarm.port", 1, 1, 65535);
  auto done = config.finish();
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().what,
            "etc/node.toml:3: 'swarm.port' must be a whole number from 1 to 65535");
}

TEST(Config, RefusesAKeyThatNobodyAskedFor) {
  Config config = parsed("id = 'x'\nsoack = '5m'\n");
  config.text("id");
  config.duration("soak", std::chrono::seconds(1));
  auto done = config.finish();
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().what, "etc/node.toml:2: 'soack' is not a setting that is known here");
}

TEST(Config, SaysWhichKeyIsMissing) {
  Config config = parsed("");
  config.text("gateway.address");
  EXPECT_NE(config.finish().error().what.find("'gateway.address' is missing"), std::string::npos);
}

TEST(Config, ReadsEveryKindOfValue) {
  Config config = parsed(
      "id = 'x'\non = true\nwait = '15m'\nlist = ['a', 'b']\ndir = 'state'\n"
      "[t]\nk = 'v'\n[[peer]]\nname = 'p'\n");
  EXPECT_EQ(config.text("id"), "x");
  EXPECT_TRUE(config.boolean("on", false));
  EXPECT_EQ(config.duration("wait", {}), std::chrono::minutes(15));
  EXPECT_EQ(config.texts("list"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(config.path("dir"), Path("etc/state"));
  EXPECT_EQ(config.table("t").at(0).second, "v");
  ASSERT_EQ(config.count("peer"), 1U);
  EXPECT_EQ(config.text("peer.0.name"), "p");
  EXPECT_TRUE(config.finish().ok());
}

}  // namespace
}  // namespace lineside

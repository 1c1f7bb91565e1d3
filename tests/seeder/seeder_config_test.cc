// SPDX-License-Identifier: Apache-2.0
#include "seeder/seeder_config.h"

#include <gtest/gtest.h>

#include "tests/fakes/temp_dir.h"

namespace lineside::seeder {
namespace {

struct SeederConfigTest : ::testing::Test {
  fakes::TempDir dir;
  std::unique_ptr<Disk> disk = make_posix_disk();
  const std::string good =
      "state = \"state\"\nsite = \"plant-7\"\nsite_root = \"1.root.json\"\n"
      "vendor_root = \"v.json\"\norigin = \"https://vendor.example/\"\n"
      "listen = \"192.0.2.1:7443\"\n[swarm]\nlisten = [\"192.0.2.1:7444\", \"[::]:7444\"]\n"
      "[wan]\nwindow = [\"22:00-05:30\"]\n";
};

TEST_F(SeederConfigTest, MistakesInValuesNameTheLine) {
  auto config = load_config(*disk, dir.write("good.toml", good));
  ASSERT_TRUE(config.ok()) << config.error().what;
  EXPECT_EQ(config->swarm_listen.size(), 2U);
  struct Mistake {
    const char *from, *to, *place;
  };
  for (const Mistake& one : {Mistake{"plant-7", "Plant 7", "bad.toml:2: 'site'"},
                             {"192.0.2.1:7443", "192.0.2.1", "bad.toml:6: 'listen'"},
                             {"https://vendor", "ftp://vendor", "bad.toml:5: 'origin'"},
                             {"192.0.2.1:7443", "gateway:7443", "bad.toml:6: 'listen'"},
                             {"[::]:7444", "[::]:74440", "bad.toml:8: 'swarm.listen'"},
                             {"22:00-05:30", "22-05", "bad.toml:10: 'wan.window'"}}) {
    std::string text = good;
    text.replace(text.find(one.from), std::string(one.from).size(), one.to);
    auto result = load_config(*disk, dir.write("bad.toml", text));
    ASSERT_FALSE(result.ok()) << one.to;
    EXPECT_EQ(result.error().code, Code::kUsage);
    EXPECT_NE(result.error().what.find(one.place), std::string::npos) << result.error().what;
  }
}

TEST_F(SeederConfigTest, APageOverPlainHttpIsForLoopbackOnly) {
  auto page = [&](const std::string& lines) {
    return load_config(*disk, dir.write("page.toml", std::string(good) + "[page]\n" + lines));
  };
  EXPECT_FALSE(page("listen = \"127.0.0.1:8443\"\n")->page_tls);
  EXPECT_TRUE(page("listen = \"192.0.2.1:8443\"\n")->page_tls);
  EXPECT_TRUE(page("listen = \"0.0.0.0:8443\"\n")->page_tls);
  auto plain = page("listen = \"192.0.2.1:8443\"\nscheme = \"http\"\n");
  ASSERT_FALSE(plain.ok());
  EXPECT_NE(plain.error().what.find("'page.scheme'"), std::string::npos) << plain.error().what;
  auto half = page("listen = \"192.0.2.1:8443\"\ncertificate = \"page.pem\"\n");
  ASSERT_FALSE(half.ok());
  EXPECT_NE(half.error().what.find("certificate_key"), std::string::npos) << half.error().what;
}

TEST_F(SeederConfigTest, AMissingFileIsNamed) {
  auto config = load_config(*disk, dir / "none.toml");
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().code, Code::kNotFound);
  EXPECT_NE(config.error().what.find("none.toml"), std::string::npos);
}

}  // namespace
}  // namespace lineside::seeder

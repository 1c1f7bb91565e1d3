// SPDX-License-Identifier: Apache-2.0
#include "proto/http/fetcher.h"

#include <gtest/gtest.h>

#include "tests/fakes/static_origin.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::http {
namespace {

TEST(HttpFetcher, TellsMissingFromBroken) {
  fakes::TempDir dir;
  dir.write("1.root.json", "{}");
  fakes::StaticOrigin origin(dir.path());
  Client client = Client::make({.base_url = origin.url()}).value();
  HttpFetcher fetcher(client);
  EXPECT_EQ(as_text(*fetcher.fetch("1.root.json", 10)), "{}");
  EXPECT_EQ(fetcher.fetch("2.root.json", 10).error().code, Code::kNotFound);
  EXPECT_EQ(fetcher.fetch("1.root.json", 1).error().code, Code::kTooLarge);
  origin.misbehave(fakes::Misdeed::kServerError);
  auto broken = fetcher.fetch("1.root.json", 10);
  EXPECT_EQ(broken.error().code, Code::kHttp);
  EXPECT_NE(broken.error().what.find("1.root.json"), std::string::npos);
  EXPECT_NE(broken.error().what.find("500"), std::string::npos);
}

TEST(DirectoryFetcher, StaysBelowItsRoot) {
  fakes::TempDir dir;
  dir.write("secret", "x");
  dir.write("stick/a b/f", "data");
  std::filesystem::create_symlink(dir / "secret", dir / "stick" / "link");
  std::filesystem::create_symlink(dir.path(), dir / "stick" / "up");
  auto disk = make_posix_disk();
  DirectoryFetcher fetcher(*disk, dir / "stick");
  EXPECT_EQ(as_text(*fetcher.fetch("a%20b/f", 10)), "data");
  EXPECT_EQ(fetcher.fetch("a%20b/f", 3).error().code, Code::kTooLarge);
  EXPECT_EQ(fetcher.fetch("missing", 3).error().code, Code::kNotFound);
  EXPECT_EQ(fetcher.fetch("a%20b", 3).error().code, Code::kNotFound);
  EXPECT_EQ(fetcher.fetch("../secret", 3).error().code, Code::kMalformed);
  EXPECT_EQ(fetcher.fetch("%2e%2e/secret", 3).error().code, Code::kMalformed);
  EXPECT_EQ(fetcher.fetch("link", 3).error().code, Code::kDenied);
  EXPECT_EQ(fetcher.fetch("up/secret", 3).error().code, Code::kDenied);
}

}  // namespace
}  // namespace lineside::http

// SPDX-License-Identifier: Apache-2.0
// The page of a whole gateway in this process, asked over HTTP as a browser would.
#include "seeder/page/page.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "seeder/page/users.h"
#include "tests/seeder/local_gateway.h"

namespace lineside::seeder {
namespace {

using nlohmann::json;

struct PageTest : ::testing::Test, LocalGateway {
  std::optional<http::Client> browser;
  http::Headers cookie;
  bool tls = false;

  [[nodiscard]] SeederConfig config() const override {
    SeederConfig made = LocalGateway::config();
    made.page_listen = "127.0.0.1:0";
    made.page_tls = tls;
    made.page_users = dir / "users";
    return made;
  }

  void SetUp() override {
    found();
    must(add_user(*disk, dir / "users", "anna", "correct horse battery"));
    begin();
  }
  void begin() {
    start();
    http::ClientOptions options;
    options.base_url = (tls ? "https://" : "http://") + gateway->page_endpoint() + "/";
    if (tls) options.ca_pem = dir.read("state/page/certificate.pem");
    browser = must(http::Client::make(std::move(options)));
  }

  http::Reply get(const std::string& path) {
    return must(browser->request("GET", path, {}, cookie));
  }
  http::Reply post(const std::string& path, const json& body, bool from_page = true) {
    http::Headers headers = cookie;
    if (from_page) headers["x-lineside"] = "page";
    std::string text = body.dump();
    return must(browser->request("POST", path, as_bytes(text), headers));
  }
  http::Reply log_in(const std::string& passphrase = "correct horse battery") {
    http::Reply reply = post("/api/login", {{"user", "anna"}, {"passphrase", passphrase}});
    if (reply.status == 200) {
      std::string set = reply.headers.at("set-cookie");
      cookie = {{"cookie", set.substr(0, set.find(';'))}};
    }
    return reply;
  }
};

TEST_F(PageTest, TheFilesAreForAnybodyAndRunNothingForeign) {
  http::Reply reply = get("/");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("content-encoding"), "gzip");
  std::string policy = reply.headers.at("content-security-policy");
  EXPECT_NE(policy.find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
  EXPECT_EQ(reply.headers.at("x-content-type-options"), "nosniff");
}

TEST_F(PageTest, AFileThatTheBrowserHasIsNotSentAgain) {
  cookie = {{"if-none-match", get("/").headers.at("etag")}};
  EXPECT_EQ(get("/").status, 304);
}

TEST_F(PageTest, EveryRouteOfTheSiteAsksForALogin) {
  for (const char* path :
       {"/api/state", "/api/feed", "/api/events", "/api/pending", "/api/bundles", "/api/pieces"}) {
    EXPECT_EQ(get(path).status, 401) << path;
  }
  EXPECT_EQ(post("/api/rollouts/1/pause", json::object()).status, 401);
  EXPECT_EQ(get("/api/nothing").status, 404);
}

TEST_F(PageTest, ALoginShowsTheSiteAndItsCookieIsOutOfReachOfScripts) {
  http::Reply reply = log_in();
  ASSERT_EQ(reply.status, 200);
  std::string set = reply.headers.at("set-cookie");
  EXPECT_NE(set.find("HttpOnly"), std::string::npos);
  EXPECT_NE(set.find("SameSite=Strict"), std::string::npos);
  json state = json::parse(as_text(get("/api/state").body));
  EXPECT_EQ(state["viewer"]["user"], "anna");
  EXPECT_EQ(state["state"]["site"]["site"], "plant-7");
  EXPECT_EQ(get("/api/state").headers.at("cache-control"), "no-store");
}

TEST_F(PageTest, RefusesAWrongPassphraseAndSoonAnyFurtherAttempt) {
  EXPECT_EQ(log_in("wrong horse battery").status, 401);
  int status = 0;
  for (int attempt = 0; attempt < 5; ++attempt) status = log_in("wrong horse battery").status;
  EXPECT_EQ(status, 429);
  EXPECT_EQ(log_in().status, 429) << "the right one must not be found by trying either";
}

TEST_F(PageTest, RefusesAPostThatAnotherSiteCouldMakeABrowserSend) {
  ASSERT_EQ(log_in().status, 200);
  EXPECT_EQ(post("/api/rollouts/1/abort", json::object(), false).status, 403);
  EXPECT_EQ(post("/api/logout", json::object(), false).status, 403);
  EXPECT_EQ(get("/api/state").status, 200) << "still logged in";
}

TEST_F(PageTest, ALoginOutlivesARestartOfTheGatewayAndALogoutEndsIt) {
  ASSERT_EQ(log_in().status, 200);
  begin();
  EXPECT_EQ(get("/api/state").status, 200);
  EXPECT_EQ(post("/api/logout", json::object()).status, 200);
  EXPECT_EQ(get("/api/state").status, 401);
}

TEST_F(PageTest, OverTlsTheCookieIsForTlsOnlyAndTheCertificateStays) {
  tls = true;
  begin();
  std::string certificate = dir.read("state/page/certificate.pem");
  std::string set = log_in().headers.at("set-cookie");
  EXPECT_TRUE(set.starts_with("__Host-lineside="));
  EXPECT_NE(set.find("; Secure"), std::string::npos);
  begin();
  EXPECT_EQ(get("/api/state").status, 200);
  EXPECT_EQ(dir.read("state/page/certificate.pem"), certificate);
}

TEST_F(PageTest, PausingWhatDoesNotRunIsRefusedInWords) {
  ASSERT_EQ(log_in().status, 200);
  http::Reply reply = post("/api/rollouts/1/pause", json::object());
  EXPECT_EQ(reply.status, 404);
  EXPECT_NE(as_text(reply.body).find("rollout 1 is not the present one"), std::string::npos);
  EXPECT_EQ(post("/api/rollouts/1/resume", json::object()).status, 404) << "needs a signature";
}

TEST_F(PageTest, TheLogSaysWhoLoggedIn) {
  ASSERT_EQ(log_in().status, 200);
  json log = json::parse(as_text(get("/api/events").body));
  EXPECT_EQ(log["events"][0]["kind"], "login");
  EXPECT_EQ(log["events"][0]["actor"], "user anna");
}

}  // namespace
}  // namespace lineside::seeder

// SPDX-License-Identifier: Apache-2.0
#include "proto/http/client.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "tests/fakes/static_origin.h"
#include "tests/fakes/temp_dir.h"

namespace lineside::http {
namespace {

using fakes::Misdeed;
using fakes::StaticOrigin;

class ClientTest : public testing::Test {
 protected:
  ClientTest() { dir_.write("a/f.json", "hello"); }
  Client client(ClientOptions options = {}) {
    if (options.base_url.empty()) options.base_url = origin_.url() + "/a";
    return Client::make(options).value();
  }
  fakes::TempDir dir_;
  StaticOrigin origin_{dir_.path()};
};

TEST_F(ClientTest, JoinsPathsToTheBase) {
  Client c = client();
  EXPECT_EQ(as_text(c.get("f.json")->body), "hello");
  EXPECT_EQ(as_text(c.get("/a/f.json")->body), "hello");
  EXPECT_EQ(as_text(c.get(origin_.url() + "/a/f.json")->body), "hello");
  EXPECT_EQ(c.get("/f.json")->status, 404);
  EXPECT_EQ(c.get("http://other.example/x").error().code, Code::kUsage);
  EXPECT_EQ(origin_.connections_accepted(), 1u);
}

TEST_F(ClientTest, NamesTheServerThatIsNotThere) {
  std::string address = origin_.url();
  origin_.server().stop();
  ClientOptions options;
  options.base_url = address;
  auto reply = client(options).get("/");
  EXPECT_EQ(reply.error().code, Code::kNetwork);
  EXPECT_NE(reply.error().what.find(address.substr(7)), std::string::npos);
}

TEST_F(ClientTest, ReplacesAConnectionThatWasClosed) {
  auto first = std::make_unique<StaticOrigin>(dir_.path());
  ServerOptions same;
  same.address = first->server().endpoint().text();
  ClientOptions mine;
  mine.base_url = first->url();
  Client c = client(mine);
  ASSERT_TRUE(c.get("/a/f.json").ok());
  first.reset();
  StaticOrigin second(dir_.path(), same);
  EXPECT_EQ(as_text(c.get("/a/f.json")->body), "hello");
  EXPECT_EQ(second.connections_accepted(), 1u);
}

TEST_F(ClientTest, CapsDeclaredAndEndlessBodies) {
  ClientOptions options;
  options.base_url = origin_.url();
  options.max_body_bytes = 4;
  Client c = client(options);
  EXPECT_EQ(c.get("/a/f.json").error().code, Code::kTooLarge);
  options.max_body_bytes = 1 << 20;
  Client d = client(options);
  origin_.misbehave(Misdeed::kEndless);
  EXPECT_EQ(d.get("/a/f.json").error().code, Code::kTooLarge);
  origin_.behave();
  EXPECT_EQ(as_text(d.get("/a/f.json")->body), "hello");
}

TEST_F(ClientTest, LargeErrorPageDoesNotHideTheStatus) {
  origin_.misbehave(Misdeed::kServerError);
  EXPECT_EQ(client().get_at_most("f.json", 3)->status, 500);
}

TEST_F(ClientTest, SilentServerTimesOut) {
  ClientOptions options;
  options.base_url = origin_.url();
  options.read_timeout = std::chrono::milliseconds(30);
  origin_.misbehave(Misdeed::kDrip, 2);
  EXPECT_EQ(client(options).get("/a/f.json").error().code, Code::kTimeout);
}

TEST_F(ClientTest, StopsOnRequest) {
  origin_.misbehave(Misdeed::kDrip, 2);
  Client c = client();
  std::jthread worker;
  std::promise<Code> code;
  worker = std::jthread(
      [&](std::stop_token stop) { code.set_value(c.get("f.json", stop).error().code); });
  origin_.await_request();
  worker.request_stop();
  EXPECT_EQ(code.get_future().get(), Code::kCancelled);
}

TEST_F(ClientTest, BrokenBodyIsAnError) {
  origin_.misbehave(Misdeed::kCut, 3, 1);
  Client c = client();
  EXPECT_EQ(c.get("f.json").error().code, Code::kNetwork);
  EXPECT_EQ(as_text(c.get("f.json")->body), "hello");
}

TEST_F(ClientTest, RefusesHeadersThatForge) {
  EXPECT_EQ(client().request("GET", "f.json", {}, {{"X", "a\r\nY: b"}}).error().code, Code::kUsage);
  EXPECT_EQ(client().request("GET /x", "f.json").error().code, Code::kUsage);
}

TEST(ClientRedirect, StaysOnTheSameOrigin) {
  std::string location = "/end";
  auto server = Server::start({}, [&](const Request& request) {
                  if (request.path == "/end") return text_response(200, "end");
                  Response response = text_response(302, "");
                  response.headers["Location"] = location;
                  return response;
                }).value();
  ClientOptions options;
  options.base_url = "http://" + server->endpoint().text();
  EXPECT_EQ(Client::make(options)->get("/")->status, 302);
  options.max_redirects = 2;
  EXPECT_EQ(Client::make(options)->get("/")->status, 200);
  location = "http://elsewhere.example/end";
  EXPECT_EQ(Client::make(options)->get("/")->status, 302);
  location = "/again";
  EXPECT_EQ(Client::make(options)->get("/")->status, 302);
}

}  // namespace
}  // namespace lineside::http

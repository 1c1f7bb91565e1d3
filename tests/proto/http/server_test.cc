// SPDX-License-Identifier: Apache-2.0
#include "proto/http/server.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <future>
#include <latch>

#include "proto/http/client.h"
#include "proto/http/event_stream.h"
#include "tests/fakes/temp_dir.h"
#include "tests/proto/http/raw_connection.h"

namespace lineside::http {
namespace {

using fakes::RawConnection;

Response echo(const Request& request) {
  if (request.path == "/throw") throw std::runtime_error("oops");
  return text_response(
      200, request.method + ' ' + request.path + ' ' + std::to_string(request.body.size()));
}

std::unique_ptr<Server> serve(ServerOptions options = {}, Handler handler = echo) {
  return Server::start(std::move(options), std::move(handler)).value();
}

Client client_of(const Server& server) {
  ClientOptions options;
  options.base_url = "http://" + server.endpoint().text();
  return Client::make(options).value();
}

constexpr char kClose[] = "Host: x\r\nConnection: close\r\n\r\n";

TEST(Server, NamesTheAddressInUse) {
  auto server = serve();
  ServerOptions again;
  again.address = server->endpoint().text();
  auto second = Server::start(again, echo);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Code::kConflict);
  EXPECT_NE(second.error().what.find(again.address), std::string::npos);
}

TEST(Server, RefusesBadAddresses) {
  for (const char* address : {"nonsense", "host.example:80", "192.0.2.77:0"}) {
    ServerOptions options;
    options.address = address;
    EXPECT_EQ(Server::start(options, echo).error().code, Code::kUsage) << address;
  }
}

TEST(Server, AnswersOnASocketThatItInherits) {
  ServerOptions options;
  options.inherited = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in loopback{};
  loopback.sin_family = AF_INET;
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(*options.inherited, reinterpret_cast<sockaddr*>(&loopback), sizeof loopback), 0);
  ASSERT_EQ(::listen(*options.inherited, 8), 0);
  auto server = serve(options);
  EXPECT_NE(server->endpoint().port, 0);
  RawConnection raw(server->endpoint());
  EXPECT_NE(raw.ask("GET /a HTTP/1.1\r\n" + std::string(kClose)).find("GET /a 0"),
            std::string::npos);
}

TEST(Server, RefusesAnInheritedSocketOfAnotherKind) {
  ServerOptions options;
  options.inherited = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(Server::start(options, echo).error().code, Code::kUsage);
}

TEST(Server, KeepsAliveAndPipelines) {
  auto server = serve();
  RawConnection raw(server->endpoint());
  std::string text =
      raw.ask("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\n" + std::string(kClose));
  EXPECT_NE(text.find("GET /a 0"), std::string::npos);
  EXPECT_NE(text.find("GET /b 0"), std::string::npos);
  EXPECT_EQ(server->stats().accepted, 1u);
  EXPECT_EQ(server->stats().requests, 2u);
}

TEST(Server, RefusesTraversalAndRubbish) {
  auto server = serve();
  for (const char* line :
       {"GET /../etc/passwd HTTP/1.1", "GET /%2e%2e/x HTTP/1.1", "GET /a%00 HTTP/1.1",
        "GET nowhere HTTP/1.1", "\x16\x03\x01 HTTP/1.1", "GET / HTTP/9.9", "GET"}) {
    std::string text = RawConnection(server->endpoint()).ask(line + std::string("\r\n") + kClose);
    EXPECT_TRUE(text.starts_with("HTTP/1.1 400 ")) << line << " -> " << text;
  }
  EXPECT_EQ(server->stats().requests, 0u);
}

TEST(Server, RefusesSmuggling) {
  auto server = serve();
  std::string text = RawConnection(server->endpoint())
                         .ask(
                             "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  EXPECT_TRUE(text.starts_with("HTTP/1.1 400 ")) << text;
}

TEST(Server, RefusesTooMuch) {
  ServerOptions options;
  options.max_header_bytes = 4096;
  options.max_body = [](const std::string&, const std::string& path) {
    return path == "/big" ? 100u : 10u;
  };
  auto server = serve(options);
  auto ask = [&](const std::string& text) {
    return RawConnection(server->endpoint()).ask(text).substr(0, 12);
  };
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nX: " + std::string(5000, 'a') + "\r\n" + kClose),
            "HTTP/1.1 431");
  EXPECT_EQ(ask("PUT / HTTP/1.1\r\nContent-Length: 11\r\n\r\n"), "HTTP/1.1 413");
  EXPECT_EQ(ask("PUT /big HTTP/1.1\r\nContent-Length: 11\r\nConnection: close\r\n\r\nhello world"),
            "HTTP/1.1 200");
  EXPECT_EQ(ask("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n" +
                std::string(20, 'x') + "\r\n0\r\n\r\n"),
            "HTTP/1.1 413");
}

TEST(Server, SlowlorisIsCutOff) {
  ServerOptions options;
  options.idle_timeout = std::chrono::milliseconds(50);
  auto server = serve(options);
  RawConnection head(server->endpoint());
  head.send("GET / HTTP/1.1\r\nX: ");
  EXPECT_EQ(head.read_to_end(), "");
  RawConnection body(server->endpoint());
  EXPECT_EQ(body.ask("PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"), "");
}

TEST(Server, Expects100Continue) {
  auto server = serve();
  RawConnection raw(server->endpoint());
  raw.send(
      "PUT /x HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n"
      "\r\n");
  EXPECT_EQ(raw.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_NE(raw.ask("abc").find("PUT /x 3"), std::string::npos);
}

TEST(Server, HeadHasNoBody) {
  auto server = serve();
  std::string text =
      RawConnection(server->endpoint()).ask("HEAD /a HTTP/1.1\r\n" + std::string(kClose));
  EXPECT_NE(text.find("Content-Length: 9"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
}

TEST(Server, HandlersFailureIsAProblem) {
  auto server = serve();
  Client client = client_of(*server);
  Reply reply = client.get("/throw").value();
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.headers["content-type"], "application/problem+json");
  EXPECT_NE(as_text(reply.body).find("\"code\":\"internal\""), std::string_view::npos);
}

TEST(Server, HeaderValuesCannotForgeHeaders) {
  auto server = serve({}, [](const Request&) {
    Response response = text_response(200, "x");
    response.headers["X-Bad"] = "a\r\nSet-Cookie: b";
    response.headers["X-Good"] = "c";
    return response;
  });
  Reply reply = client_of(*server).get("/").value();
  EXPECT_FALSE(reply.headers.contains("set-cookie"));
  EXPECT_EQ(reply.headers["x-good"], "c");
}

TEST(Server, ServesRangesOfAFile) {
  fakes::TempDir dir;
  auto file = dir.write("f", "0123456789");
  auto server = serve({}, [&](const Request&) {
    Response response;
    response.headers["etag"] = "\"v1\"";
    response.body = FileBody{file, 2, 6};  // "234567"
    return response;
  });
  Client client = client_of(*server);
  auto ask = [&](const Headers& headers) {
    return client.request("GET", "/", {}, headers).value();
  };
  EXPECT_EQ(as_text(ask({}).body), "234567");
  Reply part = ask({{"Range", "bytes=1-2"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(as_text(part.body), "34");
  EXPECT_EQ(part.headers["content-range"], "bytes 1-2/6");
  Reply none = ask({{"Range", "bytes=6-"}});
  EXPECT_EQ(none.status, 416);
  EXPECT_EQ(none.headers["content-range"], "bytes */6");
  EXPECT_EQ(ask({{"Range", "bytes=1-2"}, {"If-Range", "\"v0\""}}).status, 200);
  EXPECT_EQ(ask({{"Range", "bytes=1-2"}, {"If-Range", "\"v1\""}}).status, 206);
  EXPECT_EQ(ask({{"If-None-Match", "\"v1\""}}).status, 304);
  EXPECT_EQ(client.request("HEAD", "/").value().headers["content-length"], "6");
}

TEST(Server, MissingFileIs404WithoutItsPath) {
  auto server = serve({}, [](const Request&) {
    Response response;
    response.body = FileBody{"/nonexistent/secret", 0, {}};
    return response;
  });
  Reply reply = client_of(*server).get("/").value();
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(as_text(reply.body).find("secret"), std::string_view::npos);
}

TEST(Server, LimitsConnectionsOfOneAddress) {
  ServerOptions options;
  options.max_connections_per_ip = 2;
  auto server = serve(options);
  RawConnection first(server->endpoint());
  RawConnection second(server->endpoint());
  for (auto* raw : {&first, &second}) {
    raw->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    raw->read_until("GET / 0");
  }
  RawConnection third(server->endpoint());
  EXPECT_EQ(third.read_to_end(), "");
  EXPECT_EQ(server->stats().refused, 1u);
}

TEST(Server, LimitsRequestsOfOnePeer) {
  ServerOptions options;
  options.requests_per_second = 0.001;
  options.request_burst = 2;
  auto server = serve(options);
  Client client = client_of(*server);
  EXPECT_EQ(client.get("/").value().status, 200);
  EXPECT_EQ(client.get("/").value().status, 200);
  Reply reply = client.get("/").value();
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(reply.headers["retry-after"], "1");
}

TEST(Server, EventsArriveAndEndWhenTheClientLeaves) {
  std::promise<std::shared_ptr<EventWriter>> promise;
  std::promise<void> left;
  ServerOptions options;
  options.on_done = [&](const AccessRecord&) { left.set_value(); };
  auto server = serve(options, [&](const Request&) {
    Response response;
    response.body = EventBody{[&](auto writer) { promise.set_value(std::move(writer)); }};
    return response;
  });
  auto raw = std::make_unique<RawConnection>(server->endpoint());
  raw->send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(raw->read_until("\r\n\r\n").find("text/event-stream"), std::string::npos);
  auto writer = promise.get_future().get();
  EXPECT_TRUE(writer->send("tick", "1"));
  EXPECT_EQ(raw->read_until("\n\n"), "event: tick\ndata: 1\n\n");
  EXPECT_TRUE(writer->send("tick", "2"));
  EXPECT_EQ(raw->read_until("\n\n"), "event: tick\ndata: 2\n\n");
  raw.reset();
  left.get_future().wait();
  EXPECT_FALSE(writer->send("tick", "3"));
  EXPECT_FALSE(writer->open());
}

TEST(Server, EventStreamEndsWhenTheWriterCloses) {
  auto server = serve({}, [&](const Request&) {
    Response response;
    response.body = EventBody{[](auto writer) {
      writer->send("", "last");
      writer->close();
    }};
    return response;
  });
  std::string text = RawConnection(server->endpoint()).ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(text.ends_with("data: last\n\n")) << text;
}

TEST(Server, StopsWhileClientsHoldConnectionsAndStreams) {
  std::promise<std::shared_ptr<EventWriter>> promise;
  auto server = serve({}, [&](const Request&) {
    Response response;
    response.body = EventBody{[&](auto writer) { promise.set_value(std::move(writer)); }};
    return response;
  });
  RawConnection idle(server->endpoint());
  RawConnection events(server->endpoint());
  events.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  auto writer = promise.get_future().get();
  server->stop();
  EXPECT_FALSE(writer->send("", "x"));
  server.reset();
  EXPECT_FALSE(writer->send("", "x"));
}

TEST(Server, Serves300ConnectionsAtOnce) {
  ServerOptions options;
  options.max_connections_per_ip = 400;
  auto server = serve(options);
  std::vector<std::unique_ptr<RawConnection>> all;
  for (int i = 0; i < 300; ++i) all.push_back(std::make_unique<RawConnection>(server->endpoint()));
  for (int round = 0; round < 2; ++round) {
    for (auto& raw : all) raw->send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    for (auto& raw : all) EXPECT_NE(raw->read_until("GET /x 0").find("200 OK"), std::string::npos);
  }
  EXPECT_EQ(server->stats().connections, 300u);
  EXPECT_EQ(server->stats().requests, 600u);
}

}  // namespace
}  // namespace lineside::http

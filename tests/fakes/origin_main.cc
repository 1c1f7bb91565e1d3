// SPDX-License-Identifier: Apache-2.0
// static_origin --root DIR [--listen IP:PORT] [--rate BYTES/S]: serves a folder with ranges, for
// the quickstart and the site tests. Prints "listening on IP:PORT", logs a line a request, and at
// SIGTERM prints "sent N bytes".
#include <pthread.h>
#include <signal.h>

#include <charconv>
#include <cstdio>
#include <cstring>

#include "proto/base/log.h"
#include "tests/fakes/static_origin.h"

namespace {

struct Arguments {
  lineside::Path root;
  lineside::http::ServerOptions server;
};

bool parse(int argc, char** argv, Arguments& out) {
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string_view name = argv[i];
    std::string_view value = argv[i + 1];
    if (name == "--root") {
      out.root = value;
    } else if (name == "--listen") {
      out.server.address = value;
    } else if (name == "--rate") {
      auto [end, error] = std::from_chars(value.data(), value.data() + value.size(),
                                          out.server.send_bytes_per_second);
      if (error != std::errc() || end != value.data() + value.size()) return false;
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && !out.root.empty();
}

void log_access(const lineside::http::AccessRecord& done) {
  lineside::log(lineside::Level::kInfo, "served",
                {{"method", done.method},
                 {"path", done.path},
                 {"status", std::to_string(done.status)},
                 {"bytes", std::to_string(done.bytes_sent)},
                 {"complete", done.complete ? "yes" : "no"},
                 {"peer", done.remote_ip}});
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fprintf(stderr, "usage: static_origin --root DIR [--listen IP:PORT] [--rate BYTES/S]\n");
    return 2;
  }
  // Blocked before any thread exists, so that every thread leaves them to sigwait.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  arguments.server.on_done = log_access;
  auto disk = lineside::make_posix_disk();
  auto server =
      lineside::http::Server::start(arguments.server, [&](const lineside::http::Request& request) {
        return lineside::fakes::serve_file(*disk, arguments.root, request);
      });
  if (!server.ok()) {
    std::fprintf(stderr, "static_origin: %s\n", server.error().describe().c_str());
    return 1;
  }
  std::printf("listening on %s\n", (*server)->endpoint().text().c_str());
  std::fflush(stdout);
  int number = 0;
  sigwait(&signals, &number);
  (*server)->stop();
  std::printf("sent %llu bytes\n", static_cast<unsigned long long>((*server)->stats().bytes_sent));
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "proto/base/service.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "tests/fakes/temp_dir.h"

namespace lineside::service {
namespace {

// The manager's end of NOTIFY_SOCKET.
class Manager {
 public:
  Manager() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    std::string path = (dir_.path() / "notify").string();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~Manager() {
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
    ::close(socket_);
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // The next message; empty if there is none.
  [[nodiscard]] std::string heard() const {
    std::string text(256, '\0');
    ssize_t got = ::recv(socket_, text.data(), text.size(), 0);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return text;
  }

 private:
  fakes::TempDir dir_;
  int socket_;
};

TEST(Service, TellsItsManagerHowItIs) {
  Manager manager;
  report_ready();
  EXPECT_EQ(manager.heard(), "READY=1");
  report_stopping();
  EXPECT_EQ(manager.heard(), "STOPPING=1");
}

TEST(Service, FeedsTheWatchdogOnlyWhereOneWaits) {
  Manager manager;
  report_alive();
  EXPECT_EQ(manager.heard(), "");
  ::setenv("WATCHDOG_USEC", "5000000", 1);
  report_alive();
  EXPECT_EQ(manager.heard(), "WATCHDOG=1");
}

TEST(Service, SaysNothingWithoutAManager) {
  ::unsetenv("NOTIFY_SOCKET");
  report_ready();
  report_alive();
  EXPECT_FALSE(inherited_socket("api"));
}

// In a child, since the protocol speaks of descriptor 3 and of the process's own id.
TEST(Service, TakesTheSocketOfThatNameAlone) {
  pid_t child = ::fork();
  if (child == 0) {
    ::dup2(0, 3);
    ::dup2(0, 4);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", "2", 1);
    ::setenv("LISTEN_FDNAMES", "page:api", 1);
    bool right = inherited_socket("api") == 4 && inherited_socket("page") == 3 &&
                 !inherited_socket("other") && inherited_socket("api") == 4;
    ::_exit(right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace lineside::service

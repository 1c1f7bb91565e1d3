// SPDX-License-Identifier: Apache-2.0
// A plain socket to a server under test, for bytes that no client of ours would send.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

#include "proto/http/target.h"

namespace lineside::fakes {

class RawConnection {
 public:
  explicit RawConnection(const http::Endpoint& endpoint) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(endpoint.port);
    ::inet_pton(AF_INET, endpoint.ip.c_str(), &place.sin_addr);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&place), sizeof place) != 0) {
      throw std::runtime_error("cannot connect");
    }
  }
  ~RawConnection() { ::close(fd_); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  void send(const std::string& text) const {
    [[maybe_unused]] auto sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
  }
  // Waits until `end` has come (it is included) or the server closes.
  std::string read_until(const std::string& end) const {
    std::string text;
    char c = 0;
    while (text.size() < (1 << 20) && ::recv(fd_, &c, 1, 0) == 1) {
      text += c;
      if (!end.empty() && text.ends_with(end)) break;
    }
    return text;
  }
  std::string read_to_end() const { return read_until(""); }
  // Sends, then everything that comes until the server closes.
  [[nodiscard]] std::string ask(const std::string& text) const {
    send(text);
    return read_to_end();
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace lineside::fakes

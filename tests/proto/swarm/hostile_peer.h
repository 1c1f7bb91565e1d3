// SPDX-License-Identifier: Apache-2.0
// A peer written by hand (BEP 3, 6, 52) that answers every request with a bad block and rejects
// every request for hashes. It serves one connection after another, at any address of this machine.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>

#include "proto/base/bytes.h"
#include "proto/swarm/info.h"

namespace lineside::swarm {

class HostilePeer {
 public:
  explicit HostilePeer(const DeliveryFacts& facts)
      : facts_(facts), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    socklen_t size = sizeof any;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&any), size) != 0 ||
        ::listen(listener_, 256) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&any), &size) != 0) {
      throw std::runtime_error("hostile peer cannot listen");
    }
    port_ = ntohs(any.sin_port);
    thread_ = std::jthread([this] { serve(); });
  }
  ~HostilePeer() {
    ::shutdown(listener_, SHUT_RDWR);  // ends accept()
    thread_.join();
    ::close(listener_);
  }
  HostilePeer(const HostilePeer&) = delete;
  HostilePeer& operator=(const HostilePeer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] unsigned bad_blocks() const { return bad_blocks_; }
  [[nodiscard]] unsigned hash_requests() const { return hash_requests_; }

 private:
  enum Id : std::uint8_t { kUnchoke = 1, kRequest = 6, kPiece = 7, kHaveAll = 14 };
  enum HashId : std::uint8_t { kHashRequest = 21, kHashReject = 23 };

  void serve() {
    for (int peer = ::accept(listener_, nullptr, nullptr); peer >= 0;
         peer = ::accept(listener_, nullptr, nullptr)) {
      timeval patience{10, 0};
      ::setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      if (greet(peer)) {
        while (answer(peer)) {
        }
      }
      ::close(peer);
    }
  }

  static bool take(int peer, std::span<std::uint8_t> out) {
    return ::recv(peer, out.data(), out.size(), MSG_WAITALL) == static_cast<ssize_t>(out.size());
  }
  static bool give(int peer, BytesView data) {
    return ::send(peer, data.data(), data.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(data.size());
  }
  static void put_number(Bytes& out, std::size_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      out.push_back(static_cast<std::uint8_t>(value >> shift));
    }
  }
  static bool tell(int peer, std::uint8_t id, BytesView body = {}) {
    Bytes out;
    put_number(out, body.size() + 1);
    out.push_back(id);
    out.insert(out.end(), body.begin(), body.end());
    return give(peer, out);
  }

  bool greet(int peer) {
    std::array<std::uint8_t, 68> theirs{};
    if (!take(peer, theirs)) return false;
    std::array<std::uint8_t, 68> ours{};
    const Bytes name = to_bytes(
        "\x13"
        "BitTorrent protocol");
    const Digest hash = info_hash(facts_);
    const Bytes id = to_bytes("-XX0001-hostile-peer");
    std::copy(name.begin(), name.end(), ours.begin());
    ours[27] = 0x04 | 0x10;  // fast extension, version 2
    std::copy_n(hash.bytes.begin(), 20, ours.begin() + 28);
    std::copy(id.begin(), id.end(), ours.begin() + 48);
    return give(peer, ours) && tell(peer, kHaveAll) && reject_unasked(peer) && tell(peer, kUnchoke);
  }

  // For block hashes far beyond the piece layer, which nobody asked for.
  bool reject_unasked(int peer) {
    Bytes body(facts_.root.bytes.begin(), facts_.root.bytes.end());
    for (const std::size_t value : {0, 4096, 2, 11}) put_number(body, value);
    return tell(peer, kHashReject, body);
  }

  bool answer(int peer) {
    std::array<std::uint8_t, 4> head{};
    if (!take(peer, head)) return false;
    const std::size_t length = std::size_t{head[0]} << 24 | std::size_t{head[1]} << 16 |
                               std::size_t{head[2]} << 8 | head[3];
    if (length > 1U << 20) return false;
    Bytes body(length);
    if (!take(peer, body)) return false;
    if (body.empty()) return true;
    const BytesView rest = BytesView(body).subspan(1);
    if (body[0] == kHashRequest) {
      ++hash_requests_;
      return tell(peer, kHashReject, rest);
    }
    if (body[0] != kRequest || rest.size() != 12) return true;
    ++bad_blocks_;
    Bytes block(rest.begin(), rest.begin() + 8);
    block.resize(8 + kBlockBytes, 0xAA);
    return tell(peer, kPiece, block);
  }

  const DeliveryFacts facts_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<unsigned> bad_blocks_ = 0;
  std::atomic<unsigned> hash_requests_ = 0;
  std::jthread thread_;
};

}  // namespace lineside::swarm

// SPDX-License-Identifier: Apache-2.0
// What a node answers to other nodes: the routes of proto/api/gossip.h, without sockets. Only keys
// of the roster that are not revoked are answered, and nothing is given that was not verified here.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "node/shelf.h"
#include "proto/http/message.h"

namespace lineside::node {

class GossipRoutes {
 public:
  using Heard = std::function<void(const std::string& remote_ip, const api::Heads&)>;

  // `disk` and `shelf` outlive it. `heard`: called with what a member says that it holds.
  GossipRoutes(const Disk& disk, Path state, const Shelf& shelf, Heard heard);

  // Any thread.
  [[nodiscard]] http::Response handle(const http::Request& request) const;
  // The largest body of a route, for the server's cap.
  static std::uint64_t max_body(const std::string& method, const std::string& path);

 private:
  using Answer = Result<http::Response>;
  struct Route;
  static const Route kRoutes[];

  [[nodiscard]] Answer heads(const http::Request& request) const;
  [[nodiscard]] Answer evidence(const http::Request& request) const;
  [[nodiscard]] Answer roster(const http::Request& request) const;
  [[nodiscard]] Answer directive(const http::Request& request) const;
  [[nodiscard]] Answer site_root(const http::Request& request) const;
  [[nodiscard]] Answer vendor_metadata(const http::Request& request) const;
  [[nodiscard]] Answer vendor_target(const http::Request& request) const;
  [[nodiscard]] Answer attestations(const http::Request& request) const;
  [[nodiscard]] Answer delivery(const http::Request& request) const;
  [[nodiscard]] Answer leaves(const http::Request& request) const;
  [[nodiscard]] Answer root_of(const char* chain, const std::string& name) const;
  [[nodiscard]] Answer file(const Path& path) const;

  const Disk& disk_;
  const Path state_;
  const Shelf& shelf_;
  const Heard heard_;
};

}  // namespace lineside::node

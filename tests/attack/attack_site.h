// SPDX-License-Identifier: Apache-2.0
// A real lineside-node, and around it everything that it trusts and everything that lies to it: a
// gateway and peers on real sockets that say what a scenario has them say.
//
//     Attack: arrange ─▶ the node runs ─▶ it tells the gateway why it refuses
//             then: nothing was activated, the node is up, and ends properly when asked
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "node/gossip.h"
#include "proto/http/server.h"
#include "proto/swarm/swarm.h"
#include "tests/node/agent_site.h"

namespace lineside::node {

// The routes of a gateway or of a peer over what a FakeGateway holds, and lies in place of some.
class LyingServer {
 public:
  using Lie = std::function<http::Response(const http::Request&)>;

  // `says` outlives it and is changed under lock() only.
  LyingServer(fakes::FakeGateway& says, http::Identity identity);
  // `lie` answers every path that begins with `prefix`, from now on.
  void lie(const std::string& prefix, Lie lie);
  [[nodiscard]] std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }
  [[nodiscard]] std::string endpoint() const { return server_->endpoint().text(); }
  [[nodiscard]] std::uint64_t requests() const { return server_->stats().requests; }
  // Waits until a report holds it; false if none came for long.
  bool await(const std::function<bool(const api::NodeReport&)>& holds);

 private:
  http::Response answer(const http::Request& request);
  http::Response report(const http::Request& request);

  fakes::FakeGateway& says_;
  std::mutex mutex_;
  std::condition_variable reported_;
  std::map<std::string, Lie> lies_;
  std::unique_ptr<http::Server> server_;  // last: its threads use the rest
};

// The node's process.
class NodeProcess {
 public:
  explicit NodeProcess(const Path& config, const Path& log);
  ~NodeProcess();
  NodeProcess(const NodeProcess&) = delete;
  NodeProcess& operator=(const NodeProcess&) = delete;
  [[nodiscard]] bool alive() const;
  // SIGTERM; its exit status, or 128 and the signal that ended it.
  int stop();

 private:
  mutable pid_t pid_ = 0;
  mutable std::optional<int> status_;
};

class AttackSite : public AgentSite {
 protected:
  AttackSite();

  // Bundles that pass the real inference check.
  void publish_real(const std::string& version, std::int64_t release);
  // A device that runs the version and is confirmed, before the attack begins.
  void install(const std::string& version);
  // The gateway of the site, honest but for its lies. Seeds `version`'s delivery over the swarm.
  LyingServer& gateway();
  void seed(const std::string& version);
  // Another member of the site, cam02, that answers as gateway() does; introduced to the node.
  LyingServer& peer(fakes::FakeGateway& says);
  void start_node();

  // The report (or the refusal in it) with that code and those words.
  void expect_told(const std::string& code, const std::string& words = "");
  void expect_refused(const std::string& what, const std::string& code);
  // The agent goes on for some rounds without any of it coming true.
  void expect_rounds(int count, const std::function<bool(const api::NodeReport&)>& never);
  // Nothing was activated since the attack began, the node lives, and ends with status 0.
  void expect_unharmed();

  [[nodiscard]] http::Identity identity(const trust::PrivateKey& key) const;
  [[nodiscard]] std::size_t switches() const;
  std::string running_before_;
  std::size_t switches_before_ = 0;
  std::string more_config_;
  std::unique_ptr<swarm::Swarm> swarm_;
  std::unique_ptr<fakes::FakeGateway> peer_says_;
  std::unique_ptr<LyingServer> gateway_server_, peer_server_;
  std::unique_ptr<NodeProcess> node_;  // first to end
};

// Bodies that no honest server sends.
http::Response endless_body();
http::Response endless_header();
http::Response bytes_body(Bytes bytes);

}  // namespace lineside::node

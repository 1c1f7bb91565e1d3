// SPDX-License-Identifier: Apache-2.0
#include "tests/attack/attack_site.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "node/check/npy.h"
#include "proto/trust/leaves.h"
#include "proto/trust/merkle.h"

namespace lineside::node {

using fakes::must;
using nlohmann::json;

namespace {

constexpr std::chrono::seconds kLong{40};

// Runs in the real sandbox: one case with one output, written by the probe itself.
constexpr const char* kProbe = R"({"schema":1,
 "argv":["/usr/bin/python3","-I","-S","{validation}/run.py"],
 "cases":[{"name":"speech","outputs":{"output":{"file":"golden.npy"}}}],
 "limits":{"wall_s":20,"memory_mb":256,"tmp_mb":4}})";
constexpr const char* kProgram =
    "import json, os\n"
    "channel = os.fdopen(int(os.environ['LINESIDE_RESULT_FD']), 'w', buffering=1)\n"
    "def say(**line): channel.write(json.dumps(line) + '\\n')\n"
    "say(t='start', schema=1, runtime={}, provider='CPU')\n"
    "golden = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'golden.npy')\n"
    "open('o.npy', 'wb').write(open(golden, 'rb').read())\n"
    "say(t='case', name='speech', outputs={'output': 'o.npy'})\n"
    "say(t='done')\n";

std::string golden() {
  Tensor tensor{Dtype::kFloat32, {2}, Bytes(8)};
  const float values[] = {0.25F, 0.75F};
  std::memcpy(tensor.data.data(), values, sizeof values);
  return std::string(as_text(serialise_npy(tensor)));
}

UtcTime an_hour_ago() {
  return std::chrono::time_point_cast<std::chrono::seconds>(SystemClock().now()) -
         std::chrono::hours(1);
}

std::vector<Digest> leaves_of(const Disk& disk, const Path& file) {
  return must(trust::hash_file(**disk.open(file), 1, trust::KeepLeaves::kYes)).leaves;
}

http::Response of(Result<Bytes> bytes) {
  return bytes.ok() ? bytes_body(std::move(*bytes)) : http::problem(bytes.error());
}

}  // namespace

http::Response bytes_body(Bytes bytes) {
  http::Response response;
  response.body = std::move(bytes);
  return response;
}

http::Response endless_body() {
  http::Response response;
  response.body = http::PulledBody{std::nullopt, [] { return Result<Bytes>(Bytes(65'536, ' ')); }};
  return response;
}

http::Response endless_header() {
  http::Response response = bytes_body({});
  response.headers["x-pad"] = std::string(256 << 10, 'a');
  return response;
}

// ---- servers -----------------------------------------------------------------------------------

LyingServer::LyingServer(fakes::FakeGateway& says, http::Identity identity) : says_(says) {
  http::ServerOptions options;
  options.identity = std::move(identity);
  server_ = must(http::Server::start(
      options, [this](const http::Request& request) { return answer(request); }));
}

void LyingServer::lie(const std::string& prefix, Lie lie) {
  auto held = lock();
  lies_[prefix] = std::move(lie);
}

http::Response LyingServer::report(const http::Request& request) {
  auto parsed = api::parse_node_report(request.body);
  if (!parsed.ok()) return http::problem(parsed.error());
  auto reply = says_.report(*parsed);
  reported_.notify_all();
  return http::json_response(200, api::to_json(must(std::move(reply))).dump());
}

http::Response LyingServer::answer(const http::Request& request) {
  auto held = lock();
  for (const auto& [prefix, lie] : lies_) {
    if (!request.path.starts_with(prefix)) continue;
    Lie told = lie;
    held.unlock();
    return told(request);
  }
  auto rest = [&](const char* prefix) { return request.path.substr(std::strlen(prefix)); };
  auto fetched = [&](trust::Fetcher& from, const char* prefix) {
    return of(from.fetch(rest(prefix), 64 << 20));
  };
  if (request.path == "/v1/report") return report(request);
  if (request.path == "/v1/enrol")
    return http::json_response(200, api::to_json(api::EnrolReply{"pending", ""}).dump());
  if (request.path == "/v1/roster") return of(says_.roster());
  if (request.path == "/v1/directive") return of(says_.directive());
  if (request.path == "/v1/attestations" && request.method == "GET") {
    return http::json_response(200, api::envelopes_json(says_.envelopes).dump());
  }
  if (request.path == "/v1/attestations" || request.path == "/v1/evidence") {
    return http::json_response(200, "{}");
  }
  if (request.path.starts_with("/v1/site/metadata/")) {
    return fetched(says_.site_metadata(), "/v1/site/metadata/");
  }
  if (request.path.starts_with("/v1/vendor/metadata/")) {
    return fetched(says_.vendor_metadata(), "/v1/vendor/metadata/");
  }
  if (request.path.starts_with("/v1/vendor/targets/")) {
    return fetched(says_.vendor_targets(), "/v1/vendor/targets/");
  }
  if (request.path == "/v1/delivery") {
    auto offer = says_.delivery(must(Digest::parse(request.query.at("base"))),
                                must(Digest::parse(request.query.at("target"))));
    if (!offer.ok()) return http::problem(offer.error());
    return http::json_response(200, api::to_json(*offer).dump());
  }
  if (request.path.starts_with("/v1/leaves/")) {
    auto file = says_.files.find(must(Digest::parse(rest("/v1/leaves/"))));
    if (file == says_.files.end()) return http::problem({Code::kNotFound, "no such delivery"});
    auto disk = make_posix_disk();
    return bytes_body(trust::serialise_leaves(leaves_of(*disk, file->second)));
  }
  return http::problem({Code::kNotFound, request.path});
}

bool LyingServer::await(const std::function<bool(const api::NodeReport&)>& holds) {
  auto held = lock();
  std::size_t seen = says_.reports.size() > 0 ? says_.reports.size() - 1 : 0;
  return reported_.wait_for(held, kLong, [&] {
    for (; seen < says_.reports.size(); ++seen) {
      if (holds(says_.reports[seen])) return true;
    }
    return false;
  });
}

// ---- the node ----------------------------------------------------------------------------------

NodeProcess::NodeProcess(const Path& config, const Path& log) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  std::string program = std::string(LINESIDE_BIN_DIR) + "/lineside-node";
  std::string file = config.string();
  char run[] = "run";
  char flag[] = "-c";
  char* argv[] = {program.data(), run, flag, file.data(), nullptr};
  if (::posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv, environ) != 0) pid_ = 0;
  posix_spawn_file_actions_destroy(&actions);
}

NodeProcess::~NodeProcess() {
  if (pid_ != 0 && !status_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

bool NodeProcess::alive() const {
  int status = 0;
  if (pid_ == 0 || status_) return false;
  if (::waitpid(pid_, &status, WNOHANG) == 0) return true;
  status_ = status;
  return false;
}

int NodeProcess::stop() {
  if (alive()) {
    ::kill(pid_, SIGTERM);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    status_ = status;
  }
  const int status = status_.value_or(0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// ---- the site ----------------------------------------------------------------------------------

AttackSite::AttackSite() : AgentSite(an_hour_ago()) {
  probe_ = kProbe;
  probe_program_ = kProgram;
  config_.live_check = std::chrono::hours(1);
}

http::Identity AttackSite::identity(const trust::PrivateKey& key) const {
  return must(http::Identity::make(must(key.to_pem(std::nullopt)), "test"));
}

void AttackSite::publish_real(const std::string& version, std::int64_t release) {
  dir_.write("trees/" + version + "/validation/golden.npy", golden());
  publish(version, release);
}

void AttackSite::install(const std::string& version) {
  checker_.current = dir_ / "state/current";
  const auto sequence = gateway_->reply.directive_sequence + 1;
  direct(sequence, version);
  if (run_until(State::kConfirmed).state != State::kConfirmed) {
    throw std::runtime_error("the first bundle was not installed");
  }
  running_before_ = current();
  gateway_->reports.clear();
}

LyingServer& AttackSite::gateway() {
  if (!gateway_server_) {
    gateway_->reply.poll_ms = 50;
    gateway_server_ = std::make_unique<LyingServer>(*gateway_, identity(boss_));
  }
  return *gateway_server_;
}

LyingServer& AttackSite::peer(fakes::FakeGateway& says) {
  peer_server_ = std::make_unique<LyingServer>(says, identity(other_));
  gateway_->reply.gossip = {peer_server_->endpoint()};
  return *peer_server_;
}

void AttackSite::seed(const std::string& version) {
  swarm::SwarmOptions options;
  options.listen = {"127.0.0.1:0"};
  options.local_discovery = false;
  swarm_ = must(swarm::Swarm::start(*disk_, options));
  const auto offer = gateway_->offers.at({sha256({}), tree(version)});
  const Path file = gateway_->files.at(offer.root);
  must_ok(swarm_->seed({offer.root, offer.length}, file, leaves_of(*disk_, file)));
  gateway_->reply.gateway_endpoint = "127.0.0.1:" + std::to_string(swarm_->port());
}

std::size_t AttackSite::switches() const {
  const std::string log = dir_.read("state/events.log");
  const std::string to = "\"to\":\"activating\"";
  std::size_t count = 0;
  for (std::size_t at = log.find(to); at != std::string::npos; at = log.find(to, at + 1)) ++count;
  return count;
}

void AttackSite::start_node() {
  switches_before_ = switches();
  std::filesystem::create_directories(config_.state);
  must_ok(disk_->replace(config_.state / "device.key", as_bytes(must(key_.to_pem(std::nullopt))),
                         0600));
  const std::string root = (dir_ / "site/1.root.json").string();
  dir_.write("node.toml", "[device]\nid = \"cam01\"\nhardware = [\"ipc-x86\"]\nstate = \"" +
                              config_.state.string() + "\"\n[site]\nname = \"plant-7\"\nroot = \"" +
                              root + "\"\n[vendor]\nroot = \"" + root +
                              "\"\n[gateway]\naddresses = [\"https://" + gateway().endpoint() +
                              "\"]\npoll_floor_ms = 50\n[swarm]\nlisten = \"127.0.0.1:0\"\n"
                              "local_discovery = false\n[gossip]\nlisten = \"127.0.0.1:0\"\n"
                              "every = \"1s\"\n[patience]\ntransfer = \"1s\"\nretry = \"1s\"\n"
                              "unreachable = \"1s\"\nsite_root = \"1s\"\n" +
                              more_config_);
  node_ = std::make_unique<NodeProcess>(dir_ / "node.toml", dir_ / "node.log");
}

void AttackSite::expect_told(const std::string& code, const std::string& words) {
  EXPECT_TRUE(gateway().await([&](const api::NodeReport& report) {
    return report.code == code && report.error.find(words) != std::string::npos;
  })) << "never told: "
      << code << " " << words << "\n"
      << dir_.read("node.log");
}

void AttackSite::expect_refused(const std::string& what, const std::string& code) {
  EXPECT_TRUE(gateway().await([&](const api::NodeReport& report) {
    return report.refusal && report.refusal->what == what && report.refusal->code == code;
  })) << "never refused: "
      << what << " " << code << "\n"
      << dir_.read("node.log");
}

void AttackSite::expect_rounds(int count,
                               const std::function<bool(const api::NodeReport&)>& never) {
  bool came_true = false;
  EXPECT_TRUE(gateway().await([&](const api::NodeReport& report) {
    came_true = came_true || never(report);
    return --count <= 0;
  })) << dir_.read("node.log");
  EXPECT_FALSE(came_true);
}

void AttackSite::expect_unharmed() {
  ASSERT_TRUE(node_ && node_->alive()) << dir_.read("node.log");
  EXPECT_EQ(current(), running_before_);
  EXPECT_EQ(switches(), switches_before_);
  EXPECT_EQ(node_->stop(), 0) << dir_.read("node.log");
}

}  // namespace lineside::node

// SPDX-License-Identifier: Apache-2.0
// A gateway in the middle of a rollout, for the page's tests in a browser: a real database that was
// filled beforehand, a real rollout that goes on, and a few devices that report over TLS.
//
// usage: page_site NODES [IP:PORT]
//
// Says "ready URL USER PASSPHRASE" on standard output, then obeys lines on standard input:
// "restart N" stops the gateway, waits N seconds and starts it again; "quit" or the end ends it.
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "proto/trust/attestation.h"
#include "seeder/page/users.h"
#include "seeder/rollout_store.h"
#include "tests/seeder/local_gateway.h"

namespace lineside::seeder {
namespace {

constexpr const char* kPassphrase = "correct horse battery";
constexpr std::size_t kMovers = 6;
constexpr std::uint64_t kPieceBytes = 16384;

class PageSite : private LocalGateway {
 public:
  PageSite(std::size_t nodes, std::string page_at) : listen_(std::move(page_at)) {
    publish();
    found();
    must(add_user(*disk, dir / "users", "anna", kPassphrase));
    for (std::size_t i = 0; i < nodes; ++i) {
      names_.push_back(fmt::format("line{}-cell{:02}", 1 + i / 20, 1 + i % 20));
      keys_.push_back(must(trust::PrivateKey::generate(trust::Scheme::kEd25519)));
    }
    fill();
    go_on();
  }
  ~PageSite() override { stop(); }
  PageSite(const PageSite&) = delete;
  PageSite& operator=(const PageSite&) = delete;

  void go_on() {
    start();
    listen_ = gateway->page_endpoint();  // the same after a restart
    reporter_ = std::jthread([this](std::stop_token end) { report_on(std::move(end)); });
  }
  void stop() {
    reporter_ = {};
    gateway.reset();
  }
  [[nodiscard]] const std::string& page() const { return listen_; }

 private:
  [[nodiscard]] SeederConfig config() const override {
    SeederConfig made = LocalGateway::config();
    made.poll_ms = 1000;
    made.wan_budget = 20'000'000;
    made.page_listen = listen_;
    made.page_tls = false;
    made.page_users = dir / "users";
    return made;
  }

  void publish() {
    std::string probe =
        R"({"schema":1,"argv":["{runtime}/run"],"cases":[{"name":"part","inputs":{"x":"x.npy"},)"
        R"("outputs":{"y":{"file":"y.npy"}}}],"budgets":{"p50_ms":9,"rss_mb":400}})";
    std::map<std::string, std::string> files = {{"models/vision.onnx", noise(2'000'000, 1)},
                                                {"firmware/image", noise(500'000, 2)},
                                                {"validation/probe.json", probe}};
    old_ = vendor.publish("1.0.0", 10, files);
    files["models/vision.onnx"] = noise(1'500'000, 3);
    new_ = vendor.publish("2.0.0", 20, files, {"1.0.0"});
  }

  [[nodiscard]] bool is_canary(std::size_t index) const { return index < 2; }
  [[nodiscard]] std::string hardware(std::size_t index) const {
    return index % 2 == 0 ? "jetson" : "ipc-x86";
  }

  trust::Roster roster() {
    trust::Roster made;
    made.site = "plant-7";
    made.version = 1;
    made.issued = clock.now();
    made.gateways = {must(gateway_key(*disk, config())).public_key()};
    for (std::size_t i = 0; i < names_.size(); ++i) {
      made.devices.push_back({.id = names_[i],
                              .key = keys_[i].public_key(),
                              .hardware = {hardware(i)},
                              .groups = {names_[i].substr(0, names_[i].find('-'))},
                              .canary = is_canary(i)});
    }
    std::sort(made.devices.begin(), made.devices.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    return made;
  }

  trust::Directive directive() {
    trust::Directive made;
    made.site = "plant-7";
    made.sequence = 1;
    made.issued = made.not_before = clock.now() - std::chrono::minutes(40);
    made.expires = clock.now() + std::chrono::hours(24);
    made.bundle = new_.target_name();
    made.manifest = sha256(trust::serialise(new_));
    made.devices = names_;
    std::sort(made.devices.begin(), made.devices.end());
    made.canaries = {names_[0], names_[1]};
    made.soak = std::chrono::minutes(10);
    made.batch_size = static_cast<std::uint32_t>(std::max<std::size_t>(4, names_.size() / 5));
    made.failure_limit = {10'000, 50};
    return made;
  }

  api::CheckSummary check(std::size_t index, UtcTime at, bool good) {
    api::CheckSummary made;
    made.phase = "live";
    made.verdict = good ? "pass" : "fail";
    made.cause = good ? "" : "infer.case.part: output 'y' differs by 0.31, allowed 0.001";
    made.finished = at;
    auto wave = static_cast<double>((index * 37 + at.time_since_epoch().count() / 300) % 17);
    made.measured = {{"latency.p50_us", fmt::format("{:.1f}", 6100 + 60 * wave)},
                     {"latency.p95_us", fmt::format("{:.1f}", 7000 + 90 * wave)},
                     {"latency.n", "200"},
                     {"rss_mb", "212.4"},
                     {"wall_ms", "4100"},
                     {"version.onnxruntime", "1.17.0"}};
    if (!good) made.stderr_tail = "probe: comparing y.npy\nprobe: 312 of 1024 values differ\n";
    return made;
  }

  api::NodeReport report(std::size_t index, const trust::Manifest& runs) {
    api::NodeReport made;
    made.device = names_[index];
    made.agent = "0.1.0";
    made.hardware = {hardware(index)};
    made.state = "confirmed";
    made.directive_sequence = 1;
    made.roster_version = 1;
    made.bundle = runs.target_name();
    made.version = runs.version;
    made.manifest = sha256(trust::serialise(runs));
    made.tree = runs.tree;
    made.tree_read = clock.now() - std::chrono::minutes(3);
    made.trees = {runs.tree};
    made.free_bytes = 9'300'000'000;
    made.inferring = true;
    made.inferences = 48'000 + index;
    made.check = check(index, clock.now() - std::chrono::seconds(90), true);
    made.delivered_from_gateway = 150'000;
    made.delivered_from_peers = 1'400'000;
    return made;
  }

  // Canaries and the first batch run the new version; six devices fetch it; one device failed to
  // take it, one took it and infers no more.
  api::NodeReport state_of(std::size_t index) {
    if (index == 3) {
      api::NodeReport failed = report(index, old_);
      failed.state = "failed";
      failed.code = "check-failed";
      failed.error = "deps.versions: numpy is 1.19.5, the runtime was built for 1.21 or newer";
      return failed;
    }
    if (index == 4) {
      api::NodeReport dead = report(index, new_);
      dead.inferring = false;
      dead.inferring_cause = "infer.case.part: output 'y' differs by 0.31, allowed 0.001";
      dead.check = check(index, clock.now() - std::chrono::seconds(40), false);
      return dead;
    }
    if (index < names_.size() / 3) return report(index, new_);
    if (index < names_.size() / 3 + kMovers) return moving(index, 0);
    api::NodeReport waiting = report(index, old_);
    waiting.state = "gated";
    return waiting;
  }

  api::NodeReport moving(std::size_t index, std::uint64_t round) {
    api::NodeReport made = report(index, old_);
    made.state = "fetching";
    const trust::Delivery& delivery = new_.deliveries.back();
    api::Transfer transfer;
    transfer.root = delivery.root;
    transfer.length = delivery.length;
    transfer.pieces = static_cast<std::uint32_t>((delivery.length + kPieceBytes - 1) / kPieceBytes);
    transfer.piece_map.assign((transfer.pieces + 7) / 8, 0);
    std::uint64_t have = (20 + index * 7 + round) % (transfer.pieces + 1);
    for (std::uint64_t i = 0; i < have; ++i) {
      std::uint64_t piece = (i * 31 + index * 11) % transfer.pieces;
      transfer.piece_map[piece / 8] |= static_cast<std::uint8_t>(0x80U >> (piece % 8));
    }
    transfer.have = std::min(delivery.length, have * kPieceBytes);
    transfer.from_gateway = transfer.have / 6;
    transfer.from_peers = transfer.have - transfer.from_gateway;
    transfer.uploaded = transfer.have / 2;
    transfer.peers = 5;
    transfer.down_rate = 410'000 + 1000 * (round % 50);
    transfer.up_rate = 380'000;
    made.transfer = transfer;
    return made;
  }

  void fill() {
    must(disk->make_dirs(dir / "state"));
    auto store = must(RolloutStore::open(dir / "state/site.db"));
    trust::PrivateKey anna = operator_key();
    auto seal = [&](std::string_view type, const Bytes& payload) {
      return must(trust::seal(type, payload, {&anna}));
    };
    Bytes roster_bytes = trust::serialise(roster());
    must(store->add_document(DocumentKind::kRoster, 1, sha256(roster_bytes),
                             seal(trust::kRosterType, roster_bytes),
                             {0, clock.now(), "roster", "operator", "", 0, "", "roster 1"}));
    trust::Directive order = directive();
    Bytes order_bytes = trust::serialise(order);
    Event ordered{0,
                  clock.now(),
                  "directive",
                  "operator",
                  "",
                  1,
                  sha256(order_bytes).hex(),
                  "directive 1: " + order.bundle};
    must(store->add_directive(sha256(order_bytes), seal(trust::kDirectiveType, order_bytes),
                              ordered, {begin_rollout(order), order.bundle}, std::nullopt));
    for (std::size_t i = 0; i < 2; ++i) attest(*store, i, sha256(order_bytes));
    for (std::size_t i = 0; i < names_.size(); ++i) {
      std::string text = api::to_json(state_of(i)).dump();
      must(store->put_report({names_[i], text, clock.now()}, 1));
    }
    for (int past = 60; past > 0; --past) {
      api::CheckSummary one = check(0, clock.now() - std::chrono::minutes(5 * past), true);
      must(store->add_check(names_[0], {one.finished, one.phase, one.verdict, one.cause,
                                        nlohmann::json(one.measured).dump()}));
    }
  }

  void attest(RolloutStore& store, std::size_t index, const Digest& order) {
    trust::Attestation said;
    said.bundle = new_.target_name();
    said.manifest = sha256(trust::serialise(new_));
    said.check = new_.check;
    said.golden = new_.golden;
    said.directive = order;
    said.outcome = trust::Outcome::kPassed;
    said.passed_tests = new_.required_tests;
    said.device = names_[index];
    said.hardware = {hardware(index)};
    said.directive_sequence = 1;
    said.started = clock.now() - std::chrono::minutes(30);
    said.finished = clock.now() - std::chrono::minutes(20);
    said.counter = 1;
    said.tree = new_.tree;
    said.inferences = 512;
    said.measured = {{"latency.p50_us", "6204.0"}};
    Bytes envelope = must(trust::seal_attestation(said, keys_[index]));
    Digest digest = sha256(envelope);
    Event event{0,
                said.finished,
                "attestation",
                said.device,
                said.device,
                1,
                digest.hex(),
                "PASSED on " + said.bundle};
    must(store.add_attestation(digest, order, envelope, event));
  }

  // Those that move report once a second.
  void report_on(std::stop_token end) {
    std::vector<http::Client> clients;
    std::size_t first = names_.size() / 3;
    for (std::size_t i = first; i < std::min(names_.size(), first + kMovers); ++i) {
      http::ClientOptions options;
      options.base_url = "https://" + gateway->endpoint() + "/";
      options.pinned_keys = {gateway->public_key().spki()};
      options.identity = must(http::Identity::make(must(keys_[i].to_pem(std::nullopt)), "device"));
      clients.push_back(must(http::Client::make(std::move(options))));
    }
    std::mutex mutex;
    std::condition_variable_any sleeps;
    while (!end.stop_requested()) {
      for (std::size_t i = 0; i < clients.size(); ++i) {
        std::string text = api::to_json(moving(first + i, round_)).dump();
        (void)clients[i].request("POST", "/v1/report", as_bytes(text), {}, end).ok();
      }
      ++round_;
      std::unique_lock lock(mutex);
      sleeps.wait_for(lock, end, std::chrono::seconds(1), [] { return false; });
    }
  }

  std::string listen_;
  trust::Manifest old_, new_;
  std::vector<std::string> names_;
  std::vector<trust::PrivateKey> keys_;
  std::uint64_t round_ = 0;
  std::jthread reporter_;
};

int run(std::size_t nodes, const std::string& listen) {
  PageSite site(nodes, listen);
  std::cout << fmt::format("ready http://{}/ anna {}", site.page(), kPassphrase) << std::endl;
  for (std::string line; std::getline(std::cin, line) && line != "quit";) {
    if (!line.starts_with("restart ")) continue;
    site.stop();
    std::this_thread::sleep_for(std::chrono::seconds(std::stoi(line.substr(8))));
    site.go_on();
    std::cout << "restarted" << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace lineside::seeder

int main(int argc, char** argv) {
  std::size_t nodes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 0;
  if (nodes < 12 || nodes > 1000) {
    std::cerr << "usage: page_site NODES [IP:PORT], 12 to 1000 nodes\n";
    return 2;
  }
  try {
    return lineside::seeder::run(nodes, argc > 2 ? argv[2] : "127.0.0.1:0");
  } catch (const std::exception& problem) {
    std::cerr << "page_site: " << problem.what() << "\n";
    return 1;
  }
}

// SPDX-License-Identifier: Apache-2.0
// swarm_peer seed|fetch FILE LENGTH LISTEN [PEER:PORT ...] [key=value ...]
//
// Carries LENGTH pseudo-random bytes, which every peer derives alike. Prints "ready" when it
// listens and "done SECONDS from_gateway from_peers wasted" when the file is complete; ends when
// its standard input does. Keys: gateway, leaves, queue, lsd (0 or 1), trace.
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "proto/swarm/swarm.h"
#include "proto/trust/merkle.h"

using namespace lineside;

namespace {

struct Arguments {
  bool seed = false;
  Path file;
  std::uint64_t length = 0;
  std::string listen;
  std::vector<swarm::Endpoint> peers;
  std::map<std::string, std::string> keys;
};

Arguments parse(int argc, char** argv) {
  Arguments out;
  out.seed = std::string_view(argv[1]) == "seed";
  out.file = argv[2];
  out.length = std::strtoull(argv[3], nullptr, 10);
  out.listen = argv[4];
  for (int i = 5; i < argc; ++i) {
    const std::string text = argv[i];
    if (const std::size_t equals = text.find('='); equals != std::string::npos) {
      out.keys[text.substr(0, equals)] = text.substr(equals + 1);
    } else {
      const std::size_t colon = text.rfind(':');
      out.peers.push_back(
          {text.substr(0, colon), static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1)))});
    }
  }
  return out;
}

struct Content {
  swarm::DeliveryFacts facts;
  std::vector<Digest> leaves;
};

// Pseudo-random bytes and, beside them, their leaves.
int make_content(const Path& file, std::uint64_t length) {
  std::string bytes;
  std::mt19937_64 random(20);
  while (bytes.size() < length) {
    const std::uint64_t word = random();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  bytes.resize(length);
  trust::MerkleHasher hasher;
  hasher.update(as_bytes(bytes));
  std::string leaves;
  for (const Digest& leaf : hasher.finish()) leaves += as_text(leaf.bytes);
  std::ofstream(file, std::ios::binary) << bytes;
  std::ofstream(file.string() + ".leaves", std::ios::binary) << leaves;
  return 0;
}

Content read_content(const Path& leaves, std::uint64_t length) {
  Content out;
  std::ifstream stream(leaves, std::ios::binary);
  Digest leaf;
  while (stream.read(reinterpret_cast<char*>(leaf.bytes.data()), leaf.bytes.size())) {
    out.leaves.push_back(leaf);
  }
  out.facts = {trust::root_of(out.leaves), length};
  return out;
}

void demand(const Result<void>& result) {
  if (result.ok()) return;
  std::fprintf(stderr, "%s\n", result.error().describe().c_str());
  std::exit(1);
}

struct Wait {
  std::mutex mutex;
  std::condition_variable changed;
  bool news = false;
};

swarm::SwarmOptions options_of(Arguments& arguments, Wait& wait) {
  swarm::SwarmOptions options;
  options.listen = {arguments.listen};
  options.local_discovery = arguments.keys["lsd"] == "1";
  options.gateway = arguments.seed;
  if (const std::string& text = arguments.keys["queue"]; !text.empty()) {
    options.request_queue = static_cast<std::uint32_t>(std::stoul(text));
  }
  options.on_change = [&wait](const Digest&) {
    const std::lock_guard lock(wait.mutex);
    wait.news = true;
    wait.changed.notify_all();
  };
  return options;
}

swarm::Status await_end(swarm::Swarm& swarm, const Digest& root, Wait& wait) {
  while (true) {
    const Result<swarm::Status> status = swarm.status(root);
    if (status.ok() &&
        (status->state == swarm::State::kSeeding || status->state == swarm::State::kFailed)) {
      return *status;
    }
    std::unique_lock lock(wait.mutex);
    wait.changed.wait(lock, [&] { return wait.news; });
    wait.news = false;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4) return make_content(argv[2], std::strtoull(argv[3], nullptr, 10));
  if (argc < 5) return 2;
  Arguments arguments = parse(argc, argv);
  const Content content = read_content(arguments.keys["leaves"], arguments.length);
  Wait wait;
  const auto disk = make_posix_disk();
  auto started = swarm::Swarm::start(*disk, options_of(arguments, wait));
  if (!started.ok()) {
    std::fprintf(stderr, "%s\n", started.error().describe().c_str());
    return 1;
  }
  swarm::Swarm& swarm = **started;
  const std::vector<std::string> gateways{arguments.keys["gateway"]};
  if (!gateways.front().empty()) demand(swarm.mark_gateway(gateways));
  std::cout << "ready" << std::endl;
  std::string line;
  std::getline(std::cin, line);  // the starting gun
  const auto start = std::chrono::steady_clock::now();
  demand(arguments.seed ? swarm.seed(content.facts, arguments.file, content.leaves)
                        : swarm.fetch(content.facts, arguments.file, content.leaves));
  demand(swarm.add_peers(content.facts.root, arguments.peers));
  std::jthread tracer([&](const std::stop_token& stop) {
    if (arguments.keys["trace"].empty()) return;
    std::FILE* out = std::fopen(arguments.keys["trace"].c_str(), "w");
    while (!stop.stop_requested()) {
      const Result<swarm::Status> now = swarm.status(content.facts.root);
      const std::chrono::duration<double> at = std::chrono::steady_clock::now() - start;
      if (now.ok()) {
        std::fprintf(out, "%.3f %lu %lu %lu %u\n", at.count(), now->bytes_from_gateway,
                     now->bytes_from_peers, now->bytes_uploaded, now->peers);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    std::fclose(out);
  });
  const swarm::Status end = await_end(swarm, content.facts.root, wait);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::cout << (end.state == swarm::State::kSeeding ? "done " : "failed ") << took.count() << ' '
            << end.bytes_from_gateway << ' ' << end.bytes_from_peers << ' ' << end.bytes_wasted
            << std::endl;
  while (std::getline(std::cin, line)) {
  }
  return 0;
}

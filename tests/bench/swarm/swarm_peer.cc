// SPDX-License-Identifier: Apache-2.0
// swarm_peer seed|fetch FILE LENGTH LISTEN [PEER:PORT ...] [key=value ...]
//
// swarm_peer make FILE LENGTH
//
// The second writes pseudo-random bytes and their leaves (FILE.leaves); the first carries them.
// It prints "ready" when it listens, waits for a line, prints "done key=value ..." when the file is
// complete, and ends when its standard input does. Keys of the arguments: gateway, leaves, queue,
// lsd (0 or 1), up and down (limits in bytes/s), trace (a file for the progress over time). Keys of
// the answer: start (seconds to the first verified bytes), complete (to the last), durable (until
// they were synced, too), gateway and peers (good bytes from there), wasted.
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
  options.upload_limit = std::strtoull(arguments.keys["up"].c_str(), nullptr, 10);
  options.download_limit = std::strtoull(arguments.keys["down"].c_str(), nullptr, 10);
  options.on_change = [&wait](const Digest&) {
    const std::lock_guard lock(wait.mutex);
    wait.news = true;
    wait.changed.notify_all();
  };
  return options;
}

using Seconds = std::chrono::duration<double>;

struct Times {
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  double first = 0;     // seconds to the first verified bytes
  double complete = 0;  // seconds to the last of them
  [[nodiscard]] double now() const {
    return Seconds(std::chrono::steady_clock::now() - start).count();
  }
};

swarm::Status await_end(swarm::Swarm& swarm, const Digest& root, Wait& wait, Times& times) {
  while (true) {
    const Result<swarm::Status> status = swarm.status(root);
    if (status.ok()) {
      const std::uint64_t good = status->bytes_from_gateway + status->bytes_from_peers;
      if (times.first == 0 && good > 0) times.first = times.now();
      if (times.complete == 0 && status->bytes_done == status->bytes_total) {
        times.complete = times.now();
      }
      if (status->state == swarm::State::kSeeding || status->state == swarm::State::kFailed) {
        return *status;
      }
    }
    std::unique_lock lock(wait.mutex);
    wait.changed.wait_for(lock, std::chrono::milliseconds(50), [&] { return wait.news; });
    wait.news = false;
  }
}

// Ten lines a second: time, good bytes from the gateway and from peers, bytes sent, connections.
void trace(const std::stop_token& stop, swarm::Swarm& swarm, const Digest& root,
           const std::string& file, const Times& times) {
  std::ofstream out(file);
  while (!stop.stop_requested()) {
    if (const Result<swarm::Status> now = swarm.status(root); now.ok()) {
      out << times.now() << ' ' << now->bytes_from_gateway << ' ' << now->bytes_from_peers << ' '
          << now->bytes_uploaded << ' ' << now->peers << std::endl;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
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
  Times times;
  demand(arguments.seed ? swarm.seed(content.facts, arguments.file, content.leaves)
                        : swarm.fetch(content.facts, arguments.file, content.leaves));
  demand(swarm.add_peers(content.facts.root, arguments.peers));
  std::jthread tracer;
  if (const std::string& file = arguments.keys["trace"]; !file.empty()) {
    tracer = std::jthread(
        [&](const std::stop_token& stop) { trace(stop, swarm, content.facts.root, file, times); });
  }
  const swarm::Status end = await_end(swarm, content.facts.root, wait, times);
  std::cout << (end.state == swarm::State::kSeeding ? "done" : "failed") << " start=" << times.first
            << " complete=" << times.complete << " durable=" << times.now()
            << " gateway=" << end.bytes_from_gateway << " peers=" << end.bytes_from_peers
            << " wasted=" << end.bytes_wasted << std::endl;
  while (std::getline(std::cin, line)) {
  }
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// The Swarm's inside: one libtorrent session, its deliveries, and one thread that looks after them.
//
//   libtorrent's thread ── wake(root), alerts ──▶ pending_ ──▶ worker: settle(), on_change
//   any thread ── seed, fetch, status, remove ──▶ deliveries_
//
// Locks: mutex_ for deliveries_ and what a Delivery says is guarded by it; Delivery::files for its
// resume file, taken before mutex_; wake_mutex_ for pending_. libtorrent's thread takes wake_mutex_
// alone, because the others are held during calls into it. Internal to proto/swarm.
#pragma once

#include <chrono>
#include <condition_variable>
#include <libtorrent/session.hpp>
#include <libtorrent/torrent_status.hpp>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "proto/swarm/guard.h"
#include "proto/swarm/resume.h"
#include "proto/swarm/swarm.h"

namespace lineside::swarm {

struct Delivery {
  DeliveryFacts facts;
  Path file;
  bool given = false;  // seed(): the file was complete from the start
  lt::torrent_handle torrent;
  std::shared_ptr<Guard> guard;

  std::mutex files;      // the resume file
  Pieces saved;          // by files: what the resume file says
  bool removed = false;  // by files: the resume file is not to be written any more

  std::optional<Error> error;  // by Engine::mutex_
  bool durable = false;        // by Engine::mutex_: complete and synced
  bool hurried = false;        // the worker's: its first peers have been called
};

class Swarm::Engine {
 public:
  Engine(Disk& disk, SwarmOptions options);
  ~Engine();
  Result<void> start();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  Result<void> seed(const DeliveryFacts& facts, const Path& file, std::vector<Digest> leaves);
  Result<void> fetch(const DeliveryFacts& facts, const Path& file, std::vector<Digest> leaves);
  Result<void> add_peers(const Digest& root, std::span<const Endpoint> peers);
  Result<void> mark_gateway(std::span<const std::string> addresses);
  void set_limits(std::uint64_t upload_limit, std::uint64_t download_limit);
  [[nodiscard]] Result<Status> status(const Digest& root) const;
  [[nodiscard]] Result<std::vector<PeerStatus>> peers(const Digest& root) const;
  Result<void> remove(const Digest& root, bool delete_file);

 private:
  using DeliveryPtr = std::shared_ptr<Delivery>;

  // engine.cc
  Result<void> carry(const DeliveryPtr& delivery, lt::add_torrent_params params,
                     std::vector<Digest> leaves);
  Result<DeliveryPtr> find(const Digest& root) const;
  void apply_filter();

  // engine_worker.cc
  void wake(const Digest& root);
  void work(const std::stop_token& stop);
  bool wait_for_work(const std::stop_token& stop, std::set<Digest>& roots);
  void read_alerts(std::set<Digest>& roots);
  void fail(const DeliveryPtr& delivery, Error error);
  void settle(const DeliveryPtr& delivery);
  static void hurry(Delivery& delivery, const lt::torrent_status& raw);
  void ban(const std::set<std::string>& addresses);
  Result<void> save(const DeliveryPtr& delivery);
  void save_all();
  [[nodiscard]] std::vector<DeliveryPtr> all() const;

  Disk& disk_;
  const SwarmOptions options_;
  std::chrono::steady_clock::time_point last_round_{};  // the worker's
  std::chrono::steady_clock::time_point next_save_{};   // the worker's
  std::uint16_t port_ = 0;

  std::mutex wake_mutex_;
  std::condition_variable_any wake_up_;
  bool alerts_waiting_ = false;
  std::set<Digest> pending_;

  mutable std::mutex mutex_;
  std::map<Digest, DeliveryPtr> deliveries_;
  std::set<lt::address> banned_;

  std::shared_ptr<Neighbours> neighbours_;
  // After everything that its thread touches, so that it is destroyed first.
  std::unique_ptr<lt::session> session_;
  std::jthread worker_;
};

Path resume_path(const Path& file);
Result<lt::address> parse_address(const std::string& text);
// Which Code a failed system call of the disk has.
Code disk_code(const lt::error_code& error);

}  // namespace lineside::swarm

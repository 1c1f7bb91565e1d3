// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <libtorrent/alert_types.hpp>

#include "proto/base/log.h"
#include "proto/swarm/engine.h"
#include "proto/swarm/status.h"

namespace lineside::swarm {
namespace {

// How much of a fetch a power cut can cost. Each save syncs the file, which wears flash.
constexpr std::chrono::seconds kSaveEvery{15};

// Rounds are at least this far apart: each one asks libtorrent's thread, and a fast fetch completes
// hundreds of pieces a second.
constexpr std::chrono::milliseconds kRoundEvery{100};

struct Trouble {
  lt::torrent_handle torrent;
  std::optional<Error> error;
};

std::optional<Trouble> read_alert(const lt::alert* alert) {
  if (const auto* bad = lt::alert_cast<lt::file_error_alert>(alert)) {
    return Trouble{bad->handle, Error{disk_code(bad->error),
                                      std::string(bad->filename()) + ": " + bad->error.message()}};
  }
  if (const auto* bad = lt::alert_cast<lt::torrent_error_alert>(alert)) {
    return Trouble{bad->handle, Error{disk_code(bad->error),
                                      std::string(bad->filename()) + ": " + bad->error.message()}};
  }
  if (const auto* news = dynamic_cast<const lt::torrent_alert*>(alert)) {
    return Trouble{news->handle, std::nullopt};
  }
  return std::nullopt;
}

}  // namespace

void Swarm::Engine::wake(const Digest& root) {
  const std::lock_guard lock(wake_mutex_);
  pending_.insert(root);
  wake_up_.notify_one();
}

std::vector<Swarm::Engine::DeliveryPtr> Swarm::Engine::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<DeliveryPtr> out;
  for (const auto& [root, delivery] : deliveries_) out.push_back(delivery);
  return out;
}

void Swarm::Engine::work(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::set<Digest> roots;
    const bool timed_out = !wait_for_work(stop, roots);
    if (stop.stop_requested()) return;
    try {
      read_alerts(roots);
      if (timed_out) save_all();
      for (const Digest& root : roots) {
        if (const Result<DeliveryPtr> delivery = find(root); delivery.ok()) settle(*delivery);
        if (options_.on_change) options_.on_change(root);
      }
    } catch (const lt::system_error&) {
      // A torrent that was removed under our hands; the next round finds it gone.
    }
  }
}

// False if it is time to save instead.
bool Swarm::Engine::wait_for_work(const std::stop_token& stop, std::set<Digest>& roots) {
  std::unique_lock lock(wake_mutex_);
  wake_up_.wait_until(lock, stop, last_round_ + kRoundEvery, [] { return false; });
  const bool work = wake_up_.wait_until(lock, stop, next_save_,
                                        [this] { return alerts_waiting_ || !pending_.empty(); });
  roots.swap(pending_);
  alerts_waiting_ = false;
  const auto now = std::chrono::steady_clock::now();
  last_round_ = now;
  if (now < next_save_) return work;
  next_save_ = now + kSaveEvery;
  return false;
}

void Swarm::Engine::read_alerts(std::set<Digest>& roots) {
  std::vector<lt::alert*> alerts;
  session_->pop_alerts(&alerts);
  const std::vector<DeliveryPtr> deliveries = all();
  for (const lt::alert* alert : alerts) {
    const std::optional<Trouble> news = read_alert(alert);
    if (!news) continue;
    for (const DeliveryPtr& delivery : deliveries) {
      if (delivery->torrent != news->torrent) continue;
      if (news->error) fail(delivery, *news->error);
      roots.insert(delivery->facts.root);
    }
  }
}

void Swarm::Engine::fail(const DeliveryPtr& delivery, Error error) {
  delivery->torrent.pause();
  const std::lock_guard lock(mutex_);
  if (delivery->error) return;  // the first cause is the one that tells
  log(Level::kError, "delivery failed",
      {{"root", delivery->facts.root.hex()}, {"reason", error.describe()}});
  delivery->error = std::move(error);
}

// Draws the consequences of whatever has happened to this delivery.
void Swarm::Engine::settle(const DeliveryPtr& delivery) {
  const GuardCounts counts = delivery->guard->counts();
  ban(counts.culprits);
  if (counts.error) fail(delivery, counts.error->with(delivery->file.string()));
  const lt::torrent_status raw = delivery->torrent.status({});
  hurry(*delivery, raw);
  const bool left_seed_mode = raw.state == lt::torrent_status::checking_files ||
                              raw.state == lt::torrent_status::downloading;
  if (delivery->given && left_seed_mode) {
    fail(delivery, {Code::kMismatch,
                    delivery->file.string() + ": is not delivery " + delivery->facts.root.hex()});
  }
  if (delivery->given || !raw.is_seeding || is_checking(raw)) return;
  const Result<void> saved = save(delivery);
  if (!saved.ok()) return fail(delivery, saved.error());
  const std::lock_guard lock(mutex_);
  delivery->durable = true;
}

// libtorrent calls the peers that it is told of once a second, but at once when a torrent goes on
// after a pause. Nothing is lost by a pause before there is a connection.
void Swarm::Engine::hurry(Delivery& delivery, const lt::torrent_status& raw) {
  if (delivery.hurried || raw.state != lt::torrent_status::downloading) return;
  delivery.hurried = raw.num_connections > 0;
  if (delivery.hurried || raw.list_peers == 0) return;
  delivery.torrent.pause();
  delivery.torrent.resume();
  delivery.hurried = true;
}

void Swarm::Engine::ban(const std::set<std::string>& addresses) {
  const std::lock_guard lock(mutex_);
  bool changed = false;
  for (const std::string& one : addresses) {
    const Result<lt::address> address = parse_address(one);
    if (!address.ok() || !banned_.insert(*address).second) continue;
    log(Level::kWarning, "peer sent a bad block, banned", {{"peer", one}});
    changed = true;
  }
  if (changed) apply_filter();
}

// First the file, then the word that its pieces are there.
Result<void> Swarm::Engine::save(const DeliveryPtr& delivery) {
  const std::lock_guard files(delivery->files);
  if (delivery->removed) return ok();
  const lt::torrent_status raw = delivery->torrent.status(lt::torrent_handle::query_pieces);
  if (is_checking(raw)) return ok();
  Pieces pieces = pieces_of(raw, piece_count(delivery->facts.length));
  if (pieces == delivery->saved || std::ranges::count(pieces, true) == 0) return ok();
  TRY_ASSIGN(const std::unique_ptr<OutputFile> file, disk_.reopen(delivery->file));
  TRY(file->sync());
  TRY(disk_.replace(resume_path(delivery->file), encode_resume(delivery->facts, pieces)));
  delivery->saved = std::move(pieces);
  return ok();
}

void Swarm::Engine::save_all() {
  for (const DeliveryPtr& delivery : all()) {
    if (delivery->given) continue;
    if (const Result<void> saved = save(delivery); !saved.ok()) {
      log(Level::kWarning, "resume data not saved", {{"reason", saved.error().describe()}});
    }
  }
}

}  // namespace lineside::swarm

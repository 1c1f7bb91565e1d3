// SPDX-License-Identifier: Apache-2.0
#include "proto/swarm/engine.h"

#include <libtorrent/ip_filter.hpp>
#include <libtorrent/peer_class.hpp>
#include <libtorrent/peer_info.hpp>

#include "proto/swarm/listening.h"
#include "proto/swarm/session_settings.h"
#include "proto/swarm/status.h"
#include "proto/swarm/torrent_params.h"

namespace lineside::swarm {
namespace {

// libtorrent exempts private addresses from the rate limits; on a plant's LAN that is everybody.
void limit_local_peers(lt::session& session) {
  constexpr auto kGlobal = 1U << static_cast<std::uint32_t>(lt::session::global_peer_class_id);
  lt::ip_filter classes;
  classes.add_rule(lt::make_address("0.0.0.0"), lt::make_address("255.255.255.255"), kGlobal);
  classes.add_rule(lt::make_address("::"),
                   lt::make_address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), kGlobal);
  session.set_peer_class_filter(classes);
}

struct OnDisk {
  std::optional<Pieces> pieces;  // vouched for
  std::uint64_t bytes = 0;       // that need no more space
};

// The bytes up to the end of the last piece that is claimed to be there.
std::uint64_t claimed_end(const DeliveryFacts& facts, const Pieces& pieces) {
  std::size_t count = pieces.size();
  while (count > 0 && !pieces[count - 1]) --count;
  return std::min<std::uint64_t>(facts.length, count * std::uint64_t{piece_length(facts.length)});
}

// Bad or stale resume data are as good as none: then the file is read from its start.
Result<OnDisk> look(const Disk& disk, const DeliveryFacts& facts, const Path& file) {
  OnDisk found;
  TRY_ASSIGN(const std::optional<FileInfo> info, disk.stat(file));
  if (!info) return found;
  if (info->type != FileType::kFile || info->size > facts.length) {
    return Error{Code::kConflict, file.string() + ": is not a part of a delivery of " +
                                      std::to_string(facts.length) + " bytes"};
  }
  found.bytes = info->size;
  const Result<Bytes> bytes = disk.read(resume_path(file), resume_bytes(facts));
  if (!bytes.ok()) return found;
  Result<Pieces> pieces = decode_resume(*bytes, facts);
  if (!pieces.ok() || claimed_end(facts, *pieces) > info->size) return found;
  found.bytes = bytes_in(facts, *pieces);
  found.pieces = std::move(*pieces);
  return found;
}

Result<void> check_space(const Disk& disk, const DeliveryFacts& facts, const Path& file,
                         std::uint64_t present) {
  TRY_ASSIGN(const std::uint64_t free, disk.free_bytes(file.parent_path()));
  if (free >= facts.length - present) return ok();
  return Error{Code::kNoSpace, file.string() + ": needs " + std::to_string(facts.length - present) +
                                   " more bytes, " + std::to_string(free) + " are free"};
}

void set_pieces(lt::add_torrent_params& params, const Pieces& pieces) {
  params.have_pieces.resize(static_cast<int>(pieces.size()), false);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i]) params.have_pieces.set_bit(lt::piece_index_t{static_cast<int>(i)});
  }
}

}  // namespace

Path resume_path(const Path& file) {
  Path out = file;
  out += ".resume";
  return out;
}

Result<lt::address> parse_address(const std::string& text) {
  lt::error_code bad;
  lt::address address = lt::make_address(text, bad);
  if (bad) return Error{Code::kUsage, "\"" + text + "\" is no IP address"};
  return address;
}

Swarm::Engine::Engine(Disk& disk, SwarmOptions options)
    : disk_(disk), options_(std::move(options)) {
  neighbours_ = std::make_shared<Neighbours>([this](const Digest& root) { wake(root); });
}

Result<void> Swarm::Engine::start() {
  TRY(check_listen(options_.listen));
  try {
    session_ = std::make_unique<lt::session>(session_params(options_));
    limit_local_peers(*session_);
    TRY(await_listening(*session_, options_.listen));
    port_ = session_->listen_port();
    session_->set_alert_notify([this] {
      const std::lock_guard lock(wake_mutex_);
      alerts_waiting_ = true;
      wake_up_.notify_one();
    });
    worker_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
    return ok();
  } catch (const std::exception& problem) {
    return Error{Code::kNetwork, std::string("swarm: ") + problem.what()};
  }
}

Swarm::Engine::~Engine() {
  if (worker_.joinable()) {
    worker_.request_stop();
    worker_.join();
    save_all();
  }
  session_.reset();
}

Result<Swarm::Engine::DeliveryPtr> Swarm::Engine::find(const Digest& root) const {
  const std::lock_guard lock(mutex_);
  const auto found = deliveries_.find(root);
  if (found != deliveries_.end()) return found->second;
  return Error{Code::kNotFound, "delivery " + root.hex() + ": not carried"};
}

Result<void> Swarm::Engine::carry(const DeliveryPtr& delivery, lt::add_torrent_params params,
                                  std::vector<Digest> leaves) {
  delivery->guard = std::make_shared<Guard>(delivery->facts, std::move(leaves),
                                            delivery->given && options_.gateway, neighbours_);
  params.extensions.emplace_back(
      [guard = delivery->guard](const lt::torrent_handle& torrent, lt::client_data_t) {
        guard->attach(torrent);
        return guard;
      });
  {
    const std::lock_guard lock(mutex_);
    if (deliveries_.contains(delivery->facts.root)) {
      return Error{Code::kExists,
                   "delivery " + delivery->facts.root.hex() + ": is carried already"};
    }
    lt::error_code bad;
    delivery->torrent = session_->add_torrent(std::move(params), bad);
    if (bad) {
      return Error{Code::kInternal,
                   "delivery " + delivery->facts.root.hex() + ": " + bad.message()};
    }
    deliveries_.emplace(delivery->facts.root, delivery);
  }
  wake(delivery->facts.root);
  return ok();
}

Result<void> Swarm::Engine::seed(const DeliveryFacts& facts, const Path& file,
                                 std::vector<Digest> leaves) {
  TRY(check_length(facts));
  TRY(check_leaves(facts, leaves));
  TRY_ASSIGN(const std::optional<FileInfo> info, disk_.stat(file));
  if (!info) return Error{Code::kNotFound, file.string() + ": does not exist"};
  if (info->type != FileType::kFile || info->size != facts.length) {
    return Error{Code::kMismatch, file.string() + ": expected a file of " +
                                      std::to_string(facts.length) + " bytes, found " +
                                      std::to_string(info->size)};
  }
  TRY_ASSIGN(lt::add_torrent_params params, torrent_params(facts, file, leaves));
  params.flags |= lt::torrent_flags::seed_mode;
  auto delivery = std::make_shared<Delivery>();
  delivery->facts = facts;
  delivery->file = file;
  delivery->given = true;
  delivery->durable = true;
  return carry(delivery, std::move(params), std::move(leaves));
}

Result<void> Swarm::Engine::fetch(const DeliveryFacts& facts, const Path& file,
                                  std::vector<Digest> leaves) {
  TRY(check_length(facts));
  TRY_ASSIGN(const OnDisk present, look(disk_, facts, file));
  TRY(check_space(disk_, facts, file, present.bytes));
  TRY(check_leaves(facts, leaves));
  TRY_ASSIGN(lt::add_torrent_params params, torrent_params(facts, file, leaves));
  auto delivery = std::make_shared<Delivery>();
  delivery->facts = facts;
  delivery->file = file;
  if (present.pieces) {
    set_pieces(params, *present.pieces);
    delivery->saved = *present.pieces;
  }
  return carry(delivery, std::move(params), std::move(leaves));
}

Result<void> Swarm::Engine::add_peers(const Digest& root, std::span<const Endpoint> peers) {
  TRY_ASSIGN(const DeliveryPtr delivery, find(root));
  std::vector<lt::tcp::endpoint> endpoints;
  for (const Endpoint& peer : peers) {
    TRY_ASSIGN(const lt::address address, parse_address(peer.address));
    endpoints.emplace_back(address, peer.port);
  }
  try {
    for (const lt::tcp::endpoint& endpoint : endpoints) delivery->torrent.connect_peer(endpoint);
  } catch (const lt::system_error& problem) {  // removed meanwhile
    return Error{Code::kNotFound, "delivery " + root.hex() + ": " + problem.what()};
  }
  wake(root);
  return ok();
}

Result<void> Swarm::Engine::mark_gateway(std::span<const std::string> addresses) {
  std::set<std::string> gateways;
  for (const std::string& one : addresses) {
    TRY_ASSIGN(const lt::address address, parse_address(one));
    gateways.insert(address.to_string());
  }
  neighbours_->set_gateways(std::move(gateways));
  return ok();
}

// Under mutex_. libtorrent cuts connections that the new filter forbids.
void Swarm::Engine::apply_filter() {
  lt::ip_filter filter;
  for (const lt::address& one : banned_) filter.add_rule(one, one, lt::ip_filter::blocked);
  session_->set_ip_filter(filter);
}

void Swarm::Engine::set_limits(std::uint64_t upload_limit, std::uint64_t download_limit) {
  lt::settings_pack pack;
  pack.set_int(lt::settings_pack::upload_rate_limit, rate_limit(upload_limit));
  pack.set_int(lt::settings_pack::download_rate_limit, rate_limit(download_limit));
  session_->apply_settings(std::move(pack));
}

Result<Status> Swarm::Engine::status(const Digest& root) const {
  TRY_ASSIGN(const DeliveryPtr delivery, find(root));
  try {
    const lt::torrent_status raw = delivery->torrent.status(lt::torrent_handle::query_pieces);
    const std::lock_guard lock(mutex_);
    return status_of(*delivery, raw);
  } catch (const lt::system_error& problem) {  // removed meanwhile
    return Error{Code::kNotFound, "delivery " + root.hex() + ": " + problem.what()};
  }
}

Result<std::vector<PeerStatus>> Swarm::Engine::peers(const Digest& root) const {
  TRY_ASSIGN(const DeliveryPtr delivery, find(root));
  std::vector<lt::peer_info> raw;
  try {
    delivery->torrent.get_peer_info(raw);
  } catch (const lt::system_error& problem) {  // removed meanwhile
    return Error{Code::kNotFound, "delivery " + root.hex() + ": " + problem.what()};
  }
  std::vector<PeerStatus> out;
  for (const lt::peer_info& peer : raw) {
    if (peer.flags & (lt::peer_info::connecting | lt::peer_info::handshake)) continue;
    out.push_back(peer_status_of(peer, *neighbours_));
  }
  return out;
}

Result<void> Swarm::Engine::remove(const Digest& root, bool delete_file) {
  TRY_ASSIGN(const DeliveryPtr delivery, find(root));
  Result<void> saved = ok();
  if (!delete_file && !delivery->given) saved = save(delivery);
  const std::lock_guard files(delivery->files);
  delivery->removed = true;
  {
    const std::lock_guard lock(mutex_);
    deliveries_.erase(root);
  }
  session_->remove_torrent(delivery->torrent);
  // A question behind the order in the queue of libtorrent's thread, which also does the disk's
  // work.
  (void)session_->get_torrents();
  if (!delete_file) return saved;
  TRY(disk_.remove(resume_path(delivery->file)));
  return disk_.remove(delivery->file);
}

}  // namespace lineside::swarm

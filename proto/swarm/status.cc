// SPDX-License-Identifier: Apache-2.0
#include "proto/swarm/status.h"

#include <algorithm>
#include <cerrno>

namespace lineside::swarm {
namespace {

std::uint64_t positive(std::int64_t value) {
  return value > 0 ? static_cast<std::uint64_t>(value) : 0;
}

State state_of(const Delivery& delivery, const lt::torrent_status& raw) {
  if (delivery.error) return State::kFailed;
  if (is_checking(raw) && !delivery.given) return State::kChecking;
  return delivery.durable ? State::kSeeding : State::kFetching;
}

}  // namespace

std::string_view state_name(State state) {
  switch (state) {
    case State::kChecking:
      return "checking";
    case State::kFetching:
      return "fetching";
    case State::kSeeding:
      return "seeding";
    case State::kFailed:
      return "failed";
  }
  return "unknown";
}

Code disk_code(const lt::error_code& error) {
  namespace errc = boost::system::errc;
  if (error == errc::no_space_on_device || error == errc::file_too_large ||
      error == lt::error_code(EDQUOT, boost::system::generic_category())) {
    return Code::kNoSpace;
  }
  if (error == errc::permission_denied || error == errc::operation_not_permitted ||
      error == errc::read_only_file_system) {
    return Code::kDenied;
  }
  return Code::kIo;
}

bool is_checking(const lt::torrent_status& raw) {
  return raw.state == lt::torrent_status::checking_files ||
         raw.state == lt::torrent_status::checking_resume_data;
}

Pieces pieces_of(const lt::torrent_status& raw, std::uint64_t count) {
  Pieces out(count, raw.is_seeding);
  if (raw.is_seeding) return out;
  const auto known = std::min<std::uint64_t>(count, static_cast<std::uint64_t>(raw.pieces.size()));
  for (std::uint64_t i = 0; i < known; ++i) {
    out[i] = raw.pieces.get_bit(lt::piece_index_t{static_cast<int>(i)});
  }
  return out;
}

std::uint64_t bytes_in(const DeliveryFacts& facts, const Pieces& pieces) {
  const std::uint64_t piece = piece_length(facts.length);
  std::uint64_t bytes = piece * static_cast<std::uint64_t>(std::ranges::count(pieces, true));
  if (!pieces.empty() && pieces.back()) bytes -= piece * pieces.size() - facts.length;
  return bytes;
}

Status status_of(const Delivery& delivery, const lt::torrent_status& raw) {
  const GuardCounts counts = delivery.guard->counts();
  Status out;
  out.state = state_of(delivery, raw);
  out.error = delivery.error;
  out.pieces = pieces_of(raw, piece_count(delivery.facts.length));
  out.pieces_have = static_cast<std::uint64_t>(std::ranges::count(out.pieces, true));
  out.bytes_total = delivery.facts.length;
  out.bytes_done = bytes_in(delivery.facts, out.pieces);
  out.bytes_from_gateway = counts.from_gateway;
  out.bytes_from_peers = counts.from_peers;
  out.bytes_wasted =
      counts.bad + positive(raw.total_redundant_bytes) + positive(raw.total_failed_bytes);
  out.bytes_uploaded = positive(raw.total_payload_upload);
  out.upload_rate = positive(raw.upload_payload_rate);
  out.download_rate = positive(raw.download_payload_rate);
  out.peers = static_cast<std::uint32_t>(raw.num_peers);
  out.culprits.assign(counts.culprits.begin(), counts.culprits.end());
  return out;
}

PeerStatus peer_status_of(const lt::peer_info& raw, const Neighbours& neighbours) {
  PeerStatus out;
  out.endpoint = {raw.ip.address().to_string(), raw.ip.port()};
  out.name = raw.client;
  out.gateway = neighbours.is_gateway(out.endpoint.address);
  out.bytes_received = positive(raw.total_download);
  out.bytes_sent = positive(raw.total_upload);
  out.pieces_have = static_cast<std::uint64_t>(raw.num_pieces);
  return out;
}

}  // namespace lineside::swarm

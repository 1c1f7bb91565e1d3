// SPDX-License-Identifier: Apache-2.0
#include "proto/swarm/swarm.h"

#include "proto/swarm/engine.h"

namespace lineside::swarm {

Swarm::Swarm(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Swarm::~Swarm() = default;

Result<std::unique_ptr<Swarm>> Swarm::start(Disk& disk, SwarmOptions options) {
  auto engine = std::make_unique<Engine>(disk, std::move(options));
  TRY(engine->start());
  return std::unique_ptr<Swarm>(new Swarm(std::move(engine)));
}

std::uint16_t Swarm::port() const {
  return engine_->port();
}

Result<void> Swarm::seed(const DeliveryFacts& facts, const Path& file, std::vector<Digest> leaves) {
  return engine_->seed(facts, file, std::move(leaves));
}
Result<void> Swarm::fetch(const DeliveryFacts& facts, const Path& file,
                          std::vector<Digest> leaves) {
  return engine_->fetch(facts, file, std::move(leaves));
}
Result<void> Swarm::add_peers(const Digest& root, std::span<const Endpoint> peers) {
  return engine_->add_peers(root, peers);
}
Result<void> Swarm::mark_gateway(std::span<const std::string> addresses) {
  return engine_->mark_gateway(addresses);
}
void Swarm::set_limits(std::uint64_t upload_limit, std::uint64_t download_limit) {
  engine_->set_limits(upload_limit, download_limit);
}
Result<Status> Swarm::status(const Digest& root) const {
  return engine_->status(root);
}
Result<std::vector<PeerStatus>> Swarm::peers(const Digest& root) const {
  return engine_->peers(root);
}
Result<void> Swarm::remove(const Digest& root, bool delete_file) {
  return engine_->remove(root, delete_file);
}

}  // namespace lineside::swarm

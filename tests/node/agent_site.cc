// SPDX-License-Identifier: Apache-2.0
#include "tests/node/agent_site.h"

#include <condition_variable>
#include <mutex>

#include "delta/make_delivery.h"
#include "delta/scan.h"

namespace lineside::node {

using fakes::must;
using trust::PrivateKey;

Result<CheckReport> FakeChecker::run(const CheckRequest& request, std::stop_token stop) const {
  ++runs;
  CheckReport report;
  report.verdict = Verdict::kPass;
  bool is_current =
      std::filesystem::weakly_canonical(request.tree) == std::filesystem::weakly_canonical(current);
  if (is_current && hangs_when_current) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any never;
    hanging = true;
    never.wait(lock, stop, [] { return false; });
    hanging = false;
    return Error{Code::kCancelled, "stopped"};
  }
  if (!bad_version.empty() && request.manifest->version == bad_version &&
      (is_current || !only_when_current) && runs >= bad_from_run) {
    if (when_bad) when_bad();
    if (verdict == Verdict::kFail) report.fail("infer.case.speech", "0.5");
    report.verdict = verdict;
    report.cause = "infer.case.speech: 0.5";
    return report;
  }
  report.pass("load.model");
  report.pass("infer.case.speech");
  return report;
}

AgentSite::AgentSite(UtcTime start) : start_(start) {
  trust::RootSpec spec;
  for (const char* role : {"root", "timestamp", "snapshot", "targets"}) {
    spec.roles[role] = {{boss_.public_key()}, 1};
  }
  Bytes root = must(trust::sign_metadata(must(trust::draft_root(spec, 1, start_)), boss_));
  dir_.write("site/1.root.json", std::string(as_text(root)));
  repository_ = std::make_unique<trust::Repository>(*disk_, dir_ / "vendor");
  must_ok(repository_->create(root, {&boss_}, {}, start_));
  gateway_ = std::make_unique<fakes::FakeGateway>(*disk_, dir_ / "site", dir_ / "vendor");
  transport_ = std::make_unique<fakes::FakeTransport>(*gateway_);
  config_.device = "cam01";
  config_.hardware = {"ipc-x86"};
  config_.state = dir_ / "state";
  config_.anchors = {"plant-7", dir_ / "site/1.root.json", dir_ / "site/1.root.json"};
  config_.poll_floor = std::chrono::milliseconds(1);
  config_.live_check = std::chrono::hours(10'000);
  checker_.current = dir_ / "state/current";
  make_roster(1, true);
  publish("1.0.0", 1);
  publish("2.0.0", 2);
  gateway_->reply.batches_open = 10;
  gateway_->reply.poll_ms = 1;
}

void AgentSite::make_roster(std::int64_t version, bool canary) {
  trust::Roster roster;
  roster.site = "plant-7";
  roster.version = version;
  roster.issued = issued_;
  roster.gateways = {boss_.public_key()};
  auto member = [&](const char* id, const PrivateKey& key, bool is_canary) {
    return trust::Device{.id = id,
                         .key = key.public_key(),
                         .hardware = {"ipc-x86"},
                         .groups = {},
                         .canary = is_canary};
  };
  roster.devices = {member("cam01", key_, canary), member("cam02", other_, true)};
  roster_ = roster;
  gateway_->roster_envelope =
      must(trust::seal(trust::kRosterType, trust::serialise(roster), {operator_}));
  gateway_->reply.roster_version = version;
}

void AgentSite::publish(const std::string& version, std::int64_t release,
                        const std::vector<std::string>& hardware) {
  std::string tree = "trees/" + version + "/";
  dir_.write(tree + "firmware/image", "firmware " + version + std::string(40'000, 'f'));
  dir_.write(tree + "runtime/numpy.py", "version = '" + version + "'");
  dir_.write(tree + "models/vad.onnx", "model");
  dir_.write(tree + "validation/probe.json", probe_);
  if (!probe_program_.empty()) dir_.write(tree + "validation/run.py", probe_program_);
  trust::Listing listing = must(delta::scan_tree(*disk_, dir_ / ("trees/" + version), 1));
  Bytes bytes = trust::serialise(listing);
  trust::Manifest manifest;
  manifest.name = "vision";
  manifest.version = version;
  manifest.release = release;
  manifest.security_floor = release;
  manifest.vendor = "acme.example";
  manifest.hardware = hardware;
  manifest.listing_length = bytes.size();
  manifest.tree = trust::tree_id(listing);
  manifest.tree_length = listing.total_length();
  manifest.check = sha256(as_bytes(probe_));
  manifest.golden = trust::part_digest(listing, "validation");
  manifest.required_tests = {"infer.case.speech"};
  Path file = dir_ / ("full-" + version);
  delta::TreeOnDisk target{dir_ / ("trees/" + version), listing};
  delta::MakeOptions options;
  options.effort = 1;
  options.threads = 1;
  must_ok(delta::make_delivery(options, *disk_, std::nullopt, target, file));
  gateway_->offer(sha256({}), manifest.tree, file);
  auto facts = gateway_->offers.at({sha256({}), manifest.tree});
  manifest.deliveries = {{facts.base, facts.target, facts.length, facts.root}};
  must_ok(repository_->publish(
      {{manifest.target_name(), trust::serialise(manifest)}, {manifest.listing_name(), bytes}},
      {&boss_}, {}, start_));
  manifests_[version] = manifest;
}

void AgentSite::direct(std::int64_t sequence, const std::string& version,
                       const std::vector<std::string>& canaries) {
  const trust::Manifest& manifest = manifests_.at(version);
  trust::Directive directive;
  directive.site = "plant-7";
  directive.sequence = sequence;
  directive.issued = directive.not_before = issued_;
  directive.expires = issued_ + std::chrono::hours(100);
  directive.bundle = manifest.target_name();
  directive.manifest = sha256(trust::serialise(manifest));
  directive.devices = {"cam01", "cam02"};
  directive.canaries = canaries;
  gateway_->directive_envelope =
      must(trust::seal(trust::kDirectiveType, trust::serialise(directive), {operator_}));
  gateway_->reply.directive_sequence = sequence;
  gateway_->envelopes.clear();
  gateway_->reply.attestations = 0;
}

void AgentSite::other_attests(const std::string& version, trust::Outcome outcome) {
  const trust::Manifest& manifest = manifests_.at(version);
  auto directive = must(trust::verify_directive(gateway_->directive_envelope,
                                                {{boss_.public_key()}, 1}, "plant-7", 1));
  trust::Attestation said;
  said.bundle = manifest.target_name();
  said.manifest = sha256(trust::serialise(manifest));
  said.check = manifest.check;
  said.golden = manifest.golden;
  said.directive = directive.digest;
  said.outcome = outcome;
  said.passed_tests = manifest.required_tests;
  said.device = "cam02";
  said.hardware = {"ipc-x86"};
  said.directive_sequence = directive.directive.sequence;
  said.started = said.finished = start_;
  said.counter = 1;
  said.tree = manifest.tree;
  said.inferences = 1;
  must_ok(gateway_->post_attestation(must(trust::seal_attestation(said, other_))));
}

std::unique_ptr<Agent> AgentSite::agent(Disk& disk) {
  slots_ = std::make_unique<DirectorySlots>(disk, config_.state);
  return std::make_unique<Agent>(
      Surroundings{disk, clock_, *gateway_, *transport_, *slots_, checker_, peers_}, config_, key_);
}

// A slow machine gets the time that a step needs; only a step that hangs on purpose uses all of it.
void AgentSite::await_work(Agent& agent) {
  if (agent.working()) agent.wait(std::chrono::milliseconds(500), {});
}

bool AgentSite::drive(Agent& agent, const std::function<bool(const Life&)>& done) {
  for (int round = 0; round < 60; ++round) {
    if (!agent.tick().ok()) return false;
    if (done(agent.life())) return true;
    await_work(agent);
    clock_.advance(std::chrono::seconds(3));
  }
  return true;
}
Life AgentSite::run_until(State state) {
  auto one = agent(*disk_);
  must_ok(one->start());
  drive(*one, [state](const Life& life) { return life.state == state; });
  settle(*one);
  return one->life();
}

void AgentSite::offer_delta(const std::string& from, const std::string& to) {
  const Path file = dir_ / ("delta-" + from + "-" + to);
  auto on_disk = [this](const std::string& version) {
    const Path tree = dir_ / ("trees/" + version);
    return delta::TreeOnDisk{tree, must(delta::scan_tree(*disk_, tree, 1))};
  };
  delta::MakeOptions options;
  options.effort = 1;
  options.threads = 1;
  must_ok(delta::make_delivery(options, *disk_, on_disk(from), on_disk(to), file));
  gateway_->offer(tree(from), tree(to), file);
}

void AgentSite::drive_to(Agent& agent, State state, std::int64_t sequence) {
  drive(agent, [&](const Life& life) { return life.state == state && life.sequence == sequence; });
}

void AgentSite::rounds(Agent& agent, int count) {
  drive(agent, [&count](const Life&) { return --count == 0; });
  await_work(agent);  // what the test changes next, no step reads at the same time
}

void AgentSite::settle(Agent& agent) {
  for (int i = 0; i < 5; ++i) {
    must_ok(agent.tick());
    await_work(agent);
  }
}

void AgentSite::save_state() {
  std::filesystem::copy(
      dir_ / "state", dir_ / "saved",
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
}

void AgentSite::restore_state() {
  must_ok(disk_->remove_tree(dir_ / "state"));
  std::filesystem::copy(
      dir_ / "saved", dir_ / "state",
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
}

}  // namespace lineside::node

// SPDX-License-Identifier: Apache-2.0
#include "node/commands.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "delta/scan.h"
#include "node/agent.h"
#include "node/bundle_files.h"
#include "node/check/cgroup.h"
#include "node/device_key.h"
#include "node/gossip.h"
#include "node/http_gateway_link.h"
#include "node/slots/directory_slots.h"
#include "node/status_view.h"
#include "node/swarm_transport.h"
#include "proto/base/log.h"
#include "proto/base/state_lock.h"
#include "proto/trust/document.h"

namespace lineside::node {
namespace {

using nlohmann::json;

// The daemon's threads have these blocked; one thread waits for them.
sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

// Returns when one of them came, or when nobody waits any more.
void await_signal(const std::stop_token& done) {
  sigset_t set = stop_signals();
  timespec half_second{0, 500'000'000};
  while (!done.stop_requested() && ::sigtimedwait(&set, nullptr, &half_second) < 0) {
  }
}

CheckOptions check_options(const NodeConfig& config) {
  CheckOptions options;
  options.bwrap = config.bwrap;
  options.scratch = config.state / "check";
  options.devices = config.check_devices;
  return options;
}

swarm::SwarmOptions swarm_options(const NodeConfig& config) {
  swarm::SwarmOptions options;
  options.listen = {config.swarm_listen};
  options.upload_limit = config.upload_limit;
  options.download_limit = config.download_limit;
  options.local_discovery = config.local_discovery;
  options.name = config.device;
  return options;
}

// The current tree and its manifest, if it is what was confirmed.
struct Installed {
  BundleRef bundle;
  Path dir;
};
Result<Installed> installed(Disk& disk, const NodeConfig& config) {
  TRY_ASSIGN(Life life, load_life(disk, config.state));
  DirectorySlots slots(disk, config.state);
  TRY_ASSIGN(auto current, slots.current());
  if (!current) return Error{Code::kNotFound, "nothing is installed on this device"};
  for (const auto& bundle : {life.target, life.confirmed}) {
    if (bundle && bundle->tree == *current) return Installed{*bundle, slots.dir(*current)};
  }
  return Error{Code::kConflict, "the current tree " + current->hex() + " is of no known bundle"};
}

Result<void> run_agent(const NodeConfig& config) {
  Cgroup::settle();
  auto disk = make_posix_disk();
  SystemClock clock;
  TRY_ASSIGN(const StateLock lock, StateLock::take(*disk, config.state));
  TRY_ASSIGN(auto key, open_device_key(*disk, config.state));
  TRY_ASSIGN(std::string pem, key.to_pem(std::nullopt));
  TRY_ASSIGN(auto identity, http::Identity::make(pem, config.device));
  HttpGatewayLink link(config.gateways, identity);
  auto swarm = SwarmTransport::start(*disk, swarm_options(config), config.gateways.front(),
                                     config.patience.transfer);
  if (!swarm.ok()) return swarm.error().with("swarm.listen = \"" + config.swarm_listen + "\"");
  const std::unique_ptr<SwarmTransport> transport = std::move(*swarm);
  GossipOptions gossip{config.gossip_listen, config.gossip_peers, config.gossip_every,
                       config.gateways.front()};
  auto neighbours = Gossip::start(*disk, config.state, identity, std::move(gossip));
  if (!neighbours.ok()) {
    return neighbours.error().with("gossip.listen = \"" + config.gossip_listen + "\"");
  }
  const std::unique_ptr<Gossip> peers = std::move(*neighbours);
  DirectorySlots slots(*disk, config.state);
  InferenceCheck checker(*disk, clock, check_options(config));
  log(Level::kNotice, "lineside-node",
      {{"device", config.device}, {"fingerprint", key.public_key().fingerprint()}});
  Agent agent({*disk, clock, link, *transport, slots, checker, *peers}, config, key);
  std::stop_source stop;
  std::jthread signals([&link, &peers, &stop](std::stop_token done) {
    await_signal(done);
    stop.request_stop();
    link.stop();
    peers->stop();
  });
  auto result = agent.run(stop.get_token());
  log(Level::kNotice, "stopped", {{"why", result.ok() ? "signal" : result.error().describe()}});
  return result;
}

void print_report(const CheckReport& report) {
  for (const CheckItem& item : report.checks) {
    const char* word = item.status == CheckStatus::kPassed   ? "pass"
                       : item.status == CheckStatus::kFailed ? "FAIL"
                                                             : "-";
    fmt::print("{:<5} {:<28} {}{}\n", word, item.id, item.measured,
               item.limit.empty() ? "" : "  (limit " + item.limit + ")");
  }
  fmt::print("{}{}\n", verdict_name(report.verdict),
             report.cause.empty() ? "" : ": " + report.cause);
  if (report.verdict != Verdict::kPass && !report.stderr_tail.empty()) {
    fmt::print(stderr, "{}\n", report.stderr_tail);
  }
}

json report_json(const CheckReport& report) {
  json checks = json::array();
  for (const CheckItem& item : report.checks) {
    const char* status = item.status == CheckStatus::kPassed   ? "passed"
                         : item.status == CheckStatus::kFailed ? "failed"
                                                               : "not-run";
    checks.push_back(
        {{"id", item.id}, {"status", status}, {"measured", item.measured}, {"limit", item.limit}});
  }
  return {{"verdict", verdict_name(report.verdict)},
          {"cause", report.cause},
          {"checks", checks},
          {"measured", report.measured},
          {"stderr_tail", report.stderr_tail},
          {"started", format_utc(report.started)},
          {"finished", format_utc(report.finished)}};
}

int print_key(const NodeConfig& config, const trust::PrivateKey& key, bool as_json) {
  const trust::PublicKey& own = key.public_key();
  if (as_json) {
    json value = {
        {"device", config.device}, {"fingerprint", own.fingerprint()}, {"public_key", own.pem()}};
    fmt::print("{}\n", value.dump(2));
  } else {
    fmt::print("{}\n{}", own.fingerprint(), own.pem());
  }
  return kGood;
}

}  // namespace

int fail(const Error& error, bool as_json) {
  const std::string what = trust::clean_text(error.what);
  if (as_json) {
    json value = {{"error", {{"code", code_name(error.code)}, {"message", what}}}};
    fmt::print(stderr, "{}\n", value.dump());
  } else {
    fmt::print(stderr, "lineside-node: {}: {}\n", code_name(error.code), what);
  }
  return error.code == Code::kUsage ? kUsage : kFailed;
}

int run_command(const NodeConfig& config) {
  sigset_t set = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  auto done = run_agent(config);
  return done.ok() ? kGood : fail(done.error(), false);
}

int status_command(const NodeConfig& config, bool as_json) {
  auto disk = make_posix_disk();
  auto life = load_life(*disk, config.state);
  if (!life.ok()) return fail(life.error(), as_json);
  auto current = DirectorySlots(*disk, config.state).current();
  if (!current.ok()) return fail(current.error(), as_json);
  auto key = read_device_key(*disk, config.state);
  if (!key.ok() && key.error().code != Code::kNotFound) return fail(key.error(), as_json);
  auto agent = StateLock::is_taken(config.state);
  if (!agent.ok()) return fail(agent.error(), as_json);
  StatusFacts facts{config.device, std::nullopt, *current, std::move(*life), *agent};
  if (key.ok()) facts.fingerprint = key->public_key().fingerprint();
  if (as_json) {
    fmt::print("{}\n", status_json(facts).dump(2));
  } else {
    fmt::print("{}", status_text(facts));
  }
  return is_well(facts) ? kGood : kBad;
}

int verify_command(const NodeConfig& config, bool as_json) {
  auto disk = make_posix_disk();
  auto found = installed(*disk, config);
  if (!found.ok()) return fail(found.error(), as_json);
  auto listing = stored_listing(*disk, config.state, found->bundle.tree);
  if (!listing.ok()) return fail(listing.error(), as_json);
  auto differences =
      delta::verify_tree(*disk, found->dir, *listing, std::thread::hardware_concurrency());
  if (!differences.ok()) return fail(differences.error(), as_json);
  if (as_json) {
    json list = json::array();
    for (const auto& one : *differences) {
      list.push_back(
          {{"path", one.path}, {"kind", delta::difference_name(one.kind)}, {"detail", one.detail}});
    }
    json value = {{"bundle", found->bundle.name},
                  {"tree", found->bundle.tree.hex()},
                  {"entries", listing->entries.size()},
                  {"differences", list}};
    fmt::print("{}\n", value.dump(2));
  } else {
    for (const auto& one : *differences) {
      fmt::print("{:<10} {} {}\n", delta::difference_name(one.kind), one.path, one.detail);
    }
    fmt::print("{}: {} entries, {} differences\n", found->bundle.name, listing->entries.size(),
               differences->size());
  }
  return differences->empty() ? kGood : kBad;
}

int check_command(const NodeConfig& config, bool as_json) {
  auto disk = make_posix_disk();
  SystemClock clock;
  auto found = installed(*disk, config);
  if (!found.ok()) return fail(found.error(), as_json);
  auto manifest = stored_manifest(*disk, config.state, found->bundle.manifest);
  if (!manifest.ok()) return fail(manifest.error(), as_json);
  CheckRequest request;
  request.tree = found->dir;
  request.manifest = &*manifest;
  auto report = InferenceCheck(*disk, clock, check_options(config)).run(request, {});
  if (!report.ok()) return fail(report.error(), as_json);
  if (as_json) {
    fmt::print("{}\n", report_json(*report).dump(2, ' ', false, json::error_handler_t::replace));
  } else {
    print_report(*report);
  }
  if (report->verdict == Verdict::kError) return kFailed;
  return report->verdict == Verdict::kPass ? kGood : kBad;
}

int key_command(const NodeConfig& config, bool in_tpm, bool as_json) {
  auto disk = make_posix_disk();
  auto key =
      in_tpm ? make_tpm_device_key(*disk, config.state) : open_device_key(*disk, config.state);
  return key.ok() ? print_key(config, *key, as_json) : fail(key.error(), as_json);
}

int key_show_command(const NodeConfig& config, bool as_json) {
  auto disk = make_posix_disk();
  auto key = read_device_key(*disk, config.state);
  return key.ok() ? print_key(config, *key, as_json) : fail(key.error(), as_json);
}

}  // namespace lineside::node

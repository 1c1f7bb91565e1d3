// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/directive.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proto/trust/document.h"

namespace lineside::trust {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr std::size_t kMaxDevices = 50'000;
constexpr std::int64_t kMaxBatch = 100'000;
constexpr std::int64_t kMaxSoak = 366 * 86'400;
constexpr std::int64_t kMaxDeviceDeadline = 31 * 86'400;
constexpr std::string_view kPause = "pause";
constexpr std::string_view kRollBack = "roll-back";

bool contains(const std::vector<std::string>& sorted, std::string_view id) {
  return std::binary_search(sorted.begin(), sorted.end(), id, std::less<>());
}

// How many of `sorted` stand before `id`.
std::uint32_t rank(const std::vector<std::string>& sorted, std::string_view id) {
  auto place = std::lower_bound(sorted.begin(), sorted.end(), id, std::less<>());
  return static_cast<std::uint32_t>(place - sorted.begin());
}

std::uint32_t count_number(Fields& fields, std::string_view member, std::int64_t min,
                           std::int64_t max) {
  return static_cast<std::uint32_t>(fields.integer(member, min, max));
}

FailureLimit read_failure_limit(Fields fields) {
  FailureLimit limit;
  limit.minimum_executed = count_number(fields, "minimum_executed", 1, kMaxBatch);
  limit.percent = count_number(fields, "percent", 0, 100);
  return limit;
}

OnFailure read_on_failure(Fields& fields) {
  std::string text = fields.text("on_failure");
  if (text == kPause) return OnFailure::kPause;
  if (text != kRollBack) fields.fail("on_failure", "expected \"pause\" or \"roll-back\"");
  return OnFailure::kRollBack;
}

void read_bundle(Fields fields, Directive& directive) {
  directive.bundle = checked_text(fields, "name", is_manifest_name, "expected NAME/VERSION.json");
  directive.manifest = fields.digest("sha256");
}

void read_window(Fields& fields, Directive& directive) {
  directive.issued = fields.utc("issued");
  directive.not_before = fields.utc("not_before");
  directive.expires = fields.utc("expires");
  if (directive.not_before >= directive.expires) {
    fields.fail("expires", "expected a time after not_before");
  }
}

void read_devices(Fields& fields, Directive& directive) {
  directive.devices = sorted_names(fields, "devices", kMaxDevices);
  directive.canaries = sorted_names(fields, "canaries", kMaxDevices);
  if (directive.canaries.empty()) fields.fail("canaries", "expected at least one");
  if (!std::includes(directive.devices.begin(), directive.devices.end(), directive.canaries.begin(),
                     directive.canaries.end())) {
    fields.fail("canaries", "expected a part of devices");
  }
}

}  // namespace

bool Directive::is_canary(std::string_view device) const {
  return contains(canaries, device);
}

std::optional<std::uint32_t> Directive::batch_of(std::string_view device) const {
  if (is_canary(device)) return 0;
  if (!contains(devices, device)) return std::nullopt;
  return 1 + (rank(devices, device) - rank(canaries, device)) / std::max(batch_size, 1U);
}

std::uint32_t Directive::batch_count() const {
  std::size_t others = devices.size() - std::min(canaries.size(), devices.size());
  std::size_t size = std::max(batch_size, 1U);
  return static_cast<std::uint32_t>(1 + (others + size - 1) / size);
}

Bytes serialise(const Directive& directive) {
  json limit = {{"minimum_executed", directive.failure_limit.minimum_executed},
                {"percent", directive.failure_limit.percent}};
  json bundle = {{"name", directive.bundle}, {"sha256", directive.manifest.hex()}};
  bool pause = directive.on_failure == OnFailure::kPause;
  return document_bytes({{"schema", kSchema},
                         {"site", directive.site},
                         {"sequence", directive.sequence},
                         {"issued", format_utc(directive.issued)},
                         {"not_before", format_utc(directive.not_before)},
                         {"expires", format_utc(directive.expires)},
                         {"bundle", std::move(bundle)},
                         {"devices", directive.devices},
                         {"canaries", directive.canaries},
                         {"soak_s", directive.soak.count()},
                         {"batch_size", directive.batch_size},
                         {"failure_limit", std::move(limit)},
                         {"on_failure", pause ? kPause : kRollBack},
                         {"device_deadline_s", directive.device_deadline.count()}});
}

Result<Directive> parse_directive(BytesView payload) {
  TRY_ASSIGN(json tree, parse_document(payload, "directive", kMaxEnvelopeBytes));
  Fields fields(tree, "directive");
  fields.ignore("schema");
  Directive directive;
  directive.site = name_text(fields, "site");
  directive.sequence = fields.integer("sequence", 1, kMaxDocumentNumber);
  read_window(fields, directive);
  read_bundle(fields.object("bundle"), directive);
  read_devices(fields, directive);
  directive.soak = seconds(fields.integer("soak_s", 0, kMaxSoak));
  directive.batch_size = count_number(fields, "batch_size", 1, kMaxBatch);
  directive.failure_limit = read_failure_limit(fields.object("failure_limit"));
  directive.on_failure = read_on_failure(fields);
  directive.device_deadline = seconds(fields.integer("device_deadline_s", 1, kMaxDeviceDeadline));
  TRY(fields.finish());
  return directive;
}

Result<VerifiedDirective> verify_directive(BytesView envelope, const Authority& operators,
                                           std::string_view site, std::int64_t at_least_sequence) {
  auto opened = open(envelope, kDirectiveType, operators);
  if (!opened.ok()) return opened.error().with("directive");
  TRY_ASSIGN(Directive directive, parse_directive(opened->payload));
  if (directive.site != site) {
    return Error{Code::kWrongSite, "directive is for site \"" + directive.site + "\", this is \"" +
                                       std::string(site) + "\""};
  }
  if (directive.sequence < at_least_sequence) {
    return Error{Code::kRollback, "directive " + std::to_string(directive.sequence) +
                                      " is older than " + std::to_string(at_least_sequence)};
  }
  return VerifiedDirective{
      std::move(directive), opened->digest, {envelope.begin(), envelope.end()}};
}

Result<void> verify_current(const Directive& directive, UtcTime now) {
  std::string name = "directive " + std::to_string(directive.sequence);
  if (now < directive.not_before) {
    return Error{Code::kExpired, name + " is not in force before " +
                                     format_utc(directive.not_before) + ", now is " +
                                     format_utc(now)};
  }
  if (now >= directive.expires) {
    return Error{Code::kExpired, name + " expired at " + format_utc(directive.expires) +
                                     ", now is " + format_utc(now)};
  }
  return ok();
}

}  // namespace lineside::trust

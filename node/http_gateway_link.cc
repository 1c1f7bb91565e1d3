// SPDX-License-Identifier: Apache-2.0
#include "node/http_gateway_link.h"

#include <mutex>
#include <nlohmann/json.hpp>
#include <stop_token>

#include "proto/base/version.h"
#include "proto/http/client.h"
#include "proto/trust/dsse.h"
#include "proto/trust/json.h"
#include "proto/trust/leaves.h"

namespace lineside::node {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxReplyBytes = 64 << 10;
constexpr std::uint64_t kMaxEnvelopesBytes = 16 << 20;
constexpr std::size_t kMaxEnvelopes = 4096;
constexpr std::uint64_t kMaxBodyBytes = 256 << 20;  // the largest listing

bool try_next(Code code) {
  return code == Code::kNetwork || code == Code::kTimeout || code == Code::kUnknownKey;
}

// Broken, where another gateway may be well; 503 says that it is the same gateway's turn again.
bool is_broken(const http::Reply& reply) {
  return reply.status >= 500 && reply.status != 503;
}

// The gateway's own words, from problem+json (RFC 9457), if it has any.
std::string words_of(const http::Reply& reply) {
  auto value = trust::parse_json(reply.body, "reply", {kMaxReplyBytes, 8});
  if (value.ok() && value->is_object()) {
    for (const char* name : {"detail", "title"}) {
      auto found = value->find(name);
      if (found != value->end() && found->is_string()) {
        return ": " + found->get<std::string>().substr(0, 300);
      }
    }
  }
  return {};
}

Result<Bytes> body_of(http::Reply reply, std::string_view target) {
  if (reply.status >= 200 && reply.status < 300) return std::move(reply.body);
  Code code = reply.status == 404   ? Code::kNotFound
              : reply.status == 503 ? Code::kTimeout
                                    : Code::kHttp;
  return Error{code, std::string(target) + ": the gateway answers " + std::to_string(reply.status) +
                         words_of(reply)};
}

}  // namespace

struct HttpGatewayLink::State {
  State(std::vector<std::string> all, http::Identity own, LinkPatience time)
      : addresses(std::move(all)), identity(std::move(own)), patience(time) {}

  void pin(const std::vector<trust::PublicKey>& keys) {
    pinned.clear();
    for (const trust::PublicKey& key : keys) pinned.push_back(key.spki());
    idle.clear();
    good = 0;
    ++generation;
  }

  // An idle connection to the address, or a new one.
  Result<http::Client> take(std::size_t index) {
    std::scoped_lock lock(mutex);
    if (index == good && !idle.empty()) {
      http::Client client = std::move(idle.back());
      idle.pop_back();
      return client;
    }
    return http::Client::make(options_for(addresses[index], pinned));
  }

  [[nodiscard]] http::ClientOptions options_for(const std::string& address,
                                                std::vector<Bytes> keys) const {
    http::ClientOptions options;
    options.base_url = address;
    options.any_key = keys.empty();
    options.pinned_keys = std::move(keys);
    options.identity = identity;
    options.connect_timeout = patience.connect;
    options.total_timeout = patience.total;
    options.max_body_bytes = kMaxBodyBytes;
    options.user_agent = std::string("lineside-node/") + kVersion;
    return options;
  }

  void give_back(std::size_t index, std::uint64_t of_generation, http::Client client) {
    std::scoped_lock lock(mutex);
    if (of_generation != generation) return;
    if (index != good) idle.clear();
    good = index;
    if (idle.size() < 4) idle.push_back(std::move(client));
  }

  Result<Bytes> call(std::string_view method, const std::string& target, BytesView body,
                     std::uint64_t max_bytes) {
    const std::size_t count = addresses.size();
    std::size_t first = 0;
    std::uint64_t of_generation = 0;
    {
      std::scoped_lock lock(mutex);
      first = good;
      of_generation = generation;
    }
    Error last{Code::kNetwork, "no gateway address"};
    bool answered = false;  // by a broken one, whose words are worth more than another's silence
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t index = (first + i) % count;
      TRY_ASSIGN(http::Client client, take(index));
      auto reply = method == "GET" ? client.get_at_most(target, max_bytes, stopping.get_token())
                                   : client.request(method, target, body,
                                                    {{"content-type", "application/json"}},
                                                    stopping.get_token());
      if (reply.ok() && is_broken(*reply)) {
        last = body_of(std::move(*reply), target).error().with(addresses[index]);
        answered = true;
        continue;
      }
      if (reply.ok()) {
        give_back(index, of_generation, std::move(client));
        return body_of(std::move(*reply), target);
      }
      Error error = reply.error().with(addresses[index]);
      const bool next = try_next(error.code);
      // That another stands there says more than that nobody does.
      if ((!answered && last.code != Code::kUnknownKey) || !next) last = std::move(error);
      if (!next) break;
    }
    return last;
  }

  Result<Bytes> get(const std::string& target, std::uint64_t max_bytes) {
    return call("GET", target, {}, max_bytes);
  }
  // For what verifies itself: if only servers with other keys answer, they may be asked all the
  // same. So the roster that names a new gateway reaches a device that knows the old one alone.
  Result<Bytes> get_from_anybody(const std::string& target, std::uint64_t max_bytes) {
    Result<Bytes> found = get(target, max_bytes);
    if (found.ok() || found.error().code != Code::kUnknownKey) return found;
    for (const std::string& address : addresses) {
      http::ClientOptions options = options_for(address, {});
      TRY_ASSIGN(http::Client client, http::Client::make(std::move(options)));
      auto reply = client.get_at_most(target, max_bytes, stopping.get_token());
      if (reply.ok() && !is_broken(*reply)) return body_of(std::move(*reply), target);
    }
    return found;
  }
  Result<Bytes> post(const std::string& target, BytesView body) {
    return call("POST", target, body, kMaxReplyBytes);
  }

  const std::vector<std::string> addresses;
  const http::Identity identity;
  const LinkPatience patience;
  std::stop_source stopping;
  std::mutex mutex;
  std::vector<Bytes> pinned;       // none: whoever answers
  std::vector<http::Client> idle;  // connections to addresses[good]
  std::size_t good = 0;
  std::uint64_t generation = 0;
  std::unique_ptr<PrefixFetcher> site, metadata, targets;
};

class HttpGatewayLink::PrefixFetcher final : public trust::Fetcher {
 public:
  PrefixFetcher(State& state, std::string prefix) : state_(state), prefix_(std::move(prefix)) {}
  [[nodiscard]] Result<Bytes> fetch(std::string_view path, std::uint64_t max_bytes) override {
    return state_.get_from_anybody(prefix_ + std::string(path), max_bytes);
  }

 private:
  State& state_;
  std::string prefix_;
};

HttpGatewayLink::HttpGatewayLink(std::vector<std::string> addresses, http::Identity identity,
                                 LinkPatience patience)
    : state_(std::make_unique<State>(std::move(addresses), std::move(identity), patience)) {
  state_->site = std::make_unique<PrefixFetcher>(*state_, "/v1/site/metadata/");
  state_->metadata = std::make_unique<PrefixFetcher>(*state_, "/v1/vendor/metadata/");
  state_->targets = std::make_unique<PrefixFetcher>(*state_, "/v1/vendor/targets/");
}
HttpGatewayLink::~HttpGatewayLink() = default;

void HttpGatewayLink::stop() {
  state_->stopping.request_stop();
}

void HttpGatewayLink::pin(const std::vector<trust::PublicKey>& gateways) {
  std::scoped_lock lock(state_->mutex);
  state_->pin(gateways);
}

Result<api::EnrolReply> HttpGatewayLink::enrol(const api::EnrolRequest& request) {
  TRY_ASSIGN(Bytes body, state_->post("/v1/enrol", as_bytes(api::to_json(request).dump())));
  return api::parse_enrol_reply(body);
}

Result<Bytes> HttpGatewayLink::roster() {
  return state_->get_from_anybody("/v1/roster", trust::kMaxEnvelopeBytes);
}
Result<Bytes> HttpGatewayLink::directive() {
  return state_->get("/v1/directive", trust::kMaxEnvelopeBytes);
}

trust::Fetcher& HttpGatewayLink::site_metadata() {
  return *state_->site;
}
trust::Fetcher& HttpGatewayLink::vendor_metadata() {
  return *state_->metadata;
}
trust::Fetcher& HttpGatewayLink::vendor_targets() {
  return *state_->targets;
}

Result<std::vector<Bytes>> HttpGatewayLink::attestations(const Digest& directive) {
  TRY_ASSIGN(Bytes body,
             state_->get("/v1/attestations?directive=" + directive.hex(), kMaxEnvelopesBytes));
  return api::parse_envelopes(body, kMaxEnvelopesBytes, kMaxEnvelopes);
}

Result<void> HttpGatewayLink::post_attestation(BytesView envelope) {
  TRY(state_->post("/v1/attestations", envelope));
  return ok();
}

Result<void> HttpGatewayLink::post_evidence(const std::vector<Bytes>& envelopes) {
  TRY(state_->post("/v1/evidence", as_bytes(api::envelopes_json(envelopes).dump())));
  return ok();
}

Result<api::Heads> HttpGatewayLink::exchange(const api::Heads& own) {
  TRY_ASSIGN(Bytes body, state_->post("/v1/heads", as_bytes(api::to_json(own).dump())));
  return api::parse_heads(body);
}

Result<std::vector<Bytes>> HttpGatewayLink::evidence() {
  TRY_ASSIGN(Bytes body, state_->get("/v1/evidence", kMaxEnvelopesBytes));
  return api::parse_envelopes(body, kMaxEnvelopesBytes, 2);
}

Result<api::DeliveryOffer> HttpGatewayLink::delivery(const Digest& base, const Digest& target) {
  TRY_ASSIGN(Bytes body, state_->get("/v1/delivery?base=" + base.hex() + "&target=" + target.hex(),
                                     kMaxReplyBytes));
  return api::parse_delivery_offer(body);
}

Result<std::vector<Digest>> HttpGatewayLink::leaves(const Digest& root, std::uint64_t length) {
  const std::uint64_t size = trust::leaf_count(length) * trust::kDigestBytes;
  TRY_ASSIGN(Bytes body, state_->get("/v1/leaves/" + root.hex(), size));
  if (body.size() != size) {
    return Error{Code::kMalformed, "leaves: expected " + std::to_string(size) + " bytes"};
  }
  return trust::parse_leaves(body);
}

Result<api::ReportReply> HttpGatewayLink::report(const api::NodeReport& report) {
  TRY_ASSIGN(Bytes body, state_->post("/v1/report", as_bytes(api::to_json(report).dump())));
  return api::parse_report_reply(body);
}

}  // namespace lineside::node

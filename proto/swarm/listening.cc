// SPDX-License-Identifier: Apache-2.0
#include "proto/swarm/listening.h"

#include <charconv>
#include <chrono>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/session.hpp>
#include <set>

namespace lineside::swarm {
namespace {

struct Address {
  lt::address ip;
  std::uint16_t port = 0;
};

Result<Address> parse(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  Address out;
  if (colon != std::string::npos) {
    std::string ip = text.substr(0, colon);
    const bool bracketed = ip.size() > 2 && ip.front() == '[' && ip.back() == ']';
    if (bracketed) ip = ip.substr(1, ip.size() - 2);
    lt::error_code bad;
    out.ip = lt::make_address(ip, bad);
    const char* end = text.data() + text.size();
    const auto port = std::from_chars(text.data() + colon + 1, end, out.port);
    if (!bad && bracketed == out.ip.is_v6() && port.ec == std::errc{} && port.ptr == end) {
      return out;
    }
  }
  return Error{Code::kUsage, "listen address \"" + text + "\": expected IP:port or [IPv6]:port"};
}

Error refused(const lt::listen_failed_alert& alert) {
  Code code = Code::kNetwork;
  if (alert.error == boost::system::errc::address_in_use) code = Code::kConflict;
  if (alert.error == boost::system::errc::permission_denied) code = Code::kDenied;
  return {code, "cannot listen on " + alert.address.to_string() + " port " +
                    std::to_string(alert.port) + ": " + alert.error.message()};
}

// What has been bound so far of what was asked for.
class Progress {
 public:
  explicit Progress(std::vector<Address> wanted) : wanted_(std::move(wanted)) {}
  void bound(const lt::address& ip) {
    std::erase_if(wanted_, [&](const Address& one) {
      return one.ip == ip || (one.ip.is_unspecified() && one.ip.is_v6() == ip.is_v6());
    });
  }
  // An address that only the wildcard brought in may be one that cannot be bound, such as an IPv6
  // address that is still being checked for duplicates.
  [[nodiscard]] bool is_fatal(const lt::listen_failed_alert& alert) const {
    if (alert.error == boost::system::errc::address_in_use) return true;
    for (const Address& one : wanted_) {
      if (one.ip == alert.address) return true;
    }
    return false;
  }
  [[nodiscard]] bool done() const { return wanted_.empty(); }

 private:
  std::vector<Address> wanted_;
};

}  // namespace

Result<void> check_listen(const std::vector<std::string>& listen) {
  if (listen.empty()) return Error{Code::kUsage, "no address to listen on"};
  for (const std::string& one : listen) TRY(parse(one));
  return ok();
}

Result<void> await_listening(lt::session& session, const std::vector<std::string>& listen) {
  std::vector<Address> wanted;
  for (const std::string& one : listen) {
    TRY_ASSIGN(Address address, parse(one));
    wanted.push_back(address);
  }
  Progress progress(wanted);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!progress.done() && std::chrono::steady_clock::now() < deadline) {
    session.wait_for_alert(std::chrono::milliseconds(500));
    std::vector<lt::alert*> alerts;
    session.pop_alerts(&alerts);
    for (const lt::alert* alert : alerts) {
      if (const auto* good = lt::alert_cast<lt::listen_succeeded_alert>(alert)) {
        if (good->socket_type == lt::socket_type_t::tcp) progress.bound(good->address);
      } else if (const auto* bad = lt::alert_cast<lt::listen_failed_alert>(alert)) {
        if (progress.is_fatal(*bad)) return refused(*bad);
      }
    }
  }
  if (progress.done()) return ok();
  return Error{Code::kNetwork, "cannot listen on " + listen.front() + ": no such address here"};
}

}  // namespace lineside::swarm

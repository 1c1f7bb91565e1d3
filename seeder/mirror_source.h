// SPDX-License-Identifier: Apache-2.0
// How Mirror reads the vendor's repository: from the origin, or only from what is here.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "seeder/mirror.h"

namespace lineside::seeder {

// One visit to the origin below one of its folders: counts what comes, keeps what was received.
class Mirror::Source final : public trust::Fetcher {
 public:
  Source(Mirror& mirror, std::string folder, std::string release, std::stop_token stop)
      : mirror_(mirror),
        folder_(std::move(folder)),
        release_(std::move(release)),
        stop_(std::move(stop)) {}

  [[nodiscard]] Result<Bytes> fetch(std::string_view path, std::uint64_t max_bytes) override {
    TRY(mirror_.check_budget(release_, 1));
    TRY_ASSIGN(std::uint64_t left, mirror_.budget_left(release_));
    std::uint64_t most = std::min(max_bytes, left);
    std::uint64_t before = mirror_.origin_.bytes_received();
    Result<Bytes> body = mirror_.origin_.fetch(folder_ + std::string(path), most, stop_);
    std::uint64_t came = mirror_.origin_.bytes_received() - before;
    TRY(mirror_.counters_.add_wan(release_, {0, came}));
    if (!body.ok() && body.error().code == Code::kTooLarge && most < max_bytes) {
      return Error{Code::kBudget,
                   fmt::format("{0}: more than the {1} bytes that are left of the WAN budget; "
                               "`lineside allow {2} BYTES` lets more across",
                               path, most, release_.substr(0, release_.rfind(".json")))};
    }
    if (!body.ok()) return body.error().with(wanted(path));
    received_[std::string(path)] = *body;
    return body;
  }

  [[nodiscard]] const std::map<std::string, Bytes>& received() const { return received_; }

 private:
  // In words, since an address alone tells an operator nothing.
  [[nodiscard]] std::string wanted(std::string_view path) const {
    std::string place = " (" + folder_ + std::string(path) + ")";
    if (folder_ == "targets/") return "fetching a signed file of " + release_ + place;
    constexpr std::string_view kVersion = "0123456789.";  // before a role's name: "2.root.json"
    std::string_view role = path.substr(std::min(path.size(), path.find_first_not_of(kVersion)));
    role = role.substr(0, role.find('.'));
    return fmt::format("fetching the vendor's {} metadata{}", role, place);
  }

  Mirror& mirror_;
  std::string folder_;
  std::string release_;
  std::stop_token stop_;
  std::map<std::string, Bytes> received_;
};

// For what must be here already: never the network.
class NoNetwork final : public trust::Fetcher {
 public:
  [[nodiscard]] Result<Bytes> fetch(std::string_view path, std::uint64_t /*max*/) override {
    return Error{Code::kNotFound, std::string(path) + " is not mirrored"};
  }
};

}  // namespace lineside::seeder

// SPDX-License-Identifier: Apache-2.0
// A vendor's TUF repository in memory. It signs real metadata, remembers what was asked for, and
// does what no honest vendor would do: every attack is a change of `content` before publish().
//
//     TufVendor vendor;                         // version 1 of the four roles, 1 of 1 keys each
//     vendor.add_target("a.txt", "hello");
//     vendor.publish({"targets", "snapshot", "timestamp"});
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proto/base/clock.h"
#include "proto/trust/keys.h"
#include "proto/trust/tuf/fetcher.h"

namespace lineside::fakes {

class TufVendor final : public trust::Fetcher {
 public:
  // When the tests take place.
  static UtcTime now();

  explicit TufVendor(trust::Scheme scheme = trust::Scheme::kEd25519);

  // The "signed" part of each role as the next publish() signs it; version and the entries of those
  // above are counted up by publish().
  std::map<std::string, nlohmann::json> content;
  // Who signs each role. Root and delegations name them only when trust_signers() was called.
  std::map<std::string, std::vector<const trust::PrivateKey*>> signers;
  bool list_hashes = false;                  // length and sha256 in timestamp and snapshot
  std::map<std::string, std::string> files;  // what is served: path -> bytes
  std::vector<std::string> requests;         // paths in the order of their fetching
  std::optional<std::pair<std::string, Error>> failure;  // answers this path with that error

  const trust::PrivateKey* new_key(trust::Scheme scheme = trust::Scheme::kEd25519);
  // Writes the keys of signers[role] and the threshold into the root or the delegator's list.
  void trust_signers(const std::string& role, unsigned threshold = 1);
  // Replaces the role's key by a new one and trusts it.
  void rotate(const std::string& role);
  void add_target(const std::string& name, const std::string& bytes,
                  const std::string& role = "targets");
  // `role` with a key of its own below `delegator`, for these path patterns.
  void delegate(const std::string& delegator, const std::string& role,
                const std::vector<std::string>& paths, bool terminating = false);

  // Signs each role as the next version, updates the entry in snapshot or timestamp, and serves it.
  void publish(const std::vector<std::string>& roles);
  // The same as version `version`.
  void publish_as(const std::string& role, std::int64_t version);
  // A file of metadata with the signatures of `keys` over `signed_part`.
  static std::string sign(const nlohmann::json& signed_part,
                          const std::vector<const trust::PrivateKey*>& keys);
  // Puts bytes where the newest version of `role` is served, and lists their hash if list_hashes.
  void serve(const std::string& role, const std::string& bytes);
  [[nodiscard]] std::string served(const std::string& role) const;
  [[nodiscard]] std::int64_t version(const std::string& role) const;

  [[nodiscard]] Result<Bytes> fetch(std::string_view path, std::uint64_t max_bytes) override;

 private:
  [[nodiscard]] std::string file_of(const std::string& role) const;

  std::map<std::string, std::string> delegator_;
  std::vector<std::unique_ptr<trust::PrivateKey>> keys_;
};

}  // namespace lineside::fakes

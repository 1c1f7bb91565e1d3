// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/tuf/root_chain.h"

#include <optional>
#include <string>

#include "proto/trust/tuf/trusted_set.h"

namespace lineside::trust::tuf {

Result<Authority> authority_of(const Root& root, std::string_view role) {
  auto found = root.roles.find(role);
  if (found == root.roles.end()) {
    return Error{Code::kNotFound, "no top-level role " + std::string(role)};
  }
  Authority authority;
  authority.threshold = found->second.threshold;
  for (const std::string& keyid : found->second.keyids) {
    auto key = root.keys.find(keyid);
    if (key != root.keys.end()) authority.keys.push_back(key->second);
  }
  return authority;
}

Result<std::vector<Authority>> authorities_of(const std::vector<Bytes>& chain,
                                              std::string_view role, UtcTime now) {
  std::vector<Authority> out;
  std::optional<TrustedSet> set;
  for (const Bytes& root : chain) {
    if (set) {
      TRY(set->update_root(root));
    } else {
      TRY_ASSIGN(set, TrustedSet::start(root, now));
    }
    TRY_ASSIGN(Authority authority, authority_of(set->root().file, role));
    out.push_back(std::move(authority));
  }
  return out;
}

}  // namespace lineside::trust::tuf

// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/tuf/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "proto/trust/tuf/target_hash.h"

namespace lineside::trust::tuf {

std::set<std::string> valid_signers(const KeyRing& keys, const RoleKeyIds& role,
                                    const Envelope& file) {
  std::set<std::string> signers;
  std::vector<PublicKey> counted;
  for (const Signature& signature : file.signatures) {
    auto key = keys.find(signature.keyid);
    bool of_role =
        std::find(role.keyids.begin(), role.keyids.end(), signature.keyid) != role.keyids.end();
    if (!of_role || key == keys.end()) continue;
    if (std::find(counted.begin(), counted.end(), key->second) != counted.end()) continue;
    if (!key->second.verify(file.signed_bytes, signature.bytes)) continue;
    counted.push_back(key->second);
    signers.insert(signature.keyid);
  }
  return signers;
}

Result<void> verify_signatures(const KeyRing& keys, const RoleKeyIds& role, const Envelope& file,
                               std::string_view name) {
  std::size_t have = valid_signers(keys, role, file).size();
  if (role.threshold >= 1 && have >= role.threshold) return ok();
  return Error{Code::kBadSignature,
               fmt::format("{}: {} of {} signatures of trusted keys", name, have, role.threshold)};
}

Result<void> verify_meta(const MetaFile& meta, BytesView bytes, std::string_view name) {
  if (meta.length && *meta.length != bytes.size()) {
    return Error{Code::kMismatch, fmt::format("{}: {} bytes, the signed length is {}", name,
                                              bytes.size(), *meta.length)};
  }
  if (meta.hashes.empty()) return ok();
  auto matches = verify_hashes(meta.hashes, bytes);
  return matches.ok() ? ok() : matches.error().with(name);
}

}  // namespace lineside::trust::tuf

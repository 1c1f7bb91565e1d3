// SPDX-License-Identifier: Apache-2.0
// What canaries said about the present directive, from wherever it came: each verified before it is
// kept, none twice, and of one canary no more than the gateway keeps. So neither a gateway nor a
// peer can drown evidence in rubbish, and a withheld failure that arrives over any path counts.
#pragma once

#include <string>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/result.h"
#include "proto/trust/attestation.h"
#include "proto/trust/directive.h"
#include "proto/trust/roster.h"

namespace lineside::node {

class AttestationSet {
 public:
  static constexpr std::size_t kMaxOfOneDevice = 4;

  // Forgets all that is about another directive.
  void begin(const Digest& directive);
  // True if it is news. kConflict if it is about another directive than the begun one or of a
  // device that is no canary of it, kTooLarge past kMaxOfOneDevice, codes of verify_attestation.
  Result<bool> add(BytesView envelope, const trust::Roster& roster,
                   const trust::Directive& directive);

  [[nodiscard]] const std::vector<Bytes>& envelopes() const { return envelopes_; }
  [[nodiscard]] const std::vector<Digest>& digests() const { return digests_; }
  [[nodiscard]] const Digest& directive() const { return directive_; }

 private:
  Digest directive_;
  std::vector<Bytes> envelopes_;
  std::vector<Digest> digests_;       // of their payloads, in the same order
  std::vector<std::string> devices_;  // who said it
};

}  // namespace lineside::node

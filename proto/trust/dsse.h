// SPDX-License-Identifier: Apache-2.0
// DSSE 1.0.2 envelopes (secure-systems-lab/dsse, protocol.md and envelope.md).
//
// Order of work: size cap, JSON, base64, signatures against the threshold, payload type, and only
// then the payload is parsed. The bytes that were verified are the bytes that are returned: the
// envelope is never read twice.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/result.h"
#include "proto/base/sha256.h"
#include "proto/trust/keys.h"

namespace lineside::trust {

inline constexpr std::string_view kRosterType = "application/vnd.lineside.roster+json";
inline constexpr std::string_view kDirectiveType = "application/vnd.lineside.directive+json";
inline constexpr std::string_view kMatrixType = "application/vnd.lineside.matrix+json";
inline constexpr std::string_view kInTotoType = "application/vnd.in-toto+json";
inline constexpr std::uint64_t kMaxEnvelopeBytes = 4ULL << 20;

// "DSSEv1 LEN(type) type LEN(body) body", lengths in bytes.
Bytes pre_authentication_encoding(std::string_view payload_type, BytesView payload);

// A new envelope with one signature for each signer, canonical JSON, standard base64 with padding.
Result<Bytes> seal(std::string_view payload_type, BytesView payload,
                   const std::vector<const PrivateKey*>& signers);
// The envelope with one signature more (m-of-n is collected one by one); the same key signing twice
// changes nothing. kMalformed if `envelope` is none.
Result<Bytes> cosign(BytesView envelope, const PrivateKey& signer);

struct Opened {
  Bytes payload;                     // the verified bytes
  Digest digest;                     // SHA-256 of the payload: how other documents name this one
  std::vector<std::string> signers;  // key ids whose signatures hold
};

// kBadSignature ("1 of 2 signatures …") if fewer than the threshold of distinct trusted keys
// signed, or the threshold is 0; kMalformed; kUnsupported if the type is another; kTooLarge past
// kMaxEnvelopeBytes. Key ids are hints: every trusted key is tried.
Result<Opened> open(BytesView envelope, std::string_view payload_type, const Authority& authority);

}  // namespace lineside::trust

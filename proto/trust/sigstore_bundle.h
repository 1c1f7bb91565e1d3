// SPDX-License-Identifier: Apache-2.0
// An attestation in the form that sigstore's tools verify: a bundle v0.3 with a public key's hint
// and no transparency log.
#pragma once

#include "proto/base/bytes.h"
#include "proto/base/result.h"
#include "proto/trust/keys.h"

namespace lineside::trust {

// A bundle holds one signature: that of `signer`. kBadSignature if it is not on the envelope or
// does not hold; kMalformed, kUnsupported for what is no in-toto envelope.
Result<Bytes> sigstore_bundle(BytesView envelope, const PublicKey& signer);

}  // namespace lineside::trust

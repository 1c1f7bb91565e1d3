// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/sigstore_bundle.h"

#include <nlohmann/json.hpp>

#include "proto/trust/document.h"
#include "proto/trust/dsse.h"
#include "proto/trust/json.h"

namespace lineside::trust {
namespace {

using nlohmann::json;

constexpr const char* kMediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";

// The envelope's text of the one signature that is `signer`'s.
Result<json> signature_of(const json& tree, BytesView message, const PublicKey& signer) {
  for (const json& one : tree.at("signatures")) {
    Result<Bytes> bytes = from_base64(one.at("sig").get<std::string>());
    if (bytes.ok() && signer.verify(message, *bytes)) {
      return json{{"keyid", signer.keyid()}, {"sig", to_base64(*bytes)}};
    }
  }
  return Error{Code::kBadSignature, "bundle: no signature of " + signer.fingerprint()};
}

}  // namespace

Result<Bytes> sigstore_bundle(BytesView envelope, const PublicKey& signer) {
  // Opened first: every member that is read below is there and of its type.
  TRY_ASSIGN(Opened opened, open(envelope, kInTotoType, {{signer}, 1}));
  JsonLimits limits;
  limits.max_bytes = kMaxEnvelopeBytes;
  TRY_ASSIGN(json tree, parse_json(envelope, "envelope", limits));
  Bytes message = pre_authentication_encoding(kInTotoType, opened.payload);
  TRY_ASSIGN(json signature, signature_of(tree, message, signer));
  json bundle = {{"mediaType", kMediaType},
                 {"verificationMaterial",
                  {{"publicKey", {{"hint", signer.keyid()}}}, {"tlogEntries", json::array()}}},
                 {"dsseEnvelope",
                  {{"payloadType", kInTotoType},
                   {"payload", to_base64(opened.payload)},
                   {"signatures", json::array({signature})}}}};
  return document_bytes(bundle);
}

}  // namespace lineside::trust

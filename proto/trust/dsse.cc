// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/dsse.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proto/trust/document.h"
#include "proto/trust/fields.h"
#include "proto/trust/json.h"

namespace lineside::trust {
namespace {

using nlohmann::json;

struct Signature {
  std::string keyid;  // empty if the envelope has none
  Bytes bytes;        // empty if it is not base64: it verifies under no key
};

struct Envelope {
  std::string payload_type;
  Bytes payload;
  std::vector<Signature> signatures;
};

// More signatures than this are no m-of-n of people but a way to keep the verifier busy.
constexpr std::size_t kMaxSignatures = 64;

Result<Envelope> parse_envelope(BytesView bytes) {
  JsonLimits limits;
  limits.max_bytes = kMaxEnvelopeBytes;
  TRY_ASSIGN(json tree, parse_json(bytes, "envelope", limits));
  Fields fields(tree, "envelope", UnknownMembers::kAllowed);  // DSSE envelope.md: ignored
  Envelope envelope;
  envelope.payload_type = fields.text("payloadType");
  std::string payload = fields.text("payload");
  // Looked at before anything is built from them: nothing is verified yet.
  if (fields.raw("signatures").size() > kMaxSignatures) {
    return Error{Code::kMalformed, "envelope.signatures: expected at most 64"};
  }
  for (Fields& signature : fields.list("signatures")) {
    Signature one;
    one.keyid = signature.optional_text("keyid").value_or("");
    auto raw = from_base64(signature.text("sig"));
    if (raw.ok()) one.bytes = std::move(raw).value();
    envelope.signatures.push_back(std::move(one));
  }
  TRY(fields.finish());
  auto decoded = from_base64(payload);
  if (!decoded.ok()) return decoded.error().with("envelope.payload");
  envelope.payload = std::move(decoded).value();
  return envelope;
}

bool signed_by(const Envelope& envelope, BytesView message, const PublicKey& key) {
  // The hint first, since it is nearly always right; then the others, since it proves nothing.
  for (bool hinted : {true, false}) {
    for (const Signature& signature : envelope.signatures) {
      if ((signature.keyid == key.keyid()) == hinted && key.verify(message, signature.bytes)) {
        return true;
      }
    }
  }
  return false;
}

std::vector<PublicKey> distinct(const std::vector<PublicKey>& keys) {
  std::vector<PublicKey> out;
  for (const PublicKey& key : keys) {
    if (std::find(out.begin(), out.end(), key) == out.end()) out.push_back(key);
  }
  return out;
}

// The beginnings of key ids, for people. Those of an envelope are anybody's words.
std::string short_ids(std::vector<std::string> ids) {
  constexpr std::size_t kShown = 4;
  constexpr std::size_t kDigits = 12;
  bool more = ids.size() > kShown;
  ids.resize(std::min(ids.size(), kShown));
  for (std::string& id : ids) id = id.empty() ? "nobody named" : clean_text(id, kDigits);
  return ids.empty() ? "nobody" : fmt::format("{}{}", fmt::join(ids, ", "), more ? ", …" : "");
}

// Says whose signatures there are and whose would count: after a rotation the two differ.
Error too_few(const Envelope& envelope, const Authority& authority, std::size_t have) {
  std::vector<std::string> signers, trusted;
  for (const Signature& signature : envelope.signatures) signers.push_back(signature.keyid);
  for (const PublicKey& key : authority.keys) trusted.push_back(key.keyid());
  return {Code::kBadSignature,
          fmt::format("{} of {} signatures of trusted keys: signed by {}, trusted {}", have,
                      authority.threshold, short_ids(signers), short_ids(trusted))};
}

Result<json> signature_object(BytesView message, const PrivateKey& signer) {
  TRY_ASSIGN(Bytes signature, signer.sign(message));
  return json{{"keyid", signer.public_key().keyid()}, {"sig", to_base64(signature)}};
}

}  // namespace

Bytes pre_authentication_encoding(std::string_view payload_type, BytesView payload) {
  Bytes out =
      to_bytes(fmt::format("DSSEv1 {} {} {} ", payload_type.size(), payload_type, payload.size()));
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

Result<Bytes> seal(std::string_view payload_type, BytesView payload,
                   const std::vector<const PrivateKey*>& signers) {
  json envelope = {{"payload", to_base64(payload)},
                   {"payloadType", payload_type},
                   {"signatures", json::array()}};
  TRY_ASSIGN(Bytes bytes, canonical_json(envelope));
  for (const PrivateKey* signer : signers) {
    TRY_ASSIGN(bytes, cosign(bytes, *signer));
  }
  return bytes;
}

Result<Bytes> cosign(BytesView bytes, const PrivateKey& signer) {
  TRY_ASSIGN(Envelope envelope, parse_envelope(bytes));
  Bytes message = pre_authentication_encoding(envelope.payload_type, envelope.payload);
  if (signed_by(envelope, message, signer.public_key())) return Bytes(bytes.begin(), bytes.end());
  TRY_ASSIGN(json tree, parse_json(bytes, "envelope"));
  TRY_ASSIGN(json signature, signature_object(message, signer));
  tree["signatures"].push_back(std::move(signature));
  return canonical_json(tree);
}

Result<Opened> open(BytesView bytes, std::string_view payload_type, const Authority& authority) {
  if (bytes.size() > kMaxEnvelopeBytes) {
    return Error{Code::kTooLarge, fmt::format("envelope: {} bytes, at most {} are allowed",
                                              bytes.size(), kMaxEnvelopeBytes)};
  }
  TRY_ASSIGN(Envelope envelope, parse_envelope(bytes));
  Bytes message = pre_authentication_encoding(envelope.payload_type, envelope.payload);
  Opened opened;
  for (const PublicKey& key : distinct(authority.keys)) {
    if (signed_by(envelope, message, key)) opened.signers.push_back(key.keyid());
  }
  if (authority.threshold == 0 || opened.signers.size() < authority.threshold) {
    return too_few(envelope, authority, opened.signers.size());
  }
  if (envelope.payload_type != payload_type) {
    return Error{Code::kUnsupported,
                 fmt::format("payload type \"{}\" where \"{}\" is expected",
                             envelope.payload_type.substr(0, 100), payload_type)};
  }
  opened.digest = sha256(envelope.payload);
  opened.payload = std::move(envelope.payload);
  return opened;
}

}  // namespace lineside::trust

// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/keys.h"

#include <nlohmann/json.hpp>

#include "proto/base/sha256.h"
#include "proto/trust/json.h"
#include "proto/trust/openssl_key.h"
#include "proto/trust/token_key.h"

namespace lineside::trust {

using nlohmann::json;

struct PublicKey::State {
  std::string keyid;
  json tuf;
  openssl::PublicMaterial material;
};

struct PrivateKey::State {
  std::shared_ptr<EVP_PKEY> key;
  PublicKey public_key;
  std::string reference;  // of a key that stays in its token (token_key.h)
};

namespace {

// What a TUF key object says it is (TUF 4.2.1). The older keytype "ecdsa-sha2-nistp256" is in use.
Scheme named_scheme(const std::string& type, const std::string& scheme) {
  if (type == "ed25519" && scheme == "ed25519") return Scheme::kEd25519;
  if ((type == "ecdsa" || type == "ecdsa-sha2-nistp256") && scheme == "ecdsa-sha2-nistp256") {
    return Scheme::kEcdsaP256Sha256;
  }
  if (type == "rsa" && scheme == "rsassa-pss-sha256") return Scheme::kRsaPssSha256;
  return Scheme::kUnknown;
}

Result<std::string> text_member(const json& object, const char* name) {
  auto found = object.find(name);
  if (found == object.end() || !found->is_string()) {
    return Error{Code::kMalformed, std::string("key.") + name + ": expected a string"};
  }
  return found->get<std::string>();
}

Result<openssl::PublicMaterial> load_value(const std::string& value, Scheme scheme) {
  if (scheme == Scheme::kEd25519) {
    TRY_ASSIGN(Bytes raw, from_hex(value));
    return openssl::load_ed25519(raw);
  }
  TRY_ASSIGN(Bytes der, openssl::decode_public_pem(value));
  return openssl::load_spki(der);
}

Result<openssl::PublicMaterial> load_known(const json& key, Scheme scheme) {
  auto keyval = key.find("keyval");
  if (keyval == key.end() || !keyval->is_object()) {
    return Error{Code::kMalformed, "key.keyval: expected an object"};
  }
  TRY_ASSIGN(std::string value, text_member(*keyval, "public"));
  auto material = load_value(value, scheme);
  if (!material.ok() || material->scheme != scheme) {
    return Error{Code::kMalformed, "key.keyval.public: no key of the type that it is said to be"};
  }
  return material;
}

json tuf_object(const openssl::PublicMaterial& material) {
  switch (material.scheme) {
    case Scheme::kEd25519:
      return {{"keytype", "ed25519"},
              {"scheme", "ed25519"},
              {"keyval", {{"public", to_hex(openssl::raw_ed25519(material.spki))}}}};
    case Scheme::kEcdsaP256Sha256:
      return {{"keytype", "ecdsa"},
              {"scheme", "ecdsa-sha2-nistp256"},
              {"keyval", {{"public", openssl::encode_public_pem(material.spki)}}}};
    default:
      return {{"keytype", "rsa"},
              {"scheme", "rsassa-pss-sha256"},
              {"keyval", {{"public", openssl::encode_public_pem(material.spki)}}}};
  }
}

// RFC 4648 section 6, for whole groups of five bytes.
std::string base32(BytesView bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string out;
  std::uint32_t group = 0;
  int bits = 0;
  for (std::uint8_t byte : bytes) {
    group = (group << 8 | byte) & 0xFFFF;
    for (bits += 8; bits >= 5; bits -= 5) out += kAlphabet[group >> (bits - 5) & 31];
  }
  return out;
}

}  // namespace

PublicKey::PublicKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}

Result<PublicKey> PublicKey::from_tuf(const json& key) {
  if (!key.is_object()) return Error{Code::kMalformed, "key: expected an object"};
  TRY_ASSIGN(std::string type, text_member(key, "keytype"));
  TRY_ASSIGN(std::string scheme_name, text_member(key, "scheme"));
  auto state = std::make_shared<State>();
  TRY_ASSIGN(Bytes canonical, canonical_json(key));
  state->keyid = lineside::sha256(canonical).hex();
  state->tuf = key;
  Scheme scheme = named_scheme(type, scheme_name);
  if (scheme != Scheme::kUnknown) {
    TRY_ASSIGN(state->material, load_known(key, scheme));
  }
  return PublicKey(std::move(state));
}

Result<PublicKey> PublicKey::from_spki(BytesView der) {
  TRY_ASSIGN(openssl::PublicMaterial material, openssl::load_spki(der));
  return from_tuf(tuf_object(material));
}

Result<PublicKey> PublicKey::from_pem(std::string_view pem) {
  TRY_ASSIGN(Bytes der, openssl::decode_public_pem(pem));
  return from_spki(der);
}

const std::string& PublicKey::keyid() const {
  return state_->keyid;
}
Scheme PublicKey::scheme() const {
  return state_->material.scheme;
}
json PublicKey::tuf() const {
  return state_->tuf;
}
const Bytes& PublicKey::spki() const {
  return state_->material.spki;
}

std::string PublicKey::pem() const {
  return spki().empty() ? std::string() : openssl::encode_public_pem(spki());
}

std::string PublicKey::fingerprint() const {
  Digest digest = lineside::sha256(spki().empty() ? as_bytes(keyid()) : BytesView(spki()));
  std::string text = base32(BytesView(digest.bytes).first(10));
  for (std::size_t at : {12, 8, 4}) text.insert(at, "-");
  return text;
}

bool PublicKey::verify(BytesView message, BytesView signature) const {
  if (scheme() == Scheme::kUnknown || signature.empty()) return false;
  return openssl::verify(state_->material.key.get(), scheme(), message, signature);
}

bool PublicKey::operator==(const PublicKey& other) const {
  if (scheme() != other.scheme()) return false;
  return scheme() == Scheme::kUnknown ? keyid() == other.keyid() : spki() == other.spki();
}

PrivateKey::PrivateKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
PrivateKey::~PrivateKey() = default;
PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&&) noexcept = default;

Result<PrivateKey> PrivateKey::generate(Scheme scheme) {
  TRY_ASSIGN(openssl::Pkey key, openssl::generate(scheme));
  TRY_ASSIGN(Bytes spki, openssl::spki_of(key.get()));
  TRY_ASSIGN(PublicKey public_key, PublicKey::from_spki(spki));
  return PrivateKey(std::make_unique<State>(State{std::move(key), std::move(public_key), {}}));
}

Result<PrivateKey> PrivateKey::from_pem(std::string_view pem,
                                        std::optional<std::string_view> passphrase) {
  std::shared_ptr<EVP_PKEY> key;
  std::string reference;
  if (is_key_reference(pem)) {
    TRY_ASSIGN(key, open_token_key(pem));
    reference = pem;
  } else {
    TRY_ASSIGN(key, openssl::load_private_pem(pem, passphrase));
  }
  TRY_ASSIGN(Bytes spki, openssl::spki_of(key.get()));
  TRY_ASSIGN(PublicKey public_key, PublicKey::from_spki(spki));
  if (public_key.scheme() == Scheme::kRsaPssSha256) {
    return Error{Code::kUnsupported, "RSA keys only verify; sign with Ed25519 or ECDSA P-256"};
  }
  return PrivateKey(
      std::make_unique<State>(State{std::move(key), std::move(public_key), std::move(reference)}));
}

const PublicKey& PrivateKey::public_key() const {
  return state_->public_key;
}

Result<Bytes> PrivateKey::sign(BytesView message) const {
  return openssl::sign(state_->key.get(), public_key().scheme(), message);
}

Result<std::string> PrivateKey::to_pem(std::optional<std::string_view> passphrase) const {
  if (!state_->reference.empty()) {
    if (!passphrase) return state_->reference;
    return Error{Code::kUnsupported, "a key does not leave its token"};
  }
  return openssl::store_private_pem(state_->key.get(), passphrase);
}

}  // namespace lineside::trust

// SPDX-License-Identifier: Apache-2.0
// libp11 0.4 is an engine, and OpenSSL 3 calls engines deprecated; Debian 12 has no provider for
// PKCS #11.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "proto/trust/token_key.h"

#include <fmt/format.h>
#include <openssl/engine.h>
#include <openssl/evp.h>

#include "proto/trust/key_uri.h"
#include "proto/trust/openssl_key.h"
#include "proto/trust/tpm_key.h"

namespace lineside::trust {
namespace {

constexpr std::string_view kTpmPem = "-----BEGIN TSS2 PRIVATE KEY-----";
// Finds every token that the machine's p11-kit knows.
constexpr const char* kDefaultModule = "p11-kit-proxy.so";

struct FinishEngine {
  void operator()(ENGINE* engine) const {
    ENGINE_finish(engine);
    ENGINE_free(engine);
  }
};
using Engine = std::shared_ptr<ENGINE>;

bool command(ENGINE* engine, const char* name, const char* value) {
  return ENGINE_ctrl_cmd_string(engine, name, value, 0) == 1;
}

// The engine is one for the process, and speaks to the module of its first key until no key is
// left.
Result<Engine> load_engine(const std::string& module) {
  OPENSSL_init_crypto(OPENSSL_INIT_ENGINE_DYNAMIC, nullptr);
  std::unique_ptr<ENGINE, decltype(&ENGINE_free)> loaded(ENGINE_by_id("pkcs11"), ENGINE_free);
  if (loaded == nullptr) {
    std::string why = openssl::reasons();
    return Error{Code::kNotFound,
                 "no OpenSSL engine for PKCS #11 (" + why + "); install libengine-pkcs11-openssl"};
  }
  if (!command(loaded.get(), "MODULE_PATH", module.c_str()) || ENGINE_init(loaded.get()) != 1) {
    return Error{Code::kNotFound, "PKCS #11 module " + module + ": " + openssl::reasons()};
  }
  return Engine(loaded.release(), FinishEngine());
}

Result<std::shared_ptr<EVP_PKEY>> open_pkcs11(std::string_view reference) {
  TRY_ASSIGN(KeyUri uri, parse_key_uri(reference));
  auto module = uri.query.find("module-path");
  TRY_ASSIGN(Engine engine,
             load_engine(module == uri.query.end() ? kDefaultModule : module->second));
  EVP_PKEY* raw = ENGINE_load_private_key(engine.get(), uri.token_text().c_str(), nullptr, nullptr);
  if (raw == nullptr) {
    std::string why = openssl::reasons();
    bool no_key = why.find("not found") != std::string::npos;
    return Error{no_key ? Code::kNotFound : Code::kDenied,
                 fmt::format("{}: the token gives no key: {}. Is the PIN right, is the token there "
                             "and holds it no Ed25519 key, which this engine cannot read past?",
                             uri.shown(), why)};
  }
  // The engine goes after the key.
  return std::shared_ptr<EVP_PKEY>(raw, [engine](EVP_PKEY* key) { EVP_PKEY_free(key); });
}

}  // namespace

bool is_key_reference(std::string_view text) {
  return is_key_uri(text) || text.starts_with(kTpmPem);
}

Result<std::shared_ptr<evp_pkey_st>> open_token_key(std::string_view reference) {
  auto key = is_key_uri(reference) ? open_pkcs11(reference) : tpm::open_key(reference);
  if (!key.ok()) return key;
  TRY_ASSIGN(Bytes spki, openssl::spki_of(key->get()));
  TRY_ASSIGN(openssl::PublicMaterial material, openssl::load_spki(spki));
  if (material.scheme == Scheme::kEcdsaP256Sha256) return key;
  return Error{Code::kUnsupported, "keys in tokens are ECDSA P-256"};
}

Result<std::string> make_tpm_key() {
  return tpm::make_key();
}

}  // namespace lineside::trust

// SPDX-License-Identifier: Apache-2.0
#include "proto/http/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace lineside::http {
namespace {

// Any self-signed certificate will do: see configure_server.
int accept_any(X509_STORE_CTX*, void*) {
  return 1;
}

int accept_pinned(X509_STORE_CTX* store, void* argument) {
  auto* pin = static_cast<PinCheck*>(argument);
  Bytes key = public_key_of(X509_STORE_CTX_get0_cert(store));
  const bool known =
      std::find(pin->expected.begin(), pin->expected.end(), key) != pin->expected.end();
  if (!key.empty() && (pin->any || known)) return 1;
  pin->refused = std::move(key);
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

Error failed(std::string_view what) {
  return {Code::kInternal, tls_error(what)};
}

bool is_address(const std::string& host) {
  unsigned char buffer[16];
  return ::inet_pton(AF_INET, host.c_str(), buffer) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), buffer) == 1;
}

Result<void> add_authorities(SSL_CTX* context, std::string_view pem) {
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  int count = 0;
  while (bio) {
    std::unique_ptr<X509, decltype(&X509_free)> ca(
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
    if (!ca) break;
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get()) != 1) {
      return failed("cannot add an authority");
    }
    ++count;
  }
  ERR_clear_error();  // the end of the PEM text is reported as an error
  if (count == 0) return Error{Code::kMalformed, "no certificate in the list of authorities"};
  return ok();
}

}  // namespace

Result<void> present_identity(ssl_ctx_st* context, const Identity& identity) {
  if (SSL_CTX_use_certificate(context, identity.certificate()) != 1 ||
      SSL_CTX_use_PrivateKey(context, identity.key()) != 1) {
    return failed("cannot use the TLS identity");
  }
  for (const auto& next : identity.chain()) {
    if (SSL_CTX_add1_chain_cert(context, next.get()) != 1) return failed("cannot use the chain");
  }
  return ok();
}

Result<void> configure_server(ssl_ctx_st* context, const Identity& identity,
                              ClientCertificate client) {
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // a thousand idle connections
  int mode = client == ClientCertificate::kIgnored ? SSL_VERIFY_NONE : SSL_VERIFY_PEER;
  if (client == ClientCertificate::kRequired) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(context, mode, nullptr);
  SSL_CTX_set_cert_verify_callback(context, accept_any, nullptr);
  return present_identity(context, identity);
}

Result<void> configure_pinned_client(ssl_ctx_st* context, PinCheck& pin) {
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, accept_pinned, &pin);
  return ok();
}

Result<void> configure_public_client(ssl_ctx_st* context, std::string_view ca_pem) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (!ca_pem.empty()) return add_authorities(context, ca_pem);
  if (SSL_CTX_set_default_verify_paths(context) != 1) {
    return failed("cannot load the system's certificate authorities");
  }
  return ok();
}

Result<void> expect_host(ssl_st* connection, const std::string& host) {
  if (is_address(host)) {
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host.c_str()) != 1) {
      return failed("cannot check the certificate's address");
    }
    return ok();
  }
  SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (SSL_set1_host(connection, host.c_str()) != 1 ||
      SSL_set_tlsext_host_name(connection, host.c_str()) != 1) {
    return failed("cannot check the certificate's name");
  }
  return ok();
}

std::optional<Bytes> peer_public_key(const ssl_st* connection) {
  X509* certificate = SSL_get0_peer_certificate(connection);
  if (certificate == nullptr) return std::nullopt;
  return public_key_of(certificate);
}

std::string verify_failure(const ssl_st* connection) {
  long result = SSL_get_verify_result(connection);
  return result == X509_V_OK ? "" : X509_verify_cert_error_string(result);
}

std::string tls_error(std::string_view context) {
  unsigned long number = ERR_get_error();
  ERR_clear_error();
  std::string text(context);
  if (number == 0) return text;
  const char* reason = ERR_reason_error_string(number);
  return text + ": " + (reason != nullptr ? reason : "unknown OpenSSL error");
}

}  // namespace lineside::http

// SPDX-License-Identifier: Apache-2.0
// Internal to proto/http: the rules of our TLS contexts, in one place.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/http/identity.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX
struct ssl_st;      // OpenSSL's SSL

namespace lineside::http {

// kIgnored: browsers would ask their user which certificate to show.
enum class ClientCertificate { kIgnored, kAsked, kRequired };

// TLS 1.3 only, no session tickets (a resumed session would skip the client's certificate). A
// client's certificate is asked for unless it is ignored, and its issuer is ignored always; without
// one the handshake fails if it is required. The handshake proves that the peer holds the key;
// whether the key is welcome is the caller's rule.
Result<void> configure_server(ssl_ctx_st* context, const Identity& identity,
                              ClientCertificate client);

// What a client demands of the server's certificate.
struct PinCheck {
  std::vector<Bytes> expected;   // SubjectPublicKeyInfo, any of them
  bool any = false;              // take every key instead
  std::optional<Bytes> refused;  // filled in by a handshake that met another key
};

// TLS 1.3 only; exactly the pinned keys, checked inside the handshake, before our own certificate
// or one byte of the request is sent. `pin` must outlive the context.
Result<void> configure_pinned_client(ssl_ctx_st* context, PinCheck& pin);

// TLS 1.2 or later against the system's authorities, or those in `ca_pem` if it is not empty.
Result<void> configure_public_client(ssl_ctx_st* context, std::string_view ca_pem);
// The name (or address) that the certificate must carry, and SNI for a name.
Result<void> expect_host(ssl_st* connection, const std::string& host);

// Adds a client certificate.
Result<void> present_identity(ssl_ctx_st* context, const Identity& identity);

// SubjectPublicKeyInfo of the peer's certificate after a handshake; nullopt without one.
std::optional<Bytes> peer_public_key(const ssl_st* connection);

// Why a certificate was refused ("self-signed certificate", …); empty if it was not.
std::string verify_failure(const ssl_st* connection);

// "context: OpenSSL's reason", and clears OpenSSL's error queue of this thread.
std::string tls_error(std::string_view context);

}  // namespace lineside::http

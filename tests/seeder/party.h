// SPDX-License-Identifier: Apache-2.0
// Somebody who talks to a gateway over real TLS, for tests.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "proto/http/client.h"
#include "tests/seeder/vendor_origin.h"

namespace lineside::seeder {

inline trust::PrivateKey new_key() {
  return must(trust::PrivateKey::generate(trust::Scheme::kEd25519));
}

// Somebody with a key, talking to the gateway.
class Party {
 public:
  Party(const std::string& endpoint, const trust::PublicKey& gateway, trust::PrivateKey own)
      : key(std::move(own)), client_(connect(endpoint, gateway, key)) {}

  http::Reply post(const std::string& path, BytesView body) {
    return must(client_.request("POST", path, body));
  }
  http::Reply say(const std::string& path, const nlohmann::json& body) {
    return post(path, as_bytes(body.dump()));
  }
  http::Reply get(const std::string& path) { return must(client_.get(path)); }

  trust::PrivateKey key;

 private:
  static http::Client connect(const std::string& endpoint, const trust::PublicKey& gateway,
                              const trust::PrivateKey& key) {
    http::ClientOptions options;
    options.base_url = "https://" + endpoint + "/";
    options.pinned_keys = {gateway.spki()};
    options.identity = must(http::Identity::make(must(key.to_pem(std::nullopt)), "test"));
    return must(http::Client::make(std::move(options)));
  }
  http::Client client_;
};

}  // namespace lineside::seeder

// SPDX-License-Identifier: Apache-2.0
// What another node holds and this one does not.
#pragma once

#include <string>
#include <vector>

#include "node/http_gateway_link.h"
#include "node/peers.h"

namespace lineside::node {

// Whether it is worth asking somebody with those heads. A second document of one number is news of
// the worst kind.
bool has_news(const api::Heads& own, const api::Heads& theirs);

// Fetches it. A failure costs what it is about; the rest is fetched all the same.
std::vector<Gift> fetch_news(HttpGatewayLink& peer, const std::string& name, const api::Heads& own,
                             const api::Heads& theirs);

}  // namespace lineside::node

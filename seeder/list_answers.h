// SPDX-License-Identifier: Apache-2.0
// Answers that operators and the page get alike: lists of rows as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

#include "proto/http/message.h"
#include "seeder/rollout_store.h"
#include "seeder/supply.h"

namespace lineside::seeder {

// Text that is no UTF-8 is replaced, never refused: some of it is what devices say.
http::Response json_answer(const nlohmann::json& value, int status = 200);

nlohmann::json events_json(const std::vector<Event>& events);
// {"pending":[…]}; codes of the store.
Result<http::Response> pending_answer(RolloutStore& store);
// {"bundles":[…]}
http::Response bundles_answer(const Supply& supply);

// A number of a path or a query, not negative; kMalformed.
Result<std::int64_t> parse_number(std::string_view text);

}  // namespace lineside::seeder

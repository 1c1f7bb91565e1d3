// SPDX-License-Identifier: Apache-2.0
#include "seeder/list_answers.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace lineside::seeder {

using nlohmann::json;

http::Response json_answer(const json& value, int status) {
  return http::json_response(status, value.dump(-1, ' ', false, json::error_handler_t::replace));
}

json events_json(const std::vector<Event>& events) {
  json list = json::array();
  for (const Event& event : events) {
    list.push_back(to_json(EventRow{event.number, event.at, event.kind, event.actor, event.device,
                                    event.sequence, event.document, event.text}));
  }
  return list;
}

Result<http::Response> pending_answer(RolloutStore& store) {
  TRY_ASSIGN(std::vector<PendingDevice> pending, store.pending());
  json list = json::array();
  for (const PendingDevice& device : pending) {
    list.push_back(
        to_json(PendingRow{device.device, device.fingerprint, device.spki, device.hardware,
                           device.agent, device.first_seen, device.last_seen}));
  }
  return json_answer({{"pending", list}});
}

http::Response bundles_answer(const Supply& supply) {
  json list = json::array();
  for (const BundleRow& row : supply.bundles()) list.push_back(to_json(row));
  return json_answer({{"bundles", list}});
}

Result<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (bad != std::errc() || end != text.data() + text.size() || value < 0) {
    return Error{Code::kMalformed, "expected a number instead of '" + std::string(text) + "'"};
  }
  return value;
}

}  // namespace lineside::seeder

// SPDX-License-Identifier: Apache-2.0
#include "proto/api/site_api.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lineside::BytesView body(data, size);
  (void)lineside::api::parse_node_report(body);
  (void)lineside::api::parse_report_reply(body);
  (void)lineside::api::parse_enrol_request(body);
  (void)lineside::api::parse_delivery_offer(body);
  return 0;
}

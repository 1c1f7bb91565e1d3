// SPDX-License-Identifier: Apache-2.0
// A path that is accepted stays below the folder that it is joined to, and survives encoding.
#include <cstdlib>

#include "proto/base/bytes.h"
#include "proto/http/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = lineside::as_text({data, size});
  auto target = lineside::http::parse_target(text);
  if (target.ok()) {
    const std::string& path = target->path;
    if (path.empty() || path[0] != '/' || path.find('\0') != std::string::npos) std::abort();
    if ((path + '/').find("/../") != std::string::npos) std::abort();
    if (path.find("//") != std::string::npos) std::abort();
    auto again = lineside::http::parse_target(lineside::http::encode_path(path));
    bool too_long = lineside::http::encode_path(path).size() > 8192;
    if (!too_long && (!again.ok() || again->path != path)) std::abort();
  }
  auto url = lineside::http::parse_url(text);
  if (url.ok() && (url->host.empty() || url->port == 0 || url->target[0] != '/')) std::abort();
  (void)lineside::http::parse_endpoint(text);
  return 0;
}

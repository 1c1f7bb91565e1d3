// SPDX-License-Identifier: Apache-2.0
// The built page, compiled in. Made by seeder/web/embed.mjs from what Vite wrote.
#pragma once

#include <span>
#include <string_view>

#include "proto/base/bytes.h"

namespace lineside::seeder {

struct StaticFile {
  std::string_view path;  // "/", "/assets/index-4f2a.js"
  std::string_view content_type;
  std::string_view etag;  // quoted
  bool immutable;         // the name changes with the bytes
  BytesView gzip;
};

std::span<const StaticFile> static_files();

}  // namespace lineside::seeder

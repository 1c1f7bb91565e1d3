// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/utf8.h"

namespace lineside::trust {
namespace {

struct Utf8Form {
  std::size_t length = 0;   // 0: no lead byte
  std::uint32_t bits = 0;   // of the code point, from the lead byte
  std::uint32_t least = 0;  // smallest code point that needs this length
};

Utf8Form utf8_form(std::uint8_t lead) {
  if (lead < 0x80) return {1, lead, 0};
  if ((lead & 0xe0) == 0xc0) return {2, lead & 0x1fU, 0x80};
  if ((lead & 0xf0) == 0xe0) return {3, lead & 0x0fU, 0x800};
  if ((lead & 0xf8) == 0xf0) return {4, lead & 0x07U, 0x10000};
  return {};
}

}  // namespace

bool take_code_point(std::string_view& text, std::uint32_t& point) {
  Utf8Form form = utf8_form(static_cast<std::uint8_t>(text.front()));
  if (form.length == 0 || text.size() < form.length) return false;
  point = form.bits;
  for (std::size_t i = 1; i < form.length; ++i) {
    auto byte = static_cast<std::uint8_t>(text[i]);
    if ((byte & 0xc0) != 0x80) return false;
    point = (point << 6) | (byte & 0x3fU);
  }
  text.remove_prefix(form.length);
  bool surrogate = point >= 0xd800 && point <= 0xdfff;
  return point >= form.least && point <= 0x10ffff && !surrogate;
}

std::size_t utf8_length(std::string_view text) {
  std::string_view rest = text;
  std::uint32_t point = 0;
  if (text.empty() || !take_code_point(rest, point)) return 0;
  return text.size() - rest.size();
}

}  // namespace lineside::trust

// SPDX-License-Identifier: Apache-2.0
#include "proto/trust/tuf/names.h"

namespace lineside::trust::tuf {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

}  // namespace

std::string percent_encode(std::string_view text, std::string_view also_safe) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    if (is_unreserved(c) || also_safe.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    auto byte = from_hex(text.substr(i + 1, 2));
    if (!byte.ok() || byte->size() != 1) {
      return Error{Code::kMalformed, "\"%\" without two hexadecimal digits"};
    }
    out += static_cast<char>(byte->front());
    i += 2;
  }
  return out;
}

Result<void> check_parts(std::string_view path) {
  std::size_t begin = 0;
  while (true) {
    std::size_t end = path.find('/', begin);
    std::string_view part = path.substr(begin, end == std::string_view::npos ? end : end - begin);
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string_view::npos) {
      return Error{Code::kMalformed, "a name with an empty, \".\" or \"..\" part"};
    }
    if (end == std::string_view::npos) return ok();
    begin = end + 1;
  }
}

std::string file_name(std::string_view name) {
  if (name.empty()) return "%";
  if (name == ".") return "%2E";
  if (name == "..") return "%2E%2E";
  return percent_encode(name);
}

std::string role_file(std::string_view role) {
  return percent_encode(role) + ".json";
}

Result<std::string> served_name(const TargetInfo& target, bool consistent_snapshot) {
  if (!consistent_snapshot) return target.name;
  auto hash = target.hashes.find("sha256");
  if (hash == target.hashes.end()) hash = target.hashes.find("sha512");
  if (hash == target.hashes.end()) {
    return Error{Code::kUnsupported, "no hash that this build knows (sha256, sha512)"};
  }
  std::size_t slash = target.name.rfind('/');
  std::size_t base = slash == std::string::npos ? 0 : slash + 1;
  return target.name.substr(0, base) + hash->second + "." + target.name.substr(base);
}

Result<std::string> served_path(const TargetInfo& target, bool consistent_snapshot) {
  TRY(check_parts(target.name));
  TRY_ASSIGN(std::string name, served_name(target, consistent_snapshot));
  return percent_encode(name, "/");
}

}  // namespace lineside::trust::tuf

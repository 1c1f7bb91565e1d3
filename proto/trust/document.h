// SPDX-License-Identifier: Apache-2.0
// What the site's own documents (manifest, roster, directive) and the attestation's extension have
// in common: a schema number, names that are safe as file names and in URLs, bounded lists and
// texts.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/result.h"
#include "proto/trust/fields.h"

namespace lineside::trust {

inline constexpr std::int64_t kSchema = 1;
// The highest number of a document that rises (sequence of a directive, version of a roster): exact
// for every reader of JSON (RFC 8259 section 6), and far from where adding to it overflows.
inline constexpr std::int64_t kMaxDocumentNumber = (std::int64_t{1} << 53) - 1;
inline constexpr std::size_t kMaxLabelBytes = 256;
inline constexpr std::size_t kMaxProseBytes = 4096;

// [a-z0-9][a-z0-9._-]{0,63}: ids of sites and devices, groups, hardware classes, bundle names.
bool is_name(std::string_view text);
// [0-9A-Za-z][0-9A-Za-z.+~-]{0,63}
bool is_version(std::string_view text);
// 1 to `max` bytes without C0 control characters or DEL. (JSON text is UTF-8 already.)
bool is_label(std::string_view text, std::size_t max = kMaxLabelBytes);
// "NAME/VERSION.json", a manifest's target name.
bool is_manifest_name(std::string_view text);
// What is_label takes, made of any bytes: what is not UTF-8 becomes U+FFFD, control characters
// become spaces, the rest is cut at a character. For words that come from elsewhere, such as a
// traceback: they must never keep a report from being written.
std::string clean_text(std::string_view text, std::size_t max = kMaxProseBytes);

// The getters below report through `fields` like its own.

// The text of `member` if `valid` takes it, else an error saying `expected`.
std::string checked_text(Fields& fields, std::string_view member, bool (*valid)(std::string_view),
                         std::string_view expected);
std::string name_text(Fields& fields, std::string_view member);
std::string label_text(Fields& fields, std::string_view member);
// May be empty; at most kMaxProseBytes.
std::string prose_text(Fields& fields, std::string_view member);

// Both say so if there are more than `max`, or one that is no name or no label.
std::vector<std::string> name_list(Fields& fields, std::string_view member, std::size_t max);
std::vector<std::string> label_list(Fields& fields, std::string_view member, std::size_t max);
// The same, and sorted bytewise, none twice.
std::vector<std::string> sorted_names(Fields& fields, std::string_view member, std::size_t max);
// Every key and every value a label.
enum class EmptyValues { kRefused, kAllowed };
std::map<std::string, std::string> label_map(Fields& fields, std::string_view member,
                                             std::size_t max,
                                             EmptyValues empty = EmptyValues::kRefused);
// Every key a label.
std::map<std::string, std::int64_t> number_map(Fields& fields, std::string_view member,
                                               std::size_t max);
// Objects, at most `max`.
std::vector<Fields> bounded_list(Fields& fields, std::string_view member, std::size_t max);

// Bytes 0 to 2^63 - 1.
std::uint64_t size_number(Fields& fields, std::string_view member);

// An object whose "schema" is kSchema, looked at before anything else. kUnsupported for another
// number: a newer document may have conditions that this build does not know.
Result<nlohmann::json> parse_document(BytesView bytes, std::string_view name,
                                      std::uint64_t max_bytes);
// Canonical JSON of a tree that we built, hence of integers only, with one difference: a control
// character is escaped, for the canonical form leaves it bare, which no JSON parser takes back.
// (The PEM text of a P-256 key has line feeds.) Documents are hashed as bytes, so nothing depends
// on it.
Bytes document_bytes(const nlohmann::json& tree);

}  // namespace lineside::trust

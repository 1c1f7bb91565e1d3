// SPDX-License-Identifier: Apache-2.0
// The reader takes canonical JSON and nothing else, straight off the bytes: each kind of entry has
// exactly one spelling, so what is parsed is what was hashed, and no second spelling of a tree
// exists.
#include "proto/trust/listing.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace lineside::trust {
namespace {

constexpr std::uint32_t kModeBits = 0777;
constexpr std::uint64_t kMaxLength = std::numeric_limits<std::int64_t>::max();

// Reads one line from its start. After a failure `expected()` says what was missing where.
class Line {
 public:
  explicit Line(std::string_view line) : line_(line) {}

  bool literal(std::string_view wanted) {
    if (!line_.substr(at_).starts_with(wanted)) {
      return refuse("'" + std::string(wanted) + "'");
    }
    at_ += wanted.size();
    return true;
  }

  [[nodiscard]] bool begins(std::string_view wanted) const { return line_.starts_with(wanted); }

  bool number(std::uint64_t max, std::uint64_t& out) {
    const char* from = line_.data() + at_;
    const char* end = line_.data() + line_.size();
    auto [stop, error] = std::from_chars(from, end, out);
    bool padded = stop - from > 1 && *from == '0';
    if (error != std::errc() || padded || out > max) {
      return refuse("a number from 0 to " + std::to_string(max));
    }
    at_ += static_cast<std::size_t>(stop - from);
    return true;
  }

  // A string without its opening quote, which the literal before it has; takes the closing one.
  bool text(std::string& out) {
    out.clear();
    for (;;) {
      std::size_t stop = line_.find_first_of("\"\\", at_);
      if (stop == std::string_view::npos) return refuse("a string with its closing quote");
      out.append(line_, at_, stop - at_);
      at_ = stop + 1;
      if (line_[stop] == '"') return true;
      if (at_ == line_.size() || (line_[at_] != '"' && line_[at_] != '\\')) {
        return refuse("'\"' or '\\' after a backslash");
      }
      out.push_back(line_[at_++]);
    }
  }

  bool digest(Digest& out) {
    std::string_view hex = line_.substr(at_, 64);
    bool lower = std::all_of(hex.begin(), hex.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    });
    auto parsed = Digest::parse(hex);
    if (!lower || !parsed.ok()) return refuse("64 lower-case hexadecimal digits");
    out = *parsed;
    at_ += hex.size();
    return true;
  }

  bool end() { return at_ == line_.size() || refuse("the end of the line"); }

  [[nodiscard]] Error error() const {
    return {Code::kMalformed, "column " + std::to_string(at_ + 1) + ": expected " + expected_};
  }

  // Always false.
  bool refuse(std::string_view expected) {
    expected_ = expected;
    return false;
  }

 private:
  std::string_view line_;
  std::size_t at_ = 0;
  std::string expected_;
};

bool read_mode(Line& line, Entry& entry) {
  std::uint64_t mode = 0;
  if (!line.literal("\"mode\":") || !line.number(kModeBits, mode)) return false;
  entry.mode = static_cast<std::uint32_t>(mode);
  return true;
}

bool read_file(Line& line, Entry& entry) {
  entry.type = EntryType::kFile;
  return line.literal("{\"length\":") && line.number(kMaxLength, entry.length) &&
         line.literal(",") && read_mode(line, entry) && line.literal(",\"path\":\"") &&
         line.text(entry.path) && line.literal(",\"root\":\"") && line.digest(entry.root) &&
         line.literal("\",\"type\":\"file\"}") && line.end();
}

bool read_directory(Line& line, Entry& entry) {
  entry.type = EntryType::kDirectory;
  return line.literal("{") && read_mode(line, entry) && line.literal(",\"path\":\"") &&
         line.text(entry.path) && line.literal(",\"type\":\"dir\"}") && line.end();
}

bool read_link(Line& line, Entry& entry) {
  entry.type = EntryType::kLink;
  return line.literal("{\"path\":\"") && line.text(entry.path) && line.literal(",\"target\":\"") &&
         line.text(entry.target) && line.literal(",\"type\":\"link\"}") && line.end();
}

bool read_entry(Line& line, Entry& entry) {
  if (line.begins("{\"length\"")) return read_file(line, entry);
  if (line.begins("{\"mode\"")) return read_directory(line, entry);
  if (line.begins("{\"path\"")) return read_link(line, entry);
  return line.refuse("{\"length\", {\"mode\" or {\"path\"");
}

const Entry* find_entry(const std::vector<Entry>& entries, std::string_view path) {
  auto less = [](const Entry& entry, std::string_view wanted) { return entry.path < wanted; };
  auto it = std::lower_bound(entries.begin(), entries.end(), path, less);
  return it != entries.end() && it->path == path ? &*it : nullptr;
}

std::string_view parent_of(std::string_view path) {
  std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

// What an entry must be by itself.
Result<void> check_entry(const Entry& entry) {
  TRY(check_path(entry.path));
  if (entry.type == EntryType::kLink) TRY(check_link(entry.path, entry.target));
  if (entry.type == EntryType::kFile && entry.length == 0) {
    static const Digest nothing = sha256({});
    if (entry.root != nothing) {
      return Error{Code::kMalformed, "an empty file must have the SHA-256 of nothing as root"};
    }
  }
  return ok();
}

// What it must be after those before it.
Result<void> check_place(const std::vector<Entry>& before, const Entry& entry) {
  if (!before.empty() && before.back().path >= entry.path) {
    return Error{Code::kMalformed, "path \"" + entry.path + "\" is not above \"" +
                                       before.back().path + "\" before it"};
  }
  std::string_view parent = parent_of(entry.path);
  bool same = !before.empty() && parent_of(before.back().path) == parent;
  if (parent.empty() || same) return ok();
  const Entry* folder = find_entry(before, parent);
  if (folder == nullptr || folder->type != EntryType::kDirectory) {
    return Error{Code::kMalformed, "\"" + std::string(parent) +
                                       "\" is not listed as a directory before \"" + entry.path +
                                       "\""};
  }
  return ok();
}

Result<Entry> parse_line(std::string_view text, const std::vector<Entry>& before) {
  Line line(text);
  Entry entry;
  if (!read_entry(line, entry)) return line.error();
  TRY(check_entry(entry));
  TRY(check_place(before, entry));
  return entry;
}

void append_text(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void append_line(std::string& out, const Entry& entry) {
  out += '{';
  if (entry.type == EntryType::kFile) out += "\"length\":" + std::to_string(entry.length) + ',';
  if (entry.type != EntryType::kLink) out += "\"mode\":" + std::to_string(entry.mode) + ',';
  out += "\"path\":";
  append_text(out, entry.path);
  switch (entry.type) {
    case EntryType::kFile:
      out += ",\"root\":\"" + entry.root.hex() + "\",\"type\":\"file\"}\n";
      break;
    case EntryType::kDirectory:
      out += ",\"type\":\"dir\"}\n";
      break;
    case EntryType::kLink:
      out += ",\"target\":";
      append_text(out, entry.target);
      out += ",\"type\":\"link\"}\n";
      break;
  }
}

}  // namespace

const Entry* Listing::find(std::string_view path) const {
  return find_entry(entries, path);
}

std::uint64_t Listing::total_length() const {
  std::uint64_t total = 0;
  for (const Entry& entry : entries) total += entry.length;
  return total;
}

Result<Listing> parse_listing(BytesView bytes, const ListingLimits& limits) {
  if (bytes.size() > limits.max_bytes) {
    return Error{Code::kTooLarge, "listing has " + std::to_string(bytes.size()) +
                                      " bytes, at most " + std::to_string(limits.max_bytes) +
                                      " are allowed"};
  }
  Listing listing;
  std::uint64_t total = 0;
  std::string_view rest = as_text(bytes);
  while (!rest.empty()) {
    auto where = [&] { return "line " + std::to_string(listing.entries.size() + 1); };
    if (listing.entries.size() == limits.max_entries) {
      return Error{Code::kTooLarge, where() + ": at most " + std::to_string(limits.max_entries) +
                                        " entries are allowed"};
    }
    std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) {
      return Error{Code::kMalformed, where() + ": expected a line feed at the end"};
    }
    auto entry = parse_line(rest.substr(0, end), listing.entries);
    if (!entry.ok()) return entry.error().with(where());
    if (entry->length > kMaxLength - total) {
      return Error{Code::kTooLarge, where() + ": all files together exceed 2^63 - 1 bytes"};
    }
    total += entry->length;
    listing.entries.push_back(std::move(*entry));
    rest.remove_prefix(end + 1);
  }
  return listing;
}

Bytes serialise(const Listing& listing) {
  std::string out;
  for (const Entry& entry : listing.entries) append_line(out, entry);
  return to_bytes(out);
}

TreeId tree_id(const Listing& listing) {
  Sha256 hash;
  std::string line;
  for (const Entry& entry : listing.entries) {
    line.clear();
    append_line(line, entry);
    hash.update(as_bytes(line));
  }
  return hash.finish();
}

Digest part_digest(const Listing& listing, std::string_view folder) {
  Sha256 hash;
  std::string line;
  std::string prefix = std::string(folder) + '/';
  for (const Entry& entry : listing.entries) {
    if (!entry.path.starts_with(prefix)) continue;
    line.clear();
    append_line(line, entry);
    hash.update(as_bytes(line));
  }
  return hash.finish();
}

}  // namespace lineside::trust

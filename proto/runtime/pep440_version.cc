// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "proto/runtime/pep440.h"
#include "proto/runtime/python_text.h"

namespace lineside::runtime {
namespace {

constexpr bool is_separator(char c) {
  return c == '.' || c == '-' || c == '_';
}

// Reads a version from the left. No alternative of PEP 440 appendix B needs to be taken back, so
// each step either takes its part or leaves everything as it was.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool done() const { return rest_.empty(); }

  std::string_view digits() {
    auto end = std::find_if_not(rest_.begin(), rest_.end(), is_digit);
    return take(static_cast<std::size_t>(end - rest_.begin()));
  }

  bool literal(char c) {
    if (rest_.empty() || lower(rest_.front()) != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void release(Version& out) {
    literal('v');
    std::string_view first = digits();
    if (!first.empty() && literal('!')) {
      out.epoch = Number(first);
      first = digits();
    }
    if (first.empty()) return;
    out.release.emplace_back(first);
    while (rest_.size() > 1 && rest_[0] == '.' && is_digit(rest_[1])) {
      rest_.remove_prefix(1);
      out.release.emplace_back(digits());
    }
  }

  void suffixes(Version& out) {
    static constexpr std::array<std::pair<std::string_view, PreKind>, 8> kPre = {
        {{"alpha", PreKind::kAlpha},
         {"a", PreKind::kAlpha},
         {"beta", PreKind::kBeta},
         {"b", PreKind::kBeta},
         {"preview", PreKind::kCandidate},
         {"pre", PreKind::kCandidate},
         {"c", PreKind::kCandidate},
         {"rc", PreKind::kCandidate}}};
    for (auto [word, kind] : kPre) {
      if (auto number = lettered(word)) {
        out.pre = PreRelease{kind, Number(*number)};
        break;
      }
    }
    if (rest_.size() > 1 && rest_[0] == '-' && is_digit(rest_[1])) {
      rest_.remove_prefix(1);
      out.post = Number(digits());
    } else {
      for (std::string_view word : {"post", "rev", "r"}) {
        if (auto number = lettered(word)) {
          out.post = Number(*number);
          break;
        }
      }
    }
    if (auto number = lettered("dev")) out.dev = Number(*number);
  }

  // False if there is a '+' that no valid label follows.
  bool local(Version& out) {
    if (!literal('+')) return true;
    do {
      auto end = std::find_if_not(rest_.begin(), rest_.end(), is_alnum);
      std::string part = lowered(take(static_cast<std::size_t>(end - rest_.begin())));
      if (part.empty()) return false;
      if (std::all_of(part.begin(), part.end(), is_digit)) part = Number(part).text();
      out.local.push_back(std::move(part));
    } while (!rest_.empty() && is_separator(rest_.front()) && (rest_.remove_prefix(1), true));
    return true;
  }

 private:
  std::string_view take(std::size_t n) {
    std::string_view out = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return out;
  }

  // "[sep] word [sep] [digits]": the digits, possibly none.
  std::optional<std::string_view> lettered(std::string_view word) {
    std::string_view at = rest_;
    if (!at.empty() && is_separator(at.front())) at.remove_prefix(1);
    if (at.size() < word.size() || lowered(at.substr(0, word.size())) != word) return std::nullopt;
    at.remove_prefix(word.size());
    if (!at.empty() && is_separator(at.front())) at.remove_prefix(1);
    rest_ = at;
    return digits();
  }

  std::string_view rest_;
};

// Where a version stands among those of its release; see the picture in the header.
int pre_rank(const Version& v) {
  if (v.pre) return static_cast<int>(v.pre->kind);
  return v.dev && !v.post ? -1 : 3;
}

std::strong_ordering compare_local_part(const std::string& a, const std::string& b) {
  bool a_number = is_digit(a.front()) && std::all_of(a.begin(), a.end(), is_digit);
  bool b_number = is_digit(b.front()) && std::all_of(b.begin(), b.end(), is_digit);
  if (a_number != b_number) {
    return a_number ? std::strong_ordering::greater : std::strong_ordering::less;
  }
  return a_number ? Number(a) <=> Number(b) : a <=> b;
}

std::strong_ordering compare_release(const Version& a, const Version& b) {
  for (std::size_t i = 0; i < std::max(a.release.size(), b.release.size()); ++i) {
    if (auto order = a.part(i) <=> b.part(i); order != 0) return order;
  }
  return std::strong_ordering::equal;
}

}  // namespace

Number::Number(std::string_view digits) {
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  if (!digits.empty()) text_ = digits;
}

std::strong_ordering Number::operator<=>(const Number& other) const {
  if (auto order = text_.size() <=> other.text_.size(); order != 0) return order;
  return text_ <=> other.text_;
}

Result<Version> Version::parse(std::string_view text) {
  Version out;
  Scanner scanner(trim_space(text));
  scanner.release(out);
  if (!out.release.empty()) {
    scanner.suffixes(out);
    if (scanner.local(out) && scanner.done()) return out;
  }
  return Error{Code::kMalformed, fmt::format("'{}' is not a version (PEP 440)", text)};
}

const Number& Version::part(std::size_t i) const {
  static const Number zero;
  return i < release.size() ? release[i] : zero;
}

std::string Version::str() const {
  std::string out;
  if (!epoch.zero()) out += epoch.text() + "!";
  for (std::size_t i = 0; i < release.size(); ++i) out += (i ? "." : "") + release[i].text();
  if (pre) {
    static constexpr std::array<std::string_view, 3> kNames = {"a", "b", "rc"};
    out.append(kNames[static_cast<std::size_t>(pre->kind)]).append(pre->number.text());
  }
  if (post) out += ".post" + post->text();
  if (dev) out += ".dev" + dev->text();
  for (std::size_t i = 0; i < local.size(); ++i) out += (i ? "." : "+") + local[i];
  return out;
}

std::strong_ordering Version::operator<=>(const Version& other) const {
  if (auto order = epoch <=> other.epoch; order != 0) return order;
  if (auto order = compare_release(*this, other); order != 0) return order;
  if (auto order = pre_rank(*this) <=> pre_rank(other); order != 0) return order;
  if (pre) {
    if (auto order = pre->number <=> other.pre->number; order != 0) return order;
  }
  if (auto order = post <=> other.post; order != 0) return order;  // none sorts first
  if (dev.has_value() != other.dev.has_value()) {
    return dev ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  if (auto order = dev <=> other.dev; order != 0) return order;
  return std::lexicographical_compare_three_way(local.begin(), local.end(), other.local.begin(),
                                                other.local.end(), compare_local_part);
}

}  // namespace lineside::runtime

// SPDX-License-Identifier: Apache-2.0
#include "delta/bsdiff40.h"

#include <bzlib.h>

#include <algorithm>
#include <array>
#include <string>

#include "delta/covers.h"
#include "delta/suffix_array.h"

// Header: "BSDIFF40", length of the coded controls, length of the coded differences, length of the
// new file. Then three bzip2 streams: controls, differences, literals. A control is three numbers:
// bytes to add to the base, literal bytes, step in the base. A number has 8 bytes, least first, the
// highest bit is its sign.
namespace lineside::delta {
namespace {

constexpr std::string_view kMagic = "BSDIFF40";
constexpr std::size_t kHeaderBytes = 32;
constexpr unsigned kThreshold = 8;

Error malformed(const std::string& why) {
  return {Code::kMalformed, "BSDIFF40 patch: " + why};
}

void put_number(Bytes& out, std::int64_t value) {
  std::uint64_t size =
      value < 0 ? -static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<std::uint8_t>(size >> (8 * i)));
  if (value < 0) out.back() |= 0x80;
}

std::int64_t get_number(BytesView data) {
  std::uint64_t size = 0;
  for (unsigned i = 0; i < 8; ++i) size |= std::uint64_t{data[i]} << (8 * i);
  bool negative = size >> 63 != 0;
  auto value = static_cast<std::int64_t>(size & ~(1ULL << 63));
  return negative ? -value : value;
}

Result<Bytes> compress(BytesView data) {
  Bytes out;
  bz_stream stream{};
  if (BZ2_bzCompressInit(&stream, 9, 0, 0) != BZ_OK) {
    return Error{Code::kInternal, "bzip2 does not start"};
  }
  Bytes portion(64U << 10);
  std::size_t fed = 0;
  int state = BZ_RUN_OK;
  while (state != BZ_STREAM_END) {
    if (stream.avail_in == 0 && fed < data.size()) {
      std::size_t count = std::min<std::size_t>(data.size() - fed, 1U << 30);
      // bzlib does not write to its input.
      stream.next_in = reinterpret_cast<char*>(const_cast<std::uint8_t*>(data.data() + fed));
      stream.avail_in = static_cast<unsigned>(count);
      fed += count;
    }
    stream.next_out = reinterpret_cast<char*>(portion.data());
    stream.avail_out = static_cast<unsigned>(portion.size());
    state = BZ2_bzCompress(&stream, fed == data.size() ? BZ_FINISH : BZ_RUN);
    if (state < 0) break;
    out.insert(out.end(), portion.begin(),
               portion.end() - static_cast<std::ptrdiff_t>(stream.avail_out));
  }
  BZ2_bzCompressEnd(&stream);
  if (state < 0) return Error{Code::kInternal, "bzip2 stopped with " + std::to_string(state)};
  return out;
}

// One of the three streams.
class Expander {
 public:
  explicit Expander(BytesView data) : rest_(data) {
    usable_ = BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK;
  }
  ~Expander() {
    if (usable_) BZ2_bzDecompressEnd(&stream_);
  }
  Expander(const Expander&) = delete;
  Expander& operator=(const Expander&) = delete;

  Result<void> read(std::span<std::uint8_t> out) {
    while (!out.empty()) {
      if (!usable_ || ended_) return malformed("a stream ends early");
      feed();
      std::size_t room = std::min<std::size_t>(out.size(), 1U << 30);
      stream_.next_out = reinterpret_cast<char*>(out.data());
      stream_.avail_out = static_cast<unsigned>(room);
      unsigned input_before = stream_.avail_in;
      int state = BZ2_bzDecompress(&stream_);
      if (state != BZ_OK && state != BZ_STREAM_END) return malformed("a stream is corrupt");
      std::size_t made = room - stream_.avail_out;
      if (state == BZ_OK && made == 0 && input_before == stream_.avail_in && rest_.empty()) {
        return malformed("a stream is cut off");
      }
      ended_ = state == BZ_STREAM_END;
      out = out.subspan(made);
    }
    return ok();
  }

 private:
  void feed() {
    if (stream_.avail_in > 0) return;
    std::size_t count = std::min<std::size_t>(rest_.size(), 1U << 30);
    stream_.next_in = reinterpret_cast<char*>(const_cast<std::uint8_t*>(rest_.data()));
    stream_.avail_in = static_cast<unsigned>(count);
    rest_ = rest_.subspan(count);
  }

  BytesView rest_;
  bz_stream stream_{};
  bool usable_ = false;
  bool ended_ = false;
};

struct Parts {
  Bytes controls, differences, literals;
};

Parts split(const std::vector<Cover>& covers, BytesView base, BytesView target) {
  Parts parts;
  auto control = [&](std::uint64_t add, std::uint64_t literal, std::uint64_t step) {
    put_number(parts.controls, static_cast<std::int64_t>(add));
    put_number(parts.controls, static_cast<std::int64_t>(literal));
    put_number(parts.controls, static_cast<std::int64_t>(step));
  };
  Cover now;  // nothing at all: its literals are those before the first cover
  for (std::size_t i = 0; i <= covers.size(); ++i) {
    bool last = i == covers.size();
    Cover next = last ? Cover{now.old_position + now.length, target.size(), 0} : covers[i];
    std::uint64_t end = now.new_position + now.length;
    control(now.length, next.new_position - end, next.old_position - now.old_position - now.length);
    for (std::uint64_t k = 0; k < now.length; ++k) {
      parts.differences.push_back(
          static_cast<std::uint8_t>(target[now.new_position + k] - base[now.old_position + k]));
    }
    BytesView text = target.subspan(end, next.new_position - end);
    parts.literals.insert(parts.literals.end(), text.begin(), text.end());
    now = next;
  }
  return parts;
}

// As bspatch: bytes before and behind the base count as zero.
void add_base(BytesView base, std::int64_t position, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::int64_t at = position + static_cast<std::int64_t>(i);
    if (at < 0 || static_cast<std::uint64_t>(at) >= base.size()) continue;
    out[i] = static_cast<std::uint8_t>(out[i] + base[static_cast<std::size_t>(at)]);
  }
}

constexpr std::int64_t kFarthest = std::int64_t{1} << 60;

Result<Bytes> rebuild(BytesView base, Expander& controls, Expander& differences, Expander& literals,
                      std::uint64_t length) {
  Bytes out(length);
  std::uint64_t at = 0;
  std::int64_t position = 0;
  while (at < length) {
    std::array<std::uint8_t, 24> control{};
    TRY(controls.read(control));
    std::int64_t add = get_number(BytesView(control).first(8));
    std::int64_t literal = get_number(BytesView(control).subspan(8, 8));
    std::int64_t step = get_number(BytesView(control).subspan(16, 8));
    bool fits =
        add >= 0 && literal >= 0 && static_cast<std::uint64_t>(add) <= length - at &&
        static_cast<std::uint64_t>(literal) <= length - at - static_cast<std::uint64_t>(add);
    if (!fits || step > kFarthest || step < -kFarthest)
      return malformed("a control is out of range");
    std::span<std::uint8_t> part = std::span(out).subspan(at, static_cast<std::size_t>(add));
    TRY(differences.read(part));
    add_base(base, position, part);
    at += part.size();
    part = std::span(out).subspan(at, static_cast<std::size_t>(literal));
    TRY(literals.read(part));
    at += part.size();
    position += add + step;
    if (position > kFarthest || position < -kFarthest) return malformed("it seeks too far");
  }
  return out;
}

}  // namespace

bool is_bsdiff40(BytesView patch) {
  return patch.size() >= kHeaderBytes && as_text(patch.first(kMagic.size())) == kMagic;
}

Result<Bytes> make_bsdiff40(BytesView base, BytesView target, std::stop_token stop) {
  TRY_ASSIGN(auto sorted, SuffixArray::build(base));
  std::vector<Cover> covers = find_covers(*sorted, base, target, kThreshold, stop);
  if (stop.stop_requested()) return Error{Code::kCancelled, "making the patch was stopped"};
  Parts parts = split(covers, base, target);
  TRY_ASSIGN(Bytes controls, compress(parts.controls));
  TRY_ASSIGN(Bytes differences, compress(parts.differences));
  TRY_ASSIGN(Bytes literals, compress(parts.literals));
  Bytes patch = to_bytes(kMagic);
  put_number(patch, static_cast<std::int64_t>(controls.size()));
  put_number(patch, static_cast<std::int64_t>(differences.size()));
  put_number(patch, static_cast<std::int64_t>(target.size()));
  for (const Bytes* part : {&controls, &differences, &literals}) {
    patch.insert(patch.end(), part->begin(), part->end());
  }
  return patch;
}

Result<Bytes> apply_bsdiff40(BytesView base, BytesView patch, std::uint64_t max_bytes) {
  if (!is_bsdiff40(patch)) return malformed("the first 8 bytes are not BSDIFF40");
  std::int64_t controls = get_number(patch.subspan(8, 8));
  std::int64_t differences = get_number(patch.subspan(16, 8));
  std::int64_t length = get_number(patch.subspan(24, 8));
  BytesView rest = patch.subspan(kHeaderBytes);
  if (controls < 0 || differences < 0 || length < 0 ||
      static_cast<std::uint64_t>(controls) > rest.size() ||
      static_cast<std::uint64_t>(differences) >
          rest.size() - static_cast<std::uint64_t>(controls)) {
    return malformed("its header names more than it has");
  }
  if (static_cast<std::uint64_t>(length) > max_bytes) {
    return Error{Code::kTooLarge, "BSDIFF40 patch: it makes " + std::to_string(length) + " bytes"};
  }
  auto first = static_cast<std::size_t>(controls);
  auto second = static_cast<std::size_t>(differences);
  Expander control_stream(rest.first(first));
  Expander difference_stream(rest.subspan(first, second));
  Expander literal_stream(rest.subspan(first + second));
  return rebuild(base, control_stream, difference_stream, literal_stream,
                 static_cast<std::uint64_t>(length));
}

}  // namespace lineside::delta

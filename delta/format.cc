// SPDX-License-Identifier: Apache-2.0
#include "delta/format.h"

#include <algorithm>
#include <array>
#include <string>

#include "delta/reference/layout.h"
#include "delta/reference/predicted_decoder.h"
#include "delta/varint.h"

namespace lineside::delta {
namespace {

constexpr std::array<std::uint8_t, 8> kMagic = {0x89, 'L', 'S', 'D', '\r', '\n', 0x1a, '\n'};
constexpr std::uint16_t kFlagListing = 1;
constexpr std::uint8_t kFrameWindowLog = 22;
constexpr std::uint64_t kHashedHeaderBytes = 104;
// Step buffers, portions of six streams, open files.
constexpr std::uint64_t kApplyOverheadBytes = 1ULL << 20;

template <class T>
void put_fixed(Bytes& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (8 * i)));
  }
}

std::uint64_t get_fixed(BytesView data, std::size_t offset, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value |= static_cast<std::uint64_t>(data[offset + i]) << (8 * i);
  }
  return value;
}

Digest get_digest(BytesView data, std::size_t offset) {
  Digest digest;
  std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(offset), 32, digest.bytes.begin());
  return digest;
}

Error malformed(const std::string& why) {
  return {Code::kMalformed, "delivery: " + why};
}

Error too_many_units() {
  return {Code::kTooLarge, "delivery: its index takes more than " +
                               std::to_string(kMaxIndexMemory) + " bytes of memory"};
}

Digest frame_hash(BytesView header, BytesView tail) {
  Sha256 hash;
  hash.update(header.first(kHashedHeaderBytes));
  hash.update(tail);
  return hash.finish();
}

// The fields of the header behind the magic, checked against the length of the file.
struct Header {
  Delivery delivery;
  std::uint64_t body = 0;
  std::uint64_t index_raw = 0;
  std::uint64_t index_coded = 0;
  std::uint64_t listing_raw = 0;
  std::uint64_t listing_coded = 0;
  bool has_listing = false;
};

Result<Header> parse_header(BytesView bytes, std::uint64_t file_length) {
  if (!std::equal(kMagic.begin(), kMagic.end(), bytes.begin())) {
    return malformed("the first 8 bytes are not those of a delivery");
  }
  std::uint64_t version = get_fixed(bytes, 8, 2);
  std::uint64_t flags = get_fixed(bytes, 10, 2);
  if (version != kFormatVersion || (flags & ~std::uint64_t{kFlagListing}) != 0) {
    return Error{Code::kUnsupported, "delivery: version " + std::to_string(version) + ", flags " +
                                         std::to_string(flags) + "; this program reads version " +
                                         std::to_string(kFormatVersion)};
  }
  Header header;
  header.delivery.base = get_digest(bytes, 12);
  header.delivery.target = get_digest(bytes, 44);
  header.body = get_fixed(bytes, 76, 8);
  header.index_raw = get_fixed(bytes, 84, 4);
  header.index_coded = get_fixed(bytes, 88, 4);
  header.listing_raw = get_fixed(bytes, 92, 4);
  header.listing_coded = get_fixed(bytes, 96, 4);
  header.has_listing = (flags & kFlagListing) != 0;
  if (get_fixed(bytes, 100, 4) != 0) return malformed("byte 100: reserved bytes are not zero");
  if (!header.has_listing && (header.listing_raw != 0 || header.listing_coded != 0)) {
    return malformed("byte 92: a listing's length without a listing");
  }
  if (header.index_raw > kMaxIndexBytes || header.index_coded > 2 * kMaxIndexBytes) {
    return Error{Code::kTooLarge, "delivery: an index of " + std::to_string(header.index_raw) +
                                      " bytes, at most " + std::to_string(kMaxIndexBytes) +
                                      " are allowed"};
  }
  // No sum here can wrap: the parts behind the body have at most 4 GiB each.
  std::uint64_t others = kHeaderBytes + header.index_coded + header.listing_coded;
  if (file_length < others || header.body != file_length - others) {
    return malformed("it has " + std::to_string(file_length) +
                     " bytes, other than its header says");
  }
  return header;
}

void put_numbers(Bytes& out, const std::vector<std::uint32_t>& numbers) {
  put_varint(out, numbers.size());
  std::int64_t expected = 0;
  for (std::uint32_t number : numbers) {
    put_varint(out, fold(static_cast<std::int64_t>(number) - expected));
    expected = static_cast<std::int64_t>(number) + 1;
  }
}

Result<std::vector<std::uint32_t>> get_numbers(ByteReader& reader, std::string_view what) {
  TRY_ASSIGN(std::uint64_t count, reader.varint(what, reader.left()));
  std::vector<std::uint32_t> numbers;
  numbers.reserve(count);
  std::int64_t expected = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    TRY_ASSIGN(std::uint64_t step, reader.varint(what, 1ULL << 33));
    std::int64_t number = expected + unfold(step);
    if (number < 0 || number > 0xffffffffLL) return reader.bad(what, "is out of range");
    numbers.push_back(static_cast<std::uint32_t>(number));
    expected = number + 1;
  }
  return numbers;
}

void put_stream(Bytes& out, const StreamInfo& info) {
  put_varint(out, info.raw_length);
  if (info.raw_length == 0) return;
  out.push_back(static_cast<std::uint8_t>(info.codec));
  if (info.codec == Codec::kStored) return;
  if (info.codec == Codec::kLzma) out.push_back(info.lzma_props);
  out.push_back(info.window_log);
  put_varint(out, info.coded_length);
}

Result<StreamInfo> get_stream(ByteReader& reader) {
  StreamInfo info;
  TRY_ASSIGN(info.raw_length, reader.varint("stream length", 4 * kMaxUnitBytes));
  if (info.raw_length == 0) return info;
  TRY_ASSIGN(std::uint8_t codec, reader.byte("codec"));
  if (codec > static_cast<std::uint8_t>(Codec::kMix)) {
    return Error{Code::kUnsupported, "delivery: codec " + std::to_string(codec)};
  }
  info.codec = static_cast<Codec>(codec);
  if (info.codec == Codec::kStored) {
    info.coded_length = info.raw_length;
    return info;
  }
  if (info.codec == Codec::kLzma) {
    TRY_ASSIGN(info.lzma_props, reader.byte("LZMA parameters"));
    unsigned lc = info.lzma_props % 9;
    unsigned lp = info.lzma_props / 9 % 5;
    if (info.lzma_props >= 225 || lc + lp > 4) return reader.bad("LZMA parameters", "are invalid");
  }
  TRY_ASSIGN(info.window_log, reader.byte("window"));
  if (info.window_log < kMinWindowLog || info.window_log > kMaxWindowLog) {
    return reader.bad("window", "is out of range");
  }
  TRY_ASSIGN(info.coded_length, reader.varint("coded length", 4 * kMaxUnitBytes));
  return info;
}

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) {
  return a / b + (a % b != 0 ? 1 : 0);
}

std::uint64_t memory_of(const Unit& unit) {
  std::uint64_t segment = sizeof(Segment) + stream_count(unit.method) * sizeof(StreamInfo);
  return sizeof(Unit) + 4 * (unit.targets.size() + unit.bases.size()) +
         unit.segments.size() * segment + 8 * unit.windows.size();
}

void put_unit(Bytes& out, const Unit& unit) {
  out.push_back(static_cast<std::uint8_t>(unit.method));
  put_numbers(out, unit.targets);
  put_numbers(out, unit.bases);
  put_varint(out, unit.base_length);
  put_varint(out, unit.length);
  put_varint(out, unit.segment_length);
  for (const Segment& segment : unit.segments) {
    for (const StreamInfo& info : segment.streams) put_stream(out, info);
  }
  for (std::uint64_t window : unit.windows) put_fixed(out, window);
}

Result<Unit> get_unit(ByteReader& reader, std::uint64_t& offset, std::uint64_t end) {
  Unit unit;
  TRY_ASSIGN(std::uint8_t method, reader.byte("method"));
  if (method > static_cast<std::uint8_t>(Method::kPredicted)) {
    return Error{Code::kUnsupported, "delivery: method " + std::to_string(method)};
  }
  unit.method = static_cast<Method>(method);
  TRY_ASSIGN(unit.targets, get_numbers(reader, "target numbers"));
  TRY_ASSIGN(unit.bases, get_numbers(reader, "base numbers"));
  TRY_ASSIGN(unit.base_length, reader.varint("base length", kMaxUnitBytes));
  TRY_ASSIGN(unit.length, reader.varint("unit length", kMaxUnitBytes));
  TRY_ASSIGN(unit.segment_length, reader.varint("segment length", kMaxUnitBytes));
  if (unit.length == 0 || unit.segment_length == 0) return reader.bad("unit", "is empty");
  // Each stream has a byte at least, which bounds what is allocated by what is there.
  std::uint64_t count = divide_up(unit.length, unit.segment_length);
  if (count > reader.left()) return reader.bad("segments", "are missing");
  if (count > kMaxIndexMemory / sizeof(Segment)) return too_many_units();
  unit.segments.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    Segment segment{{}, offset};
    segment.streams.reserve(stream_count(unit.method));
    for (std::size_t s = 0; s < stream_count(unit.method); ++s) {
      TRY_ASSIGN(StreamInfo info, get_stream(reader));
      if (info.coded_length > end - offset) return reader.bad("stream", "goes past the body");
      offset += info.coded_length;
      segment.streams.push_back(info);
    }
    unit.segments.push_back(std::move(segment));
  }
  bool fits = unit.segments.size() == 1 && unit.length <= kMaxPredictedBytes &&
              unit.base_length <= kMaxPredictedBytes;
  if (unit.method == Method::kPredicted && !fits) return reader.bad("prediction", "is of too much");
  if (unit.length <= kWindowBytes) return unit;
  std::uint64_t windows = divide_up(unit.length, kWindowBytes);
  if (windows > reader.left() / 8) return reader.bad("window hashes", "are missing");
  for (std::uint64_t i = 0; i < windows; ++i) {
    TRY_ASSIGN(BytesView hash, reader.bytes(8, "window hash"));
    unit.windows.push_back(get_fixed(hash, 0, 8));
  }
  return unit;
}

Result<Bytes> compress_frame(BytesView raw) {
  if (raw.size() > 0xffffffffULL) return Error{Code::kTooLarge, "delivery: listing above 4 GiB"};
  EncodeOptions options;
  options.lzma = false;
  options.window_log = kFrameWindowLog;
  TRY_ASSIGN(CodedStream coded, encode_zstd(raw, options));
  return coded.data;
}

Result<Bytes> expand_frame(const InputFile& file, std::uint64_t offset, std::uint64_t raw,
                           std::uint64_t coded) {
  StreamInfo info{Codec::kZstd, 0, kFrameWindowLog, raw, coded};
  return decode_all(file, offset, info, raw);
}

}  // namespace

std::string_view method_name(Method method) {
  switch (method) {
    case Method::kPlain:
      return "plain";
    case Method::kPrefix:
      return "prefix";
    case Method::kCovers:
      return "covers";
    case Method::kCoversSplit:
      return "covers-split";
    case Method::kPredicted:
      return "predicted";
  }
  return "unknown";
}

std::string_view stream_name(Method method, std::size_t stream) {
  static constexpr std::array<std::string_view, kPredictedStreams> kNames = {
      "gaps",   "lengths",        "seeks",           "runs", "differences", "literals",
      "layout", "reference runs", "reference values"};
  return stream_count(method) == 1 ? "bytes" : kNames[stream];
}

std::uint64_t Unit::coded_bytes() const {
  std::uint64_t sum = 0;
  for (const Segment& segment : segments) {
    for (const StreamInfo& info : segment.streams) sum += info.coded_length;
  }
  return sum;
}

std::uint64_t unit_memory(const Unit& unit) {
  std::uint64_t most = 0;
  for (const Segment& segment : unit.segments) {
    std::uint64_t sum = 0;
    for (const StreamInfo& info : segment.streams) sum += decoder_memory(info);
    most = std::max(most, sum);
  }
  if (unit.method == Method::kPrefix) most += unit.base_length;
  if (unit.method == Method::kPredicted) {
    const std::vector<StreamInfo>& streams = unit.segments[0].streams;
    most += predicted_memory(streams[kLengths].raw_length, streams[kLayout].raw_length,
                             unit.base_length);
  }
  return most;
}

std::uint64_t index_memory(const std::vector<Unit>& units) {
  std::uint64_t sum = 0;
  for (const Unit& unit : units) sum += memory_of(unit);
  return sum;
}

std::uint64_t Delivery::apply_memory() const {
  std::uint64_t most = 0;
  for (const Unit& unit : units) most = std::max(most, unit_memory(unit));
  return most + index_memory(units) + kApplyOverheadBytes;
}

Bytes serialise_index(const std::vector<Unit>& units) {
  Bytes out;
  put_varint(out, units.size());
  for (const Unit& unit : units) put_unit(out, unit);
  return out;
}

Result<std::vector<Unit>> parse_index(BytesView bytes, std::uint64_t body_length) {
  ByteReader reader(bytes, "delivery index");
  TRY_ASSIGN(std::uint64_t count, reader.varint("unit count", kMaxUnits));
  if (count > reader.left()) return reader.bad("units", "are missing");
  std::uint64_t offset = kHeaderBytes;
  std::vector<Unit> units;
  std::uint64_t memory = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    TRY_ASSIGN(Unit unit, get_unit(reader, offset, kHeaderBytes + body_length));
    memory += memory_of(unit);
    if (memory > kMaxIndexMemory) return too_many_units();
    units.push_back(std::move(unit));
  }
  if (!reader.at_end()) return reader.bad("index", "goes on after the last unit");
  if (offset != kHeaderBytes + body_length) return reader.bad("units", "do not fill the body");
  return units;
}

Result<Frame> make_frame(const Delivery& delivery, std::uint64_t body_length) {
  Bytes index = serialise_index(delivery.units);
  if (index.size() > kMaxIndexBytes) {
    return Error{Code::kTooLarge, "delivery: an index of " + std::to_string(index.size()) +
                                      " bytes: too many files change"};
  }
  Frame frame;
  TRY_ASSIGN(frame.tail, compress_frame(index));
  std::uint64_t index_coded = frame.tail.size();
  if (delivery.listing) {
    TRY_ASSIGN(Bytes listing, compress_frame(*delivery.listing));
    frame.tail.insert(frame.tail.end(), listing.begin(), listing.end());
  }
  Bytes& header = frame.header;
  header.assign(kMagic.begin(), kMagic.end());
  put_fixed<std::uint16_t>(header, kFormatVersion);
  put_fixed<std::uint16_t>(header, delivery.listing ? kFlagListing : 0);
  header.insert(header.end(), delivery.base.bytes.begin(), delivery.base.bytes.end());
  header.insert(header.end(), delivery.target.bytes.begin(), delivery.target.bytes.end());
  put_fixed<std::uint64_t>(header, body_length);
  put_fixed<std::uint32_t>(header, static_cast<std::uint32_t>(index.size()));
  put_fixed<std::uint32_t>(header, static_cast<std::uint32_t>(index_coded));
  put_fixed<std::uint32_t>(
      header, static_cast<std::uint32_t>(delivery.listing ? delivery.listing->size() : 0));
  put_fixed<std::uint32_t>(header, static_cast<std::uint32_t>(frame.tail.size() - index_coded));
  put_fixed<std::uint32_t>(header, 0);
  Digest hash = frame_hash(header, frame.tail);
  header.insert(header.end(), hash.bytes.begin(), hash.bytes.begin() + 8);
  return frame;
}

Result<Delivery> read_format(const InputFile& file, std::uint64_t max_listing_bytes) {
  Bytes bytes(kHeaderBytes);
  TRY_ASSIGN(std::size_t got, file.read_at(0, bytes));
  if (got < kHeaderBytes) return malformed("it is shorter than its header");
  TRY_ASSIGN(Header header, parse_header(bytes, file.size()));
  if (max_listing_bytes > 0 && header.listing_coded > 2 * max_listing_bytes + 1024) {
    return Error{Code::kTooLarge, "delivery: the embedded listing is too large"};
  }
  std::uint64_t at = kHeaderBytes + header.body;
  Sha256 hash;
  hash.update(BytesView(bytes).first(kHashedHeaderBytes));
  Bytes portion;
  for (std::uint64_t p = at; p < file.size(); p += portion.size()) {
    portion.resize(std::min<std::uint64_t>(64U << 10, file.size() - p));
    TRY_ASSIGN(got, file.read_at(p, portion));
    if (got != portion.size()) return malformed("it is cut off");
    hash.update(portion);
  }
  Digest digest = hash.finish();
  if (!std::equal(digest.bytes.begin(), digest.bytes.begin() + 8,
                  bytes.begin() + kHashedHeaderBytes)) {
    return malformed("byte 104: header or index is damaged");
  }
  TRY_ASSIGN(Bytes index, expand_frame(file, at, header.index_raw, header.index_coded));
  TRY_ASSIGN(header.delivery.units, parse_index(index, header.body));
  if (header.has_listing && max_listing_bytes > 0) {
    if (header.listing_raw > max_listing_bytes) {
      return Error{Code::kTooLarge, "delivery: the embedded listing is too large"};
    }
    TRY_ASSIGN(header.delivery.listing, expand_frame(file, at + header.index_coded,
                                                     header.listing_raw, header.listing_coded));
  }
  return std::move(header.delivery);
}

}  // namespace lineside::delta

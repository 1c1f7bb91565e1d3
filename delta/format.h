// SPDX-License-Identifier: Apache-2.0
// The delivery file as values: README.md, "Delivery, version 4", has the byte tables.
//
// A delivery names no path. Its units refer to files by their number in the two listings, so that a
// hostile one has no way to speak of anything outside of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "delta/codec.h"
#include "proto/base/bytes.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"
#include "proto/trust/listing.h"

namespace lineside::delta {

inline constexpr std::uint16_t kFormatVersion = 4;
inline constexpr std::uint64_t kHeaderBytes = 112;
inline constexpr std::uint64_t kWindowBytes = 4ULL << 20;  // of a unit's output, one hash each
inline constexpr std::uint64_t kMaxIndexBytes = 4ULL << 20;
inline constexpr std::uint64_t kMaxIndexMemory = 8ULL << 20;
inline constexpr std::uint64_t kMaxUnits = 1'000'000;
inline constexpr std::uint64_t kMaxUnitBytes = 1ULL << 40;

// How the bytes of a unit come about. Values are part of the format.
enum class Method : std::uint8_t {
  kPlain = 0,        // one stream: the bytes
  kPrefix = 1,       // one stream: the bytes, coded behind those of the base
  kCovers = 2,       // covers; differences as they are
  kCoversSplit = 3,  // covers; differences as runs and values
  kPredicted = 4,    // the same, references predicted first; one segment, below 4 GiB
};
std::string_view method_name(Method method);

// Streams of the cover methods, in the order in which they stand in the file.
enum CoverStream : std::size_t {
  kGaps,
  kLengths,
  kSeeks,
  kRuns,
  kDifferences,
  kLiterals,
  kLayout,  // from here on with predicted references alone
  kReferenceRuns,
  kReferenceValues
};
inline constexpr std::size_t kCoverStreams = 6;
inline constexpr std::size_t kPredictedStreams = 9;

constexpr std::size_t stream_count(Method method) {
  if (method == Method::kPlain || method == Method::kPrefix) return 1;
  return method == Method::kPredicted ? kPredictedStreams : kCoverStreams;
}

// What the stream holds: "literals", "reference values", …; "bytes" for the methods with one.
std::string_view stream_name(Method method, std::size_t stream);

// A part of a unit that is decoded without the parts before it.
struct Segment {
  std::vector<StreamInfo> streams;  // stream_count(method)
  std::uint64_t offset = 0;         // of the first stream in the file; follows from what is before
};

// One or more target files, end to end, made from base files, end to end.
struct Unit {
  Method method = Method::kPlain;
  std::vector<std::uint32_t> targets;  // numbers among the coded files of the plan, see plan.h
  std::vector<std::uint32_t> bases;    // numbers among the files of the base listing
  std::uint64_t base_length = 0;       // of all bases
  std::uint64_t length = 0;            // of all targets, > 0
  std::uint64_t segment_length = 0;    // of each segment but the last
  std::vector<Segment> segments;
  std::vector<std::uint64_t> windows;  // first 8 bytes of SHA-256 of each window, if length is
                                       // above kWindowBytes
  [[nodiscard]] std::uint64_t coded_bytes() const;
};

// What decoding the unit takes, decoders and prefix together.
std::uint64_t unit_memory(const Unit& unit);

// What the units themselves take in memory.
std::uint64_t index_memory(const std::vector<Unit>& units);

struct Delivery {
  trust::TreeId base;
  trust::TreeId target;
  std::vector<Unit> units;
  std::optional<Bytes> listing;  // embedded, serialised

  // What applying takes above page cache and listings.
  [[nodiscard]] std::uint64_t apply_memory() const;
};

// Index (uncompressed) from units and back. parse_index gives segments their offsets and demands
// that they fill exactly `body_length` bytes from kHeaderBytes on, kMalformed; kTooLarge if the
// units take more than kMaxIndexMemory.
Bytes serialise_index(const std::vector<Unit>& units);
Result<std::vector<Unit>> parse_index(BytesView bytes, std::uint64_t body_length);

// What stands before and behind the body of `body_length` bytes.
struct Frame {
  Bytes header;
  Bytes tail;
};
Result<Frame> make_frame(const Delivery& delivery, std::uint64_t body_length);

// Header and index of a whole delivery file. kMalformed with the place; kUnsupported for another
// version or unknown flags; kTooLarge for an index above kMaxIndexBytes or an embedded listing
// above `max_listing_bytes` (0: the listing is skipped unread).
Result<Delivery> read_format(const InputFile& file, std::uint64_t max_listing_bytes);

}  // namespace lineside::delta

// SPDX-License-Identifier: Apache-2.0
#include "delta/candidates.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "delta/cover_encoder.h"
#include "delta/cover_search.h"
#include "delta/memory_file.h"
#include "delta/reference/layout.h"
#include "delta/reference/predicted_decoder.h"
#include "delta/reference/predicted_encoder.h"
#include "delta/stream_windows.h"
#include "delta/unit_decoder.h"

namespace lineside::delta {
namespace {

Error cancelled() {
  return {Code::kCancelled, "making the delivery was stopped"};
}

unsigned floor_log(std::uint64_t value) {
  return static_cast<unsigned>(std::bit_width(std::max<std::uint64_t>(value, 2)) - 1);
}

// What else an applier holds: step buffers, index.
constexpr std::uint64_t kKeptFree = 2ULL << 20;

EncodeOptions options_for(const CandidateOptions& options, const StreamWindow& window,
                          std::stop_token stop) {
  EncodeOptions encoding;
  encoding.lzma = options.lzma;
  encoding.effort = options.effort;
  encoding.window_log = window.window_log;
  if (options.mix && options.lzma && options.effort > 1) encoding.mix_log = window.mix_log;
  encoding.stop = std::move(stop);
  return encoding;
}

std::vector<StreamWindow> windows_for(std::span<const std::uint64_t> stream_bytes,
                                      const CandidateOptions& options, std::uint64_t taken) {
  std::uint64_t memory = options.apply_memory_bytes - kKeptFree;
  // zstd's decoder keeps more beside its window than that of LZMA.
  return share_memory(stream_bytes, memory > taken ? memory - taken : 0,
                      options.lzma ? 64U << 10 : 512U << 10);
}

Content content_of(std::size_t stream) {
  if (stream == kDifferences) return Content::kDifferences;
  if (stream == kLayout) return Content::kNumbers;
  return stream == kLiterals ? Content::kData : Content::kNumbers;
}

void add_stream(CodedUnit& coded, Segment& segment, CodedStream stream) {
  segment.streams.push_back(stream.info);
  coded.body.insert(coded.body.end(), stream.data.begin(), stream.data.end());
}

CodedUnit new_unit(Method method, BytesView base, BytesView target,
                   const CandidateOptions& options) {
  CodedUnit coded;
  coded.unit.method = method;
  coded.unit.base_length = base.size();
  coded.unit.length = target.size();
  coded.unit.segment_length = std::min<std::uint64_t>(options.segment_bytes, target.size());
  return coded;
}

Result<CodedUnit> code_plain(BytesView base, BytesView target, const CandidateOptions& options,
                             std::stop_token stop) {
  CodedUnit coded = new_unit(Method::kPlain, base, target, options);
  std::uint64_t whole = coded.unit.segment_length;
  EncodeOptions encoding =
      options_for(options, windows_for(std::span(&whole, 1), options, 0)[0], stop);
  for (std::uint64_t at = 0; at < target.size(); at += coded.unit.segment_length) {
    if (stop.stop_requested()) return cancelled();
    BytesView part =
        target.subspan(at, std::min<std::uint64_t>(coded.unit.segment_length, target.size() - at));
    Segment segment{{}, coded.body.size()};
    TRY_ASSIGN(CodedStream stream, encode(part, Content::kData, encoding));
    add_stream(coded, segment, std::move(stream));
    coded.unit.segments.push_back(std::move(segment));
  }
  return coded;
}

// The applier holds the base, and a window over base and target.
bool prefix_fits(BytesView base, BytesView target, const CandidateOptions& options) {
  std::uint64_t both = base.size() + target.size();
  return !base.empty() && both + base.size() + (4U << 20) <= options.apply_memory_bytes &&
         base.size() + std::bit_ceil(both) + (3U << 20) <= options.apply_memory_bytes;
}

Result<CodedUnit> code_prefix(BytesView base, BytesView target, const CandidateOptions& options,
                              std::stop_token stop) {
  CodedUnit coded = new_unit(Method::kPrefix, base, target, options);
  EncodeOptions encoding;
  encoding.lzma = options.lzma;
  encoding.effort = options.effort;
  encoding.window_log = floor_log(std::bit_ceil(base.size() + target.size()));
  encoding.window_log = std::max(encoding.window_log, kMinWindowLog);
  encoding.stop = std::move(stop);
  Segment segment;
  TRY_ASSIGN(CodedStream stream, encode(target, Content::kData, encoding, base));
  add_stream(coded, segment, std::move(stream));
  coded.unit.segments.push_back(std::move(segment));
  return coded;
}

Result<Segment> code_streams(CodedUnit& coded, const CoverStreams& streams,
                             const CandidateOptions& options, std::stop_token stop) {
  Segment segment{{}, coded.body.size()};
  std::vector<std::uint64_t> lengths;
  for (const Bytes& stream : streams) lengths.push_back(stream.size());
  bool predicted = coded.unit.method == Method::kPredicted;
  std::uint64_t taken =
      predicted ? predicted_memory(lengths[kLengths], lengths[kLayout], coded.unit.base_length) : 0;
  std::vector<StreamWindow> windows = windows_for(lengths, options, taken);
  for (std::size_t i = 0; i < stream_count(coded.unit.method); ++i) {
    if (stop.stop_requested()) return cancelled();
    TRY_ASSIGN(CodedStream stream,
               encode(streams[i], content_of(i), options_for(options, windows[i], stop)));
    add_stream(coded, segment, std::move(stream));
  }
  return segment;
}

Result<CodedUnit> code_covers(std::span<const Cover> covers, BytesView base, BytesView target,
                              bool split, const CandidateOptions& options, std::stop_token stop) {
  CodedUnit coded = new_unit(split ? Method::kCoversSplit : Method::kCovers, base, target, options);
  for (std::uint64_t at = 0; at < target.size(); at += coded.unit.segment_length) {
    std::uint64_t length = std::min<std::uint64_t>(coded.unit.segment_length, target.size() - at);
    CoverStreams streams = cover_streams(covers, base, target, at, length, split);
    TRY_ASSIGN(Segment segment, code_streams(coded, streams, options, stop));
    coded.unit.segments.push_back(std::move(segment));
  }
  return coded;
}

// nullopt where nothing can be predicted or the memory does not suffice.
Result<std::optional<CodedUnit>> code_predicted(BytesView base, BytesView target,
                                                const CandidateOptions& options,
                                                std::stop_token stop) {
  std::optional<CodedUnit> none;
  if (std::max(base.size(), target.size()) > kMaxPredictedBytes) return none;
  TRY_ASSIGN(auto streams, predicted_streams(base, target, options.effort, stop));
  if (!streams) return none;
  CodedUnit coded = new_unit(Method::kPredicted, base, target, options);
  coded.unit.segment_length = target.size();
  TRY_ASSIGN(Segment segment, code_streams(coded, *streams, options, stop));
  coded.unit.segments.push_back(std::move(segment));
  if (unit_memory(coded.unit) > options.apply_memory_bytes - (1ULL << 20)) return none;
  return std::optional<CodedUnit>(std::move(coded));
}

std::uint64_t size_of(const CodedUnit& coded) {
  return coded.body.size() + serialise_index({coded.unit}).size();
}

void keep_smaller(std::optional<CodedUnit>& best, CodedUnit candidate) {
  if (!best || size_of(candidate) < size_of(*best)) best = std::move(candidate);
}

void add_windows(Unit& unit, BytesView target) {
  if (unit.length <= kWindowBytes) return;
  for (std::uint64_t at = 0; at < target.size(); at += kWindowBytes) {
    Digest digest =
        sha256(target.subspan(at, std::min<std::uint64_t>(kWindowBytes, target.size() - at)));
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 8; ++i) value |= std::uint64_t{digest.bytes[i]} << (8 * i);
    unit.windows.push_back(value);
  }
}

Result<void> check_decoded(const CodedUnit& coded, BytesView base, BytesView target,
                           const std::stop_token& stop) {
  MemoryFile file(coded.body);
  BaseInMemory old_bytes(base);
  std::uint64_t at = 0;
  Result<void> decoded = decode_unit(coded.unit, file, old_bytes, [&](BytesView part) {
    if (stop.stop_requested()) return Result<void>(cancelled());
    if (part.size() > target.size() - at ||
        !std::equal(part.begin(), part.end(), target.begin() + static_cast<std::ptrdiff_t>(at))) {
      return Result<void>(Error{Code::kInternal, "byte " + std::to_string(at) + " differs"});
    }
    at += part.size();
    return ok();
  });
  if (decoded.ok() && at != target.size()) decoded = Error{Code::kInternal, "it ends early"};
  if (decoded.ok() || decoded.error().code == Code::kCancelled) return decoded;
  return Error{Code::kInternal, "the decoder does not give back what was coded"}.with(
      decoded.error().what);
}

}  // namespace

Result<CodedUnit> best_code(BytesView base, BytesView target, const CandidateOptions& options,
                            std::stop_token stop) {
  std::optional<CodedUnit> best;
  bool prefix = prefix_fits(base, target, options);
  if (prefix) {
    TRY_ASSIGN(CodedUnit coded, code_prefix(base, target, options, stop));
    keep_smaller(best, std::move(coded));
  }
  if (!base.empty()) {
    TRY_ASSIGN(auto predicted, code_predicted(base, target, options, stop));
    if (predicted) keep_smaller(best, std::move(*predicted));
  }
  // Covers without prediction win only where there is nothing to predict.
  if (!base.empty() && (!best || best->unit.method != Method::kPredicted)) {
    TRY_ASSIGN(std::vector<Cover> covers, search_covers(base, target, options.effort, stop));
    for (bool split : {true, false}) {
      if (!split && options.effort < 2) break;
      TRY_ASSIGN(CodedUnit coded, code_covers(covers, base, target, split, options, stop));
      keep_smaller(best, std::move(coded));
    }
  }
  // Compression alone wins only if base and target have nothing in common.
  if (!best || best->body.size() > target.size() / 8) {
    TRY_ASSIGN(CodedUnit coded, code_plain(base, target, options, stop));
    keep_smaller(best, std::move(coded));
  }
  if (stop.stop_requested()) return cancelled();
  add_windows(best->unit, target);
  TRY(check_decoded(*best, base, target, stop));
  return std::move(*best);
}

}  // namespace lineside::delta

// SPDX-License-Identifier: Apache-2.0
#include "delta/codec.h"

#include <lzma.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "delta/mix_codec.h"

namespace lineside::delta {
namespace {

constexpr std::size_t kPortionBytes = 16U << 10;
constexpr std::size_t kLargeStream = 1U << 20;  // worth choosing before trying

Error corrupt(const std::string& why) {
  return {Code::kMalformed, "compressed stream: " + why};
}

// The coded bytes of one stream, portion by portion.
class Portions {
 public:
  Portions(const InputFile& file, std::uint64_t offset, std::uint64_t length)
      : file_(file),
        offset_(offset),
        left_(length),
        buffer_(std::min<std::uint64_t>(kPortionBytes, std::max<std::uint64_t>(length, 1))) {}

  // The next portion; empty at the end.
  Result<BytesView> next() {
    std::size_t want = std::min<std::uint64_t>(buffer_.size(), left_);
    std::span<std::uint8_t> part = std::span(buffer_).first(want);
    TRY_ASSIGN(std::size_t got, file_.read_at(offset_, part));
    if (got != want) return corrupt("the file is cut off");
    offset_ += want;
    left_ -= want;
    return BytesView(part);
  }

 private:
  const InputFile& file_;
  std::uint64_t offset_;
  std::uint64_t left_;
  Bytes buffer_;
};

class StoredDecoder final : public StreamDecoder {
 public:
  StoredDecoder(const InputFile& file, std::uint64_t offset, const StreamInfo& info)
      : StreamDecoder(info.raw_length), file_(file), offset_(offset) {}

 private:
  [[nodiscard]] Result<void> fill(std::span<std::uint8_t> out) override {
    TRY_ASSIGN(std::size_t got, file_.read_at(offset_, out));
    if (got != out.size()) return corrupt("the file is cut off");
    offset_ += got;
    return ok();
  }

  const InputFile& file_;
  std::uint64_t offset_;
};

class ZstdDecoder final : public StreamDecoder {
 public:
  ZstdDecoder(const InputFile& file, std::uint64_t offset, const StreamInfo& info, BytesView prefix)
      : StreamDecoder(info.raw_length),
        portions_(file, offset, info.coded_length),
        context_(ZSTD_createDCtx(), ZSTD_freeDCtx) {
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, info.window_log);
    if (!prefix.empty()) ZSTD_DCtx_refPrefix(context_.get(), prefix.data(), prefix.size());
  }

 private:
  [[nodiscard]] Result<void> fill(std::span<std::uint8_t> out) override {
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    while (output.pos < output.size) {
      if (input_.pos == input_.size) {
        TRY_ASSIGN(BytesView portion, portions_.next());
        input_ = {portion.data(), portion.size(), 0};
      }
      std::size_t before = output.pos;
      bool was_empty = input_.size == 0;
      std::size_t state = ZSTD_decompressStream(context_.get(), &output, &input_);
      if (ZSTD_isError(state) != 0) return corrupt(ZSTD_getErrorName(state));
      if (output.pos == output.size) break;
      if (state == 0) return corrupt("it ends early");
      if (was_empty && output.pos == before) return corrupt("it is cut off");
    }
    return ok();
  }

  Portions portions_;
  std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context_;
  ZSTD_inBuffer input_{nullptr, 0, 0};
};

class LzmaDecoder final : public StreamDecoder {
 public:
  LzmaDecoder(const InputFile& file, std::uint64_t offset, const StreamInfo& info, BytesView prefix)
      : StreamDecoder(info.raw_length), portions_(file, offset, info.coded_length) {
    lzma_options_lzma options{};
    options.dict_size = 1U << info.window_log;
    options.preset_dict = prefix.empty() ? nullptr : prefix.data();
    options.preset_dict_size = static_cast<std::uint32_t>(prefix.size());
    options.lc = info.lzma_props % 9;
    options.lp = info.lzma_props / 9 % 5;
    options.pb = info.lzma_props / 45;
    lzma_set_ext_size(options, info.raw_length);
    lzma_filter chain[] = {{LZMA_FILTER_LZMA1EXT, &options}, {LZMA_VLI_UNKNOWN, nullptr}};
    usable_ = lzma_raw_decoder(&stream_, chain) == LZMA_OK;
  }
  ~LzmaDecoder() override { lzma_end(&stream_); }
  LzmaDecoder(const LzmaDecoder&) = delete;
  LzmaDecoder& operator=(const LzmaDecoder&) = delete;

 private:
  [[nodiscard]] Result<void> fill(std::span<std::uint8_t> out) override {
    if (!usable_) return corrupt("no decoder for its parameters");
    stream_.next_out = out.data();
    stream_.avail_out = out.size();
    while (stream_.avail_out > 0) {
      if (stream_.avail_in == 0) {
        TRY_ASSIGN(BytesView portion, portions_.next());
        stream_.next_in = portion.data();
        stream_.avail_in = portion.size();
      }
      lzma_ret state = lzma_code(&stream_, LZMA_RUN);
      if (stream_.avail_out == 0 && (state == LZMA_OK || state == LZMA_STREAM_END)) break;
      if (state != LZMA_OK) {
        return corrupt("LZMA decoder stopped with " + std::to_string(state));
      }
    }
    return ok();
  }

  Portions portions_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool usable_ = false;
};

class MixStreamDecoder final : public StreamDecoder {
 public:
  MixStreamDecoder(const InputFile& file, std::uint64_t offset, const StreamInfo& info)
      : StreamDecoder(info.raw_length),
        portions_(file, offset, info.coded_length),
        decoder_(info.window_log, [this] { return portions_.next(); }) {}

 private:
  [[nodiscard]] Result<void> fill(std::span<std::uint8_t> out) override {
    return decoder_.read(out);
  }

  Portions portions_;
  MixDecoder decoder_;
};

unsigned window_for(std::uint64_t bytes, unsigned most) {
  unsigned log = static_cast<unsigned>(std::bit_width(std::max<std::uint64_t>(bytes, 2) - 1));
  return std::clamp(log, kMinWindowLog, most);
}

// What an encoder is given between two looks at the stop token: under a second at the highest
// levels.
constexpr std::size_t kStepBytes = 1U << 20;

Error cancelled() {
  return {Code::kCancelled, "compression was stopped"};
}

// One frame into `out`, in pieces so that it can be stopped; the bytes written, or zstd's error.
Result<std::size_t> run_zstd(ZSTD_CCtx* context, BytesView raw, Bytes& out,
                             const std::stop_token& stop) {
  ZSTD_outBuffer output{out.data(), out.size(), 0};
  ZSTD_inBuffer input{raw.data(), 0, 0};
  std::size_t left = 1;
  while (left != 0) {
    if (stop.stop_requested()) return cancelled();
    if (input.pos == input.size) input.size = std::min(raw.size(), input.size + kStepBytes);
    bool last = input.size == raw.size();
    left = ZSTD_compressStream2(context, &output, &input, last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left) != 0) {
      return Error{Code::kInternal, std::string("zstd: ") + ZSTD_getErrorName(left)};
    }
    if (!last) left = 1;
  }
  return output.pos;
}

Result<CodedStream> zstd_frame(BytesView raw, int level, unsigned window_log, BytesView prefix,
                               const std::stop_token& stop) {
  std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, static_cast<int>(window_log));
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, 0);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 0);
  if (raw.size() > (4U << 20)) {
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_enableLongDistanceMatching, 1);
  }
  if (!prefix.empty()) ZSTD_CCtx_refPrefix(context.get(), prefix.data(), prefix.size());
  CodedStream coded;
  coded.data.resize(ZSTD_compressBound(raw.size()));
  ZSTD_CCtx_setPledgedSrcSize(context.get(), raw.size());
  TRY_ASSIGN(std::size_t size, run_zstd(context.get(), raw, coded.data, stop));
  coded.data.resize(size);
  coded.info = {Codec::kZstd, 0, static_cast<std::uint8_t>(window_log), raw.size(), size};
  return coded;
}

struct LzmaParameters {
  unsigned lc, lp, pb;
};

// The whole of `raw`, in pieces so that it can be stopped.
lzma_ret run_lzma(lzma_stream& stream, BytesView raw, const std::stop_token& stop) {
  stream.next_in = raw.data();
  std::size_t given = 0;
  lzma_ret state = LZMA_OK;
  while (state == LZMA_OK && !stop.stop_requested()) {
    std::size_t piece = std::min(raw.size() - given, kStepBytes);
    stream.avail_in += piece;
    given += piece;
    state = lzma_code(&stream, given == raw.size() ? LZMA_FINISH : LZMA_RUN);
  }
  return state;
}

Result<CodedStream> encode_lzma(BytesView raw, LzmaParameters parameters, unsigned window_log,
                                BytesView prefix, int effort, const std::stop_token& stop) {
  lzma_options_lzma options{};
  lzma_lzma_preset(&options, effort > 1 ? 9 | LZMA_PRESET_EXTREME : 6);
  options.dict_size = 1U << window_log;
  options.lc = parameters.lc;
  options.lp = parameters.lp;
  options.pb = parameters.pb;
  options.preset_dict = prefix.empty() ? nullptr : prefix.data();
  options.preset_dict_size = static_cast<std::uint32_t>(prefix.size());
  lzma_filter chain[] = {{LZMA_FILTER_LZMA1EXT, &options}, {LZMA_VLI_UNKNOWN, nullptr}};
  CodedStream coded;
  coded.data.resize(raw.size() + raw.size() / 3 + 128);
  lzma_stream stream = LZMA_STREAM_INIT;
  lzma_ret state = lzma_raw_encoder(&stream, chain);
  if (state == LZMA_OK) {
    stream.next_out = coded.data.data();
    stream.avail_out = coded.data.size();
    state = run_lzma(stream, raw, stop);
  }
  std::size_t size = coded.data.size() - stream.avail_out;
  lzma_end(&stream);
  if (state == LZMA_OK && stop.stop_requested()) return cancelled();
  if (state != LZMA_STREAM_END) {
    return Error{Code::kInternal, "LZMA encoder stopped with " + std::to_string(state)};
  }
  coded.data.resize(size);
  std::uint8_t props =
      static_cast<std::uint8_t>(parameters.lc + 9 * (parameters.lp + 5 * parameters.pb));
  coded.info = {Codec::kLzma, props, static_cast<std::uint8_t>(window_log), raw.size(), size};
  return coded;
}

// Worth its time on the device only for what is a few MiB and clearly smaller.
constexpr std::size_t kMostMixed = 4U << 20;

Result<void> try_mix(BytesView raw, const EncodeOptions& options, CodedStream& best) {
  if (options.mix_log == 0 || raw.size() > kMostMixed) return ok();
  unsigned log = window_for(64 * raw.size(), options.mix_log);
  TRY_ASSIGN(Bytes data, encode_mix(raw, log, options.stop));
  if (data.size() + data.size() / 64 >= best.data.size()) return ok();
  best.info = {Codec::kMix, 0, static_cast<std::uint8_t>(log), raw.size(), data.size()};
  best.data = std::move(data);
  return ok();
}

// Found on shared objects, kernel images and scripts: numbers have no alignment, differences keep
// that of the code they come from, and only text gains from more literal context.
std::vector<LzmaParameters> lzma_parameters(Content content, int effort) {
  switch (content) {
    case Content::kNumbers:
      if (effort < 3) return {{0, 0, 0}};
      return {{0, 0, 0}, {3, 0, 0}, {1, 0, 1}};
    case Content::kDifferences:
      if (effort < 3) return {{0, 0, 2}};
      return {{0, 0, 2}, {0, 2, 2}, {3, 0, 2}, {0, 0, 0}};
    case Content::kData:
      if (effort < 2) return {{3, 0, 2}};
      if (effort < 3) return {{3, 0, 2}, {4, 0, 0}};
      return {{3, 0, 2}, {4, 0, 0}, {2, 2, 2}, {1, 0, 3}};
  }
  return {};
}

// Pieces from all over the stream.
Bytes sample_of(BytesView raw) {
  constexpr std::size_t kPieces = 4;
  constexpr std::size_t kPieceBytes = 64U << 10;
  Bytes sample;
  for (std::size_t i = 0; i < kPieces; ++i) {
    BytesView piece = raw.subspan(raw.size() / kPieces * i, kPieceBytes);
    sample.insert(sample.end(), piece.begin(), piece.end());
  }
  return sample;
}

// Which parameters to spend the time on. A sample ranks them as the whole of a large stream would,
// and the second whole attempt was half of the time that a full delivery took.
Result<std::vector<LzmaParameters>> chosen_parameters(BytesView raw, Content content, int effort,
                                                      const std::stop_token& stop) {
  std::vector<LzmaParameters> choices = lzma_parameters(content, effort);
  if (effort > 2 || choices.size() < 2 || raw.size() < kLargeStream) return choices;
  Bytes sample = sample_of(raw);
  std::size_t best_size = 0;
  LzmaParameters best{};
  for (LzmaParameters choice : choices) {
    TRY_ASSIGN(CodedStream coded,
               encode_lzma(sample, choice, window_for(sample.size(), kMaxWindowLog), {}, 1, stop));
    if (best_size != 0 && coded.data.size() >= best_size) continue;
    best_size = coded.data.size();
    best = choice;
  }
  return std::vector{best};
}

void keep_smaller(CodedStream& best, CodedStream candidate) {
  if (candidate.data.size() < best.data.size()) best = std::move(candidate);
}

}  // namespace

Result<CodedStream> encode(BytesView raw, Content content, const EncodeOptions& options,
                           BytesView prefix) {
  CodedStream best;
  best.info = {Codec::kStored, 0, 0, raw.size(), raw.size()};
  best.data.assign(raw.begin(), raw.end());
  if (raw.empty()) return best;
  unsigned window = window_for(raw.size() + prefix.size(), options.window_log);
  if (prefix.size() + raw.size() > (1ULL << window) && !prefix.empty()) {
    return Error{Code::kUsage, "prefix and data do not fit into the window"};
  }
  // LZMA wins where it is allowed, by all but a few bytes.
  if (!options.lzma) {
    TRY_ASSIGN(CodedStream coded, encode_zstd(raw, options, prefix));
    keep_smaller(best, std::move(coded));
    return best;
  }
  TRY_ASSIGN(auto choices, chosen_parameters(raw, content, options.effort, options.stop));
  for (LzmaParameters parameters : choices) {
    TRY_ASSIGN(CodedStream coded,
               encode_lzma(raw, parameters, window, prefix, options.effort, options.stop));
    keep_smaller(best, std::move(coded));
  }
  if (prefix.empty()) TRY(try_mix(raw, options, best));
  return best;
}

Result<CodedStream> encode_zstd(BytesView raw, const EncodeOptions& options, BytesView prefix) {
  return zstd_frame(raw, options.effort > 1 ? 22 : 9,
                    window_for(raw.size() + prefix.size(), options.window_log), prefix,
                    options.stop);
}

std::uint64_t decoder_memory(const StreamInfo& info) {
  switch (info.codec) {
    case Codec::kStored:
      return 0;
    case Codec::kZstd:
      return (1ULL << info.window_log) + (512U << 10);
    case Codec::kLzma:
      return (1ULL << info.window_log) + (64U << 10);
    case Codec::kMix:
      return MixModel::memory(info.window_log);
  }
  return 0;
}

Result<std::unique_ptr<StreamDecoder>> StreamDecoder::open(const InputFile& file,
                                                           std::uint64_t offset,
                                                           const StreamInfo& info,
                                                           BytesView prefix) {
  std::unique_ptr<StreamDecoder> decoder;
  switch (info.codec) {
    case Codec::kStored:
      decoder = std::make_unique<StoredDecoder>(file, offset, info);
      break;
    case Codec::kZstd:
      decoder = std::make_unique<ZstdDecoder>(file, offset, info, prefix);
      break;
    case Codec::kLzma:
      decoder = std::make_unique<LzmaDecoder>(file, offset, info, prefix);
      break;
    case Codec::kMix:
      decoder = std::make_unique<MixStreamDecoder>(file, offset, info);
      break;
  }
  return decoder;
}

Result<void> StreamDecoder::read(std::span<std::uint8_t> out) {
  if (out.size() > left_) return corrupt("more is asked of it than it holds");
  TRY(fill(out));
  left_ -= out.size();
  return ok();
}

Result<Bytes> decode_all(const InputFile& file, std::uint64_t offset, const StreamInfo& info,
                         std::uint64_t max_bytes, BytesView prefix) {
  if (info.raw_length > max_bytes) {
    return Error{Code::kTooLarge, "compressed stream: " + std::to_string(info.raw_length) +
                                      " bytes, at most " + std::to_string(max_bytes) +
                                      " are allowed"};
  }
  Bytes data(info.raw_length);
  TRY_ASSIGN(auto decoder, StreamDecoder::open(file, offset, info, prefix));
  TRY(decoder->read(data));
  return data;
}

}  // namespace lineside::delta

// SPDX-License-Identifier: Apache-2.0
// General compression of one stream: zstd or LZMA, whichever is smaller, decoded piece by piece in
// memory that is known beforehand. README.md, "Streams".
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>

#include "proto/base/bytes.h"
#include "proto/base/disk.h"
#include "proto/base/result.h"

namespace lineside::delta {

// Values are part of the format.
enum class Codec : std::uint8_t { kStored = 0, kZstd = 1, kLzma = 2, kMix = 3 };

inline constexpr unsigned kMinWindowLog = 12;
inline constexpr unsigned kMaxWindowLog = 27;

// What a decoder must know of a stream.
struct StreamInfo {
  Codec codec = Codec::kStored;
  std::uint8_t lzma_props = 0;  // kLzma: lc + 9 * (lp + 5 * pb), lc + lp <= 4
  std::uint8_t window_log = 0;  // not kStored: kMinWindowLog to kMaxWindowLog
  std::uint64_t raw_length = 0;
  std::uint64_t coded_length = 0;
  bool operator==(const StreamInfo&) const = default;
};

struct CodedStream {
  StreamInfo info;
  Bytes data;
};

// What the bytes are like; guides which parameters are tried.
enum class Content { kNumbers, kDifferences, kData };

struct EncodeOptions {
  bool lzma = true;          // false: zstd alone, which costs a weak device 3 to 5 times less
  unsigned window_log = 23;  // at most
  unsigned mix_log = 0;      // at most, of the context-mixing coder's memory; 0: not to be used
  int effort = 2;            // 1 quick, 2 normal, 3 everything
  std::stop_token stop;      // asked for each MiB: kCancelled
};

// The smallest of the stored and the compressed forms; the same result for the same input. `prefix`
// stands before `raw` for matches and must be given to the decoder too; it must fit into the window
// together with `raw`, which then must be small.
Result<CodedStream> encode(BytesView raw, Content content, const EncodeOptions& options,
                           BytesView prefix = {});

// A zstd frame, whatever its size is, with a window of options.window_log.
Result<CodedStream> encode_zstd(BytesView raw, const EncodeOptions& options, BytesView prefix = {});

// Bytes of memory that decoding takes, the prefix not counted.
std::uint64_t decoder_memory(const StreamInfo& info);

// Reads one coded stream from a file. One thread at a time.
class StreamDecoder {
 public:
  // The stream stands at `offset` of `file`. `file` and `prefix` must outlive the decoder.
  static Result<std::unique_ptr<StreamDecoder>> open(const InputFile& file, std::uint64_t offset,
                                                     const StreamInfo& info, BytesView prefix = {});
  virtual ~StreamDecoder() = default;

  // Fills `out`. kMalformed if the stream is corrupt or holds fewer bytes than `raw_length`, or if
  // `out` goes beyond that.
  [[nodiscard]] Result<void> read(std::span<std::uint8_t> out);
  // Bytes not read yet.
  [[nodiscard]] std::uint64_t left() const { return left_; }

 protected:
  explicit StreamDecoder(std::uint64_t raw_length) : left_(raw_length) {}
  [[nodiscard]] virtual Result<void> fill(std::span<std::uint8_t> out) = 0;

 private:
  std::uint64_t left_;
};

// All of a small stream at once. kTooLarge if raw_length is above `max_bytes`.
Result<Bytes> decode_all(const InputFile& file, std::uint64_t offset, const StreamInfo& info,
                         std::uint64_t max_bytes, BytesView prefix = {});

}  // namespace lineside::delta

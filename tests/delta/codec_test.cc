// SPDX-License-Identifier: Apache-2.0
#include "delta/codec.h"

#include <gtest/gtest.h>

#include "delta/memory_file.h"
#include "delta/mix_codec.h"
#include "delta/varint.h"
#include "tests/delta/trees.h"

namespace lineside::delta {
namespace {

using testing::noise;
using testing::words;

Bytes bytes_of(const std::string& text) {
  return to_bytes(text);
}

TEST(Codec, GivesBackWhatItTook) {
  for (const Bytes& raw : {Bytes(), bytes_of("x"), bytes_of(words(30000, 1)),
                           bytes_of(noise(50000, 2)), Bytes(100000, 0)}) {
    for (bool lzma : {false, true}) {
      for (Content content : {Content::kNumbers, Content::kDifferences, Content::kData}) {
        EncodeOptions options;
        options.lzma = lzma;
        auto coded = encode(raw, content, options);
        ASSERT_TRUE(coded.ok());
        EXPECT_LE(coded->data.size(), raw.size());
        EXPECT_EQ(coded->info.coded_length, coded->data.size());
        MemoryFile file(coded->data);
        auto decoded = decode_all(file, 0, coded->info, raw.size());
        ASSERT_TRUE(decoded.ok()) << decoded.error().describe();
        EXPECT_EQ(*decoded, raw);
      }
    }
  }
}

Bytes mixed_samples() {
  std::string text = words(20000, 3) + noise(3000, 4) + std::string(9000, '\0') + words(9000, 3);
  return bytes_of(text);
}

TEST(Mix, GivesBackWhatItTook) {
  for (unsigned log : {12U, 16U, 21U}) {
    for (const Bytes& raw : {Bytes{0}, Bytes{255}, Bytes(5000, 255), mixed_samples()}) {
      auto coded = encode_mix(raw, log, {});
      ASSERT_TRUE(coded.ok());
      MemoryFile file(*coded);
      StreamInfo info{Codec::kMix, 0, static_cast<std::uint8_t>(log), raw.size(), coded->size()};
      auto decoded = decode_all(file, 0, info, raw.size());
      ASSERT_TRUE(decoded.ok()) << decoded.error().describe();
      EXPECT_EQ(*decoded, raw);
    }
  }
}

// The model is part of the format: another machine, compiler or version of this code must come to
// the same bytes.
TEST(Mix, IsTheSameEverywhere) {
  auto coded = encode_mix(mixed_samples(), 16, {});
  ASSERT_TRUE(coded.ok());
  EXPECT_EQ(sha256(*coded).hex(),
            "270cb911026935d8a30d641075855ec85cec130f47fbfc84239f1deaaa584114");
}

TEST(Mix, WinsOnSmallStreamsAndSaysWhatItTakes) {
  Bytes raw = bytes_of(words(30000, 1));
  EncodeOptions options;
  auto without = encode(raw, Content::kData, options);
  options.mix_log = 18;
  auto with = encode(raw, Content::kData, options);
  ASSERT_TRUE(without.ok() && with.ok());
  EXPECT_EQ(with->info.codec, Codec::kMix);
  EXPECT_LT(with->data.size(), without->data.size());
  EXPECT_LE(with->info.window_log, 18);
  EXPECT_GT(decoder_memory(with->info), 1ULL << with->info.window_log);
}

TEST(Mix, CutOffStreamIsMalformed) {
  Bytes raw = mixed_samples();
  auto coded = encode_mix(raw, 16, {});
  ASSERT_TRUE(coded.ok());
  for (std::size_t length : {std::size_t{0}, std::size_t{1}, coded->size() / 2}) {
    Bytes cut(coded->begin(), coded->begin() + static_cast<std::ptrdiff_t>(length));
    MemoryFile file(cut);
    StreamInfo info{Codec::kMix, 0, 16, raw.size(), length};
    auto decoded = decode_all(file, 0, info, raw.size());
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().code, Code::kMalformed);
  }
}

// What a sample says must hold for the whole: the choice costs next to nothing in size.
TEST(Codec, ALargeStreamIsAsSmallAsIfAllHadBeenTried) {
  Bytes raw = bytes_of(words((1U << 20) + 4321, 9));
  EncodeOptions normal;
  EncodeOptions best;
  best.effort = 3;
  auto quick = encode(raw, Content::kData, normal);
  auto slow = encode(raw, Content::kData, best);
  ASSERT_TRUE(quick.ok() && slow.ok());
  EXPECT_LT(quick->data.size(), slow->data.size() + slow->data.size() / 100);
  MemoryFile file(quick->data);
  auto decoded = decode_all(file, 0, quick->info, raw.size());
  ASSERT_TRUE(decoded.ok()) << decoded.error().describe();
  EXPECT_EQ(*decoded, raw);
}

TEST(Codec, AnyPortionsGiveTheSameBytes) {
  Bytes raw = bytes_of(words(70000, 3));
  for (bool lzma : {false, true}) {
    EncodeOptions options;
    options.lzma = lzma;
    auto coded = encode(raw, Content::kData, options);
    ASSERT_TRUE(coded.ok());
    MemoryFile file(coded->data);
    auto decoder = StreamDecoder::open(file, 0, coded->info);
    ASSERT_TRUE(decoder.ok());
    Bytes all;
    std::mt19937 random(4);
    while ((*decoder)->left() > 0) {
      Bytes part(std::min<std::uint64_t>(1 + random() % 3000, (*decoder)->left()));
      ASSERT_TRUE((*decoder)->read(part).ok());
      all.insert(all.end(), part.begin(), part.end());
    }
    EXPECT_EQ(all, raw);
    Bytes more(1);
    EXPECT_EQ((*decoder)->read(more).error().code, Code::kMalformed);
  }
}

TEST(Codec, PrefixHelpsAndIsNeeded) {
  Bytes prefix = bytes_of(noise(30000, 5));
  Bytes raw = prefix;  // in memory of its own: zstd takes overlap for the end of the prefix
  for (bool lzma : {false, true}) {
    EncodeOptions options;
    options.lzma = lzma;
    auto coded = encode(raw, Content::kData, options, prefix);
    ASSERT_TRUE(coded.ok());
    EXPECT_LT(coded->data.size(), 200U);
    MemoryFile file(coded->data);
    auto decoded = decode_all(file, 0, coded->info, prefix.size(), prefix);
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(*decoded, prefix);
    auto without = decode_all(file, 0, coded->info, prefix.size());
    EXPECT_FALSE(without.ok() && *without == prefix);
  }
}

TEST(Codec, CutStreamIsMalformed) {
  Bytes raw = bytes_of(words(20000, 6));
  for (bool lzma : {false, true}) {
    EncodeOptions options;
    options.lzma = lzma;
    auto coded = encode(raw, Content::kData, options);
    ASSERT_TRUE(coded.ok());
    StreamInfo info = coded->info;
    info.coded_length /= 2;
    MemoryFile file(coded->data);
    auto decoded = decode_all(file, 0, info, raw.size());
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().code, Code::kMalformed);
  }
}

TEST(Codec, WindowIsNoLargerThanAllowedOrNeeded) {
  EncodeOptions options;
  options.window_log = 16;
  auto coded = encode(bytes_of(words(90000, 7)), Content::kData, options);
  ASSERT_TRUE(coded.ok());
  EXPECT_EQ(coded->info.window_log, 16);
  coded = encode(bytes_of(words(3000, 7)), Content::kData, options);
  ASSERT_TRUE(coded.ok());
  EXPECT_EQ(coded->info.window_log, kMinWindowLog);
}

// A large stream at the highest level takes a minute: whoever ends the program does not wait for
// it.
TEST(Codec, AStopEndsTheCompression) {
  Bytes raw = bytes_of(words(3'000'000, 9));
  std::stop_source stop;
  stop.request_stop();
  for (bool lzma : {false, true}) {
    EncodeOptions options;
    options.lzma = lzma;
    options.stop = stop.get_token();
    auto coded = encode(raw, Content::kData, options);
    ASSERT_FALSE(coded.ok());
    EXPECT_EQ(coded.error().code, Code::kCancelled);
  }
}

TEST(Varint, EachNumberHasOneForm) {
  for (std::uint64_t value : {0ULL, 1ULL, 127ULL, 128ULL, 300ULL, 1ULL << 40, ~0ULL}) {
    Bytes out;
    put_varint(out, value);
    ByteReader reader(out, "test");
    auto read = reader.varint("number");
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(*read, value);
    EXPECT_TRUE(reader.at_end());
  }
  for (const Bytes& bad : {Bytes{0x80, 0x00}, Bytes{0x80}, Bytes(11, 0xff),
                           Bytes{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}}) {
    ByteReader reader(bad, "test");
    EXPECT_FALSE(reader.varint("number").ok());
    EXPECT_EQ(reader.left(), bad.size()) << "a failed read consumes nothing";
  }
}

TEST(Varint, FoldingKeepsSmallNumbersSmall) {
  for (std::int64_t value : {0L, -1L, 1L, -64L, 63L, INT64_MAX, INT64_MIN}) {
    EXPECT_EQ(unfold(fold(value)), value);
  }
  EXPECT_EQ(fold(-1), 1U);
}

}  // namespace
}  // namespace lineside::delta

// SPDX-License-Identifier: Apache-2.0
#include "proto/runtime/onnx.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace lineside::runtime {
namespace {

enum Field : std::uint64_t { kIrVersion = 1, kProducer = 2, kProducerVersion = 3, kOpset = 8 };
enum Wire : std::uint64_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

constexpr std::uint64_t kMaxText = 4096;
constexpr int kMaxFields = 4096;

Error malformed(std::uint64_t at, std::string_view expected) {
  return Error{Code::kMalformed, fmt::format("ONNX: {} expected at byte {}", expected, at)};
}

// A protobuf message between two offsets of a file.
class Message {
 public:
  Message(const InputFile& file, std::uint64_t begin, std::uint64_t end)
      : file_(file), at_(begin), end_(end) {}

  [[nodiscard]] bool done() const { return at_ >= end_; }
  [[nodiscard]] std::uint64_t at() const { return at_; }
  [[nodiscard]] std::uint64_t size() const { return end_ - at_; }

  Result<std::uint64_t> varint() {
    std::array<std::uint8_t, 10> bytes{};
    std::size_t want = std::min<std::uint64_t>(bytes.size(), end_ - at_);
    TRY_ASSIGN(std::size_t got, file_.read_at(at_, std::span(bytes).first(want)));
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < got; ++i) {
      out |= static_cast<std::uint64_t>(bytes[i] & 0x7f) << (7 * i);
      if ((bytes[i] & 0x80) == 0) {
        at_ += i + 1;
        return out;
      }
    }
    return malformed(at_, "a varint");
  }

  // The bounds of a length-delimited field, which is passed over.
  Result<Message> inner() {
    TRY_ASSIGN(std::uint64_t size, varint());
    if (size > end_ - at_) return malformed(at_, fmt::format("{} bytes", size));
    Message out(file_, at_, at_ + size);
    at_ += size;
    return out;
  }

  // All of it, as text.
  Result<std::string> text() const {
    if (end_ - at_ > kMaxText) return Error{Code::kTooLarge, "ONNX: a name of more than 4 KiB"};
    std::string out(end_ - at_, '\0');
    auto* data = reinterpret_cast<std::uint8_t*>(out.data());
    TRY_ASSIGN(std::size_t got, file_.read_at(at_, std::span(data, out.size())));
    if (got != out.size()) return malformed(at_ + got, "more of a name");
    return out;
  }

  Result<void> skip(std::uint64_t wire) {
    if (wire == kVarint) {
      TRY(varint());
    } else if (wire == kBytes) {
      TRY(inner());
    } else if (wire == kFixed64 || wire == kFixed32) {
      std::uint64_t size = wire == kFixed64 ? 8 : 4;
      if (size > end_ - at_) return malformed(at_, "a fixed number");
      at_ += size;
    } else {
      return malformed(at_, "a known wire type");
    }
    return ok();
  }

 private:
  const InputFile& file_;
  std::uint64_t at_;
  std::uint64_t end_;
};

Result<void> read_opset(Message message, OnnxFacts& out) {
  if (message.size() > kMaxText) return Error{Code::kTooLarge, "ONNX: an operator set over 4 KiB"};
  std::string domain;
  std::uint64_t version = 0;
  while (!message.done()) {
    TRY_ASSIGN(std::uint64_t key, message.varint());
    if (key == (1 << 3 | kBytes)) {
      TRY_ASSIGN(Message name, message.inner());
      TRY_ASSIGN(domain, name.text());
    } else if (key == (2 << 3 | kVarint)) {
      TRY_ASSIGN(version, message.varint());
    } else {
      TRY(message.skip(key & 7));
    }
  }
  out.opsets[domain.empty() ? "ai.onnx" : domain] = static_cast<std::int64_t>(version);
  return ok();
}

Result<void> read_field(Message& message, OnnxFacts& out) {
  TRY_ASSIGN(std::uint64_t key, message.varint());
  std::uint64_t wire = key & 7;
  std::uint64_t field = key >> 3;
  if (field == 0) return malformed(message.at(), "a field number");
  if (field == kIrVersion && wire == kVarint) {
    TRY_ASSIGN(std::uint64_t value, message.varint());
    out.ir_version = static_cast<std::int64_t>(value);
  } else if (wire == kBytes && (field == kProducer || field == kProducerVersion)) {
    TRY_ASSIGN(Message name, message.inner());
    TRY_ASSIGN((field == kProducer ? out.producer_name : out.producer_version), name.text());
  } else if (wire == kBytes && field == kOpset) {
    TRY_ASSIGN(Message opset, message.inner());
    TRY(read_opset(opset, out));
  } else {
    TRY(message.skip(wire));
  }
  return ok();
}

}  // namespace

Result<OnnxFacts> read_onnx(const InputFile& file) {
  OnnxFacts out;
  Message message(file, 0, file.size());
  for (int fields = 0; !message.done(); ++fields) {
    if (fields == kMaxFields) return Error{Code::kTooLarge, "ONNX: more than 4096 fields"};
    TRY(read_field(message, out));
  }
  if (out.ir_version <= 0 || out.opsets.empty()) {
    return Error{Code::kMalformed, "ONNX: an IR version and operator sets expected"};
  }
  return out;
}

std::optional<std::int64_t> onnxruntime_max_ir(const Version& release) {
  struct Step {
    int first_minor;
    std::int64_t ir;
  };
  static constexpr std::array<Step, 4> kSteps = {{{3, 7}, {9, 8}, {15, 9}, {18, 10}}};
  static const Version after_known = *Version::parse("1.23.dev0");
  if (release.part(0) != Number("1") || release >= after_known) return std::nullopt;
  std::optional<std::int64_t> out;
  for (Step step : kSteps) {
    if (release.part(1) >= Number(std::to_string(step.first_minor))) out = step.ir;
  }
  return out;
}

}  // namespace lineside::runtime

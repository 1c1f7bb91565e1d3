// SPDX-License-Identifier: Apache-2.0
#include "node/check/npy.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

namespace lineside::node {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are read in place");

struct TypeRow {
  Dtype dtype;
  std::string_view name;
  std::string_view descr;
  std::size_t size;
};

constexpr std::array<TypeRow, 12> kTypes = {{
    {Dtype::kBool, "bool", "|b1", 1},
    {Dtype::kInt8, "int8", "|i1", 1},
    {Dtype::kInt16, "int16", "<i2", 2},
    {Dtype::kInt32, "int32", "<i4", 4},
    {Dtype::kInt64, "int64", "<i8", 8},
    {Dtype::kUint8, "uint8", "|u1", 1},
    {Dtype::kUint16, "uint16", "<u2", 2},
    {Dtype::kUint32, "uint32", "<u4", 4},
    {Dtype::kUint64, "uint64", "<u8", 8},
    {Dtype::kFloat16, "float16", "<f2", 2},
    {Dtype::kFloat32, "float32", "<f4", 4},
    {Dtype::kFloat64, "float64", "<f8", 8},
}};

const TypeRow& row_of(Dtype dtype) {
  return kTypes[static_cast<std::size_t>(dtype)];
}

// IEEE 754 binary16.
double half_to_double(std::uint16_t bits) {
  double sign = (bits & 0x8000U) != 0 ? -1.0 : 1.0;
  int exponent = (bits >> 10) & 0x1f;
  int fraction = bits & 0x3ff;
  if (exponent == 31) {
    return fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                         : sign * std::numeric_limits<double>::infinity();
  }
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

template <class T>
T element(const Bytes& data, std::uint64_t index) {
  T value;
  std::memcpy(&value, data.data() + index * sizeof(T), sizeof(T));
  return value;
}

// The header's dictionary; the first error is kept.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, std::string_view name) : text_(text), name_(name) {}

  struct Header {
    std::string descr;
    bool fortran = false;
    std::vector<std::uint64_t> shape;
  };

  Result<Header> read() {
    Header header;
    bool have_descr = false;
    bool have_order = false;
    bool have_shape = false;
    TRY(expect('{'));
    while (!take('}')) {
      TRY_ASSIGN(std::string key, quoted());
      TRY(expect(':'));
      if (key == "descr" && !have_descr) {
        TRY_ASSIGN(header.descr, quoted());
        have_descr = true;
      } else if (key == "fortran_order" && !have_order) {
        TRY_ASSIGN(header.fortran, boolean());
        have_order = true;
      } else if (key == "shape" && !have_shape) {
        TRY_ASSIGN(header.shape, tuple());
        have_shape = true;
      } else {
        return fail("an unknown or repeated key");
      }
      if (!take(',')) {
        TRY(expect('}'));
        break;
      }
    }
    skip_space();
    if (at_ != text_.size()) return fail("text after the dictionary");
    if (!have_descr || !have_order || !have_shape) return fail("a missing key");
    return header;
  }

 private:
  Error fail(std::string_view what) const {
    return {Code::kMalformed, std::string(name_) + ": npy header, character " +
                                  std::to_string(at_) + ": " + std::string(what)};
  }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool take(char wanted) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  Result<void> expect(char wanted) {
    if (!take(wanted)) return fail(std::string("expected '") + wanted + "'");
    return ok();
  }
  Result<std::string> quoted() {
    skip_space();
    if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) {
      return fail("expected a string");
    }
    char quote = text_[at_];
    std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return fail("a string without its end");
    std::string value(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return value;
  }
  Result<bool> boolean() {
    skip_space();
    for (std::string_view word : {std::string_view("True"), std::string_view("False")}) {
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return word == "True";
      }
    }
    return fail("expected True or False");
  }
  Result<std::uint64_t> number() {
    skip_space();
    std::uint64_t value = 0;
    std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      if (value > kMaxTensorBytes) return fail("a dimension that is too large");
      value = value * 10 + static_cast<std::uint64_t>(text_[at_++] - '0');
    }
    if (at_ == begin) return fail("expected a number");
    return value;
  }
  Result<std::vector<std::uint64_t>> tuple() {
    std::vector<std::uint64_t> values;
    TRY(expect('('));
    while (!take(')')) {
      if (values.size() == kMaxDimensions) return fail("too many dimensions");
      TRY_ASSIGN(std::uint64_t value, number());
      values.push_back(value);
      if (!take(',')) {
        TRY(expect(')'));
        break;
      }
    }
    return values;
  }

  std::string_view text_;
  std::string_view name_;
  std::size_t at_ = 0;
};

std::optional<Dtype> dtype_from(std::string_view descr) {
  if (descr.size() < 2) return std::nullopt;
  for (const TypeRow& row : kTypes) {
    if (descr.substr(1) != row.descr.substr(1)) continue;
    bool order_free = row.size == 1;
    if (descr[0] == '<' || descr[0] == row.descr[0] || (order_free && descr[0] == '>')) {
      return row.dtype;
    }
  }
  return std::nullopt;
}

// The number of bytes of a shape; nullopt past the bound.
std::optional<std::uint64_t> bytes_of(const std::vector<std::uint64_t>& shape, std::size_t size) {
  std::uint64_t total = size;
  bool empty = false;
  for (std::uint64_t extent : shape) {
    if (extent == 0) empty = true;
    if (extent != 0 && total > kMaxTensorBytes / extent) return std::nullopt;
    if (extent != 0) total *= extent;
  }
  return empty ? 0 : total;
}

// Fortran order has its first index vary fastest.
Bytes to_c_order(const Tensor& tensor, BytesView body) {
  std::size_t size = dtype_size(tensor.dtype);
  Bytes out(body.size());
  std::vector<std::uint64_t> index(tensor.shape.size(), 0);
  std::uint64_t count = body.size() / size;
  for (std::uint64_t from = 0; from < count; ++from) {
    std::uint64_t to = 0;
    for (std::size_t d = 0; d < index.size(); ++d) to = to * tensor.shape[d] + index[d];
    std::memcpy(out.data() + to * size, body.data() + from * size, size);
    for (std::size_t d = 0; d < index.size() && ++index[d] == tensor.shape[d]; ++d) index[d] = 0;
  }
  return out;
}

// Splits off magic and length; returns the header text and leaves the body in `file`.
Result<std::string_view> split(BytesView& file, const std::string& name) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  if (file.size() < 10 || as_text(file.first(6)) != kMagic) {
    return Error{Code::kMalformed, name + ": byte 0: not an npy file"};
  }
  unsigned major = file[6];
  if (major < 1 || major > 3 || file[7] != 0) {
    return Error{Code::kUnsupported,
                 name + ": npy version " + std::to_string(major) + "." + std::to_string(file[7])};
  }
  std::size_t width = major == 1 ? 2 : 4;
  if (file.size() < 8 + width) return Error{Code::kMalformed, name + ": byte 8: cut short"};
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < width; ++i) {
    length |= static_cast<std::uint64_t>(file[8 + i]) << (8 * i);
  }
  if (length > 65536 || length > file.size() - 8 - width) {
    return Error{Code::kMalformed, name + ": byte 8: header length " + std::to_string(length)};
  }
  std::string_view text = as_text(file.subspan(8 + width, length));
  file = file.subspan(8 + width + length);
  return text;
}

}  // namespace

std::string_view dtype_name(Dtype dtype) {
  return row_of(dtype).name;
}
std::size_t dtype_size(Dtype dtype) {
  return row_of(dtype).size;
}
bool is_float(Dtype dtype) {
  return dtype == Dtype::kFloat16 || dtype == Dtype::kFloat32 || dtype == Dtype::kFloat64;
}

std::uint64_t Tensor::count() const {
  return data.size() / dtype_size(dtype);
}

double Tensor::as_double(std::uint64_t index) const {
  switch (dtype) {
    case Dtype::kBool:
    case Dtype::kUint8:
      return element<std::uint8_t>(data, index);
    case Dtype::kInt8:
      return element<std::int8_t>(data, index);
    case Dtype::kInt16:
      return element<std::int16_t>(data, index);
    case Dtype::kInt32:
      return element<std::int32_t>(data, index);
    case Dtype::kInt64:
      return static_cast<double>(element<std::int64_t>(data, index));
    case Dtype::kUint16:
      return element<std::uint16_t>(data, index);
    case Dtype::kUint32:
      return element<std::uint32_t>(data, index);
    case Dtype::kUint64:
      return static_cast<double>(element<std::uint64_t>(data, index));
    case Dtype::kFloat16:
      return half_to_double(element<std::uint16_t>(data, index));
    case Dtype::kFloat32:
      return element<float>(data, index);
    case Dtype::kFloat64:
      return element<double>(data, index);
  }
  return 0;
}

std::string Tensor::describe() const {
  std::string text(dtype_name(dtype));
  text += " (";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i != 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

Result<Tensor> parse_npy(BytesView file, std::string_view name) {
  std::string where(name);
  TRY_ASSIGN(std::string_view text, split(file, where));
  TRY_ASSIGN(auto header, HeaderReader(text, where).read());
  std::optional<Dtype> dtype = dtype_from(header.descr);
  if (!dtype) {
    return Error{Code::kUnsupported, where + ": npy type '" + header.descr.substr(0, 40) +
                                         "' is no little-endian number"};
  }
  std::optional<std::uint64_t> bytes = bytes_of(header.shape, dtype_size(*dtype));
  if (!bytes) return Error{Code::kTooLarge, where + ": more than 256 MiB of elements"};
  if (*bytes != file.size()) {
    return Error{Code::kMalformed, where + ": expected " + std::to_string(*bytes) +
                                       " bytes of elements, found " + std::to_string(file.size())};
  }
  Tensor tensor{*dtype, std::move(header.shape), {}};
  if (header.fortran && tensor.shape.size() > 1) {
    tensor.data = to_c_order(tensor, file);
  } else {
    tensor.data.assign(file.begin(), file.end());
  }
  return tensor;
}

Bytes serialise_npy(const Tensor& tensor) {
  std::string shape = tensor.describe();
  std::string text = "{'descr': '" + std::string(row_of(tensor.dtype).descr) +
                     "', 'fortran_order': False, 'shape': " + shape.substr(shape.find('(')) + ", }";
  text.append(63 - (text.size() + 10) % 64, ' ');
  text += '\n';
  Bytes out = to_bytes("\x93NUMPY\x01");
  out.push_back(0);
  out.push_back(static_cast<std::uint8_t>(text.size() & 0xff));
  out.push_back(static_cast<std::uint8_t>(text.size() >> 8));
  out.insert(out.end(), text.begin(), text.end());
  out.insert(out.end(), tensor.data.begin(), tensor.data.end());
  return out;
}

}  // namespace lineside::node

// SPDX-License-Identifier: Apache-2.0
#include "node/check/npy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace lineside::node {
namespace {

Bytes file(const std::string& header, const std::string& body, char major = 1) {
  std::string out = "\x93NUMPY";
  out += major;
  out += '\0';
  out += static_cast<char>(header.size() & 0xff);
  out += static_cast<char>(header.size() >> 8);
  if (major > 1) out += std::string(2, '\0');
  return to_bytes(out + header + body);
}

// What numpy 1.24 writes for numpy.save(f, numpy.array([[1.5, -2.0]], dtype='<f4')).
const char kHeader[] =
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }                                "
    "                          \n";
const std::string kBody("\0\0\xc0\x3f\0\0\0\xc0", 8);

TEST(Npy, ReadsWhatNumpyWrites) {
  for (char major : {1, 2, 3}) {
    auto tensor = parse_npy(file(kHeader, kBody, major), "x.npy");
    ASSERT_TRUE(tensor.ok()) << tensor.error().what;
    EXPECT_EQ(tensor->describe(), "float32 (1, 2)");
    EXPECT_EQ(tensor->as_double(0), 1.5);
    EXPECT_EQ(tensor->as_double(1), -2.0);
  }
}

TEST(Npy, RoundTripsEveryType) {
  for (int type = 0; type <= static_cast<int>(Dtype::kFloat64); ++type) {
    auto dtype = static_cast<Dtype>(type);
    Tensor tensor{dtype, {2, 1}, Bytes(2 * dtype_size(dtype), 0)};
    tensor.data[0] = 1;
    auto back = parse_npy(serialise_npy(tensor), "t");
    ASSERT_TRUE(back.ok()) << back.error().what;
    EXPECT_EQ(*back, tensor) << dtype_name(dtype);
  }
}

TEST(Npy, ScalarsAndEmptyArrays) {
  auto scalar = parse_npy(
      file("{'descr': '<f8', 'fortran_order': False, 'shape': (), }\n", std::string(8, '\0')), "s");
  ASSERT_TRUE(scalar.ok()) << scalar.error().what;
  EXPECT_EQ(scalar->count(), 1U);
  auto empty =
      parse_npy(file("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3), }\n", ""), "e");
  ASSERT_TRUE(empty.ok()) << empty.error().what;
  EXPECT_EQ(empty->count(), 0U);
}

TEST(Npy, FortranOrderBecomesCOrder) {
  // numpy.asfortranarray([[0, 1, 2], [3, 4, 5]]).astype('u1')
  std::string body = {0, 3, 1, 4, 2, 5};
  auto tensor =
      parse_npy(file("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n", body), "f");
  ASSERT_TRUE(tensor.ok()) << tensor.error().what;
  EXPECT_EQ(tensor->data, (Bytes{0, 1, 2, 3, 4, 5}));
}

TEST(Npy, HalfPrecisionValues) {
  auto value = [](std::uint16_t bits) {
    Tensor tensor{Dtype::kFloat16, {1}, Bytes(2)};
    std::memcpy(tensor.data.data(), &bits, 2);
    return tensor.as_double(0);
  };
  EXPECT_EQ(value(0x3c00), 1.0);
  EXPECT_EQ(value(0xc000), -2.0);
  EXPECT_EQ(value(0x7bff), 65504.0);
  EXPECT_EQ(value(0x0001), std::ldexp(1.0, -24));
  EXPECT_TRUE(std::isinf(value(0x7c00)));
  EXPECT_TRUE(std::isnan(value(0x7e01)));
}

TEST(Npy, RefusesWhatIsNoNumber) {
  for (const char* descr : {"|O", "<U8", ">f4", "|S3", "<c8", "", "f", "<f16"}) {
    std::string header =
        std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': (1,), }\n";
    auto result = parse_npy(file(header, std::string(16, '\0')), "o");
    ASSERT_FALSE(result.ok()) << descr;
    EXPECT_EQ(result.error().code, Code::kUnsupported) << descr;
  }
}

TEST(Npy, RefusesBrokenHeaders) {
  const char* headers[] = {
      "",
      "{",
      "{}",
      "{'descr': '<f4', 'fortran_order': False}",
      "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,), }",
      "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } import os",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1",
      "{'descr': '<f4",
  };
  for (const char* header : headers) {
    auto result = parse_npy(file(header, "1234"), "h");
    ASSERT_FALSE(result.ok()) << header;
    EXPECT_EQ(result.error().code, Code::kMalformed) << header;
  }
}

TEST(Npy, RefusesShapesThatOverflow) {
  for (const char* shape : {"(4294967296, 4294967296)", "(99999999999999999999,)", "(268435457,)",
                            "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)"}) {
    std::string header =
        std::string("{'descr': '<f4', 'fortran_order': False, 'shape': ") + shape + ", }\n";
    EXPECT_FALSE(parse_npy(file(header, "1234"), "big").ok()) << shape;
  }
}

TEST(Npy, RefusesEveryTruncation) {
  Bytes whole = file(kHeader, kBody);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_npy(BytesView(whole).first(size), "cut").ok()) << size;
  }
  whole.push_back(0);
  EXPECT_FALSE(parse_npy(whole, "long").ok());
}

}  // namespace
}  // namespace lineside::node

// SPDX-License-Identifier: Apache-2.0
#include "node/check/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace lineside::node {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

template <class T>
Tensor tensor(Dtype dtype, std::vector<T> values) {
  Tensor out{dtype, {values.size()}, Bytes(values.size() * sizeof(T))};
  std::memcpy(out.data.data(), values.data(), out.data.size());
  return out;
}
Tensor doubles(std::vector<double> values) {
  return tensor(Dtype::kFloat64, std::move(values));
}

TEST(Compare, FollowsAllcloseOnGoldenRows) {
  struct RowOf {
    double output, golden, rtol, atol;
    bool equal_nan, close;
  };
  // clang-format off
  const RowOf rows[] = {
      {1.0,    1.0,    0,    0,    false, true},
      {1.0011, 1.0,    1e-3, 0,    false, false},
      {1.0009, 1.0,    1e-3, 0,    false, true},
      {0.0001, 0.0,    1e-3, 1e-4, false, true},
      {0.0002, 0.0,    1e-3, 1e-4, false, false},
      {10.0,   11.0,   0.1,  0,    false, true},    // the limit is relative to the golden value
      {11.1,   10.0,   0.1,  0,    false, false},
      {kNan,   1.0,    1,    1,    false, false},
      {1.0,    kNan,   1,    1,    true,  false},
      {kNan,   kNan,   0,    0,    false, false},
      {kNan,   kNan,   0,    0,    true,  true},
      {kInf,   kInf,   0,    0,    false, true},
      {kInf,   -kInf,  1,    1,    false, false},
      {1.0,    kInf,   1,    1,    false, false},   // inf + rtol*inf allows nothing
  };
  // clang-format on
  for (const RowOf& row : rows) {
    Comparison result =
        compare(doubles({row.output}), doubles({row.golden}), {row.rtol, row.atol, row.equal_nan});
    EXPECT_EQ(result.close, row.close) << row.output << " " << row.golden;
    EXPECT_EQ(result.why.empty(), row.close);
  }
}

TEST(Compare, RefusesAnotherTypeOrShape) {
  Tensor floats = tensor<float>(Dtype::kFloat32, {1, 2});
  EXPECT_FALSE(compare(floats, doubles({1, 2}), {}).close);
  Tensor column = doubles({1, 2});
  column.shape = {2, 1};
  Comparison result = compare(column, doubles({1, 2}), {});
  EXPECT_FALSE(result.close);
  EXPECT_EQ(result.why, "float64 (2, 1), expected float64 (2,)");
}

TEST(Compare, IntegersAreExactWhateverTheTolerance) {
  constexpr std::int64_t kBig = (1LL << 53);
  Tensor a = tensor<std::int64_t>(Dtype::kInt64, {kBig});
  Tensor b = tensor<std::int64_t>(Dtype::kInt64, {kBig + 1});
  EXPECT_FALSE(compare(a, b, {1, 1, false}).close);
  EXPECT_TRUE(compare(a, a, {0, 0, false}).close);
}

TEST(Compare, SaysHowManyAndHowFar) {
  Comparison result = compare(doubles({1, 2, 9}), doubles({1, 3, 5}), {0, 0.5, false});
  EXPECT_EQ(result.differing, 2U);
  EXPECT_EQ(result.max_difference, 4);
  EXPECT_NE(result.why.find("element 1: 2, expected 3"), std::string::npos) << result.why;
}

TEST(Within, NaNIsWithinNoBounds) {
  EXPECT_TRUE(within(doubles({0.1, 0.2}), {std::nullopt, 0.2}).close);
  EXPECT_FALSE(within(doubles({0.1, 0.3}), {std::nullopt, 0.2}).close);
  EXPECT_FALSE(within(doubles({-1}), {0.0, std::nullopt}).close);
  EXPECT_FALSE(within(doubles({kNan}), {std::nullopt, 1.0}).close);
  EXPECT_FALSE(within(doubles({kNan}), {0.0, std::nullopt}).close);
}

}  // namespace
}  // namespace lineside::node

// What a result may be, as IEEE 754 has it.
#include "support/compare.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "support/split.hpp"

namespace vknorm::testing {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN(),
                 infinity = std::numeric_limits<double>::infinity();

bool passes(double got, double expected, double bound, double overflow = float32_overflow) {
    return deviation(std::vector<double>{got}, {{expected}, {bound}}, overflow).ratio <= 1;
}

TEST(Compare, WhatIsNoNumberHasToBeNone) {
    EXPECT_TRUE(passes(nan, nan, nan));
    EXPECT_TRUE(passes(-nan, nan, 1));
    EXPECT_FALSE(passes(1, nan, nan));
    EXPECT_FALSE(passes(infinity, nan, nan));
    EXPECT_FALSE(passes(nan, 1, 1e9));
    EXPECT_FALSE(passes(nan, infinity, nan));
}

TEST(Compare, InfinitiesHaveASign) {
    EXPECT_TRUE(passes(infinity, infinity, nan));
    EXPECT_TRUE(passes(-infinity, -infinity, 0));
    EXPECT_FALSE(passes(-infinity, infinity, nan));
    EXPECT_FALSE(passes(3e38, infinity, nan));
    EXPECT_FALSE(passes(infinity, 1, 1e9));
}

TEST(Compare, WhatIsTooLargeRoundsToAnInfinity) {
    EXPECT_TRUE(passes(infinity, 7e59, 1e53));
    EXPECT_TRUE(passes(-infinity, -5e38, 0));
    EXPECT_FALSE(passes(infinity, -5e38, 0));
    EXPECT_FALSE(passes(3.4028234e38, 5e38, 1e33));
    EXPECT_TRUE(passes(infinity, 65520, 0, float16_overflow));
    EXPECT_FALSE(passes(65504, 65520, 0, float16_overflow));
    EXPECT_FALSE(passes(infinity, 65519, 0, float16_overflow));
    EXPECT_TRUE(passes(infinity, 0x1.ffp127, 0, bfloat16_overflow));
    EXPECT_FALSE(passes(infinity, 0x1.fep127, 0, bfloat16_overflow));
    // Counters do not overflow.
    EXPECT_FALSE(passes(infinity, 1e300, 1, no_overflow));
}

TEST(Compare, NearTheLargestNumberEitherWillDo) {
    for (const double expected : {3.40282e38, 3.40283e38}) {
        EXPECT_TRUE(passes(infinity, expected, 1e33));
        EXPECT_TRUE(passes(3.4028234e38, expected, 1e33));
        EXPECT_FALSE(passes(3.4e38, expected, 1e33));
    }
}

TEST(Compare, ABoundThatIsNoNumberAllowsNothing) {
    EXPECT_FALSE(passes(2, 1, nan));
    EXPECT_TRUE(passes(1, 1, nan));
    EXPECT_TRUE(passes(nan, 0, infinity));
}

TEST(Split, KeepsWhatIsEmpty) {
    EXPECT_EQ(split("4x3", 'x'), (std::vector<std::string>{"4", "3"}));
    EXPECT_EQ(split("4x3x", 'x'), (std::vector<std::string>{"4", "3", ""}));
    EXPECT_EQ(split(",a,,", ','), (std::vector<std::string>{"", "a", "", ""}));
    EXPECT_EQ(split("", ','), (std::vector<std::string>{""}));
}

}  // namespace
}  // namespace vknorm::testing

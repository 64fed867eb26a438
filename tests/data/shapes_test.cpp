#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include <vknorm/data.hpp>

#include "support/checksum.hpp"
#include "support/data_files.hpp"

namespace vknorm {
namespace {

TEST(Shapes, AreBalancedAndInRange) {
    const Dataset data = make_shapes(50, 3);
    EXPECT_EQ(data.shape(), (std::vector<uint32_t>{3, 32, 32}));
    EXPECT_EQ(data.inputs.size(), 50u * 3072);
    EXPECT_EQ(data.classes, 10u);
    EXPECT_EQ(data.class_names.size(), 10u);
    EXPECT_EQ(data.class_name(0), "disc, warm");
    EXPECT_EQ(data.class_name(9), "cross, cool");
    for (uint32_t label = 0; label < 10; ++label)
        EXPECT_EQ(std::count(data.labels.begin(), data.labels.end(), label), 5);
    for (const float value : data.inputs) EXPECT_TRUE(value >= 0 && value <= 1);
    EXPECT_EQ(make_shapes(50, 3).inputs, data.inputs);
    EXPECT_NE(make_shapes(50, 4).inputs, data.inputs);
    EXPECT_EQ(test::message_of<std::invalid_argument>([] { make_shapes(0, 1); }),
              "make_shapes: size: got 0, needs 1 to 262144");
}

/// Red minus blue, of the middle of the figure and of a corner, tells warm from cool; grey tells nothing.
TEST(Shapes, ColourTellsWhatIsWarm) {
    const Dataset data = make_shapes(400, 5);
    double light[2] = {0, 0};
    for (size_t i = 0; i < data.size(); ++i) {
        const auto picture = data.example(i);
        double ground = 0;  // red minus blue along the edges
        for (size_t x = 0; x < 32; ++x)
            for (const size_t edge : {x, 31 * 32 + x, 32 * x, 32 * x + 31})
                ground += double{picture[edge]} - double{picture[2048 + edge]};
        EXPECT_EQ(ground < 0, data.labels[i] % 2 == 0) << i;
        for (const float value : picture) light[data.labels[i] % 2] += value;
    }
    EXPECT_NEAR(light[0] / light[1], 1, 0.1);
}

/// The same bits on every platform and with every compiler.
TEST(Shapes, AreTheSameEverywhere) {
    EXPECT_EQ(test::checksum(make_shapes(20, 7)), 3798322431720463827u);
}

}  // namespace
}  // namespace vknorm

#include <algorithm>
#include <array>
#include <cstdio>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include <vknorm/data.hpp>

#include "support/checksum.hpp"
#include "support/data_files.hpp"

namespace vknorm {
namespace {

TEST(Digits, SameBitsOnEveryPlatform) {
    EXPECT_EQ(test::checksum(make_digits(2000, 7)), 8996077018733382014u);
    EXPECT_NE(test::checksum(make_digits(50, 1)), test::checksum(make_digits(50, 2)));
}

TEST(Digits, PicturesAreBalancedLightOnDarkAndInRange) {
    const Dataset data = make_digits(2003, 3);
    EXPECT_EQ(data.features, 784u);
    EXPECT_EQ(data.image_width, 28u);
    EXPECT_EQ(data.image_height, 28u);
    EXPECT_EQ(data.classes, 10u);
    ASSERT_EQ(data.inputs.size(), 2003u * 784u);
    std::array<int, 10> counts{};
    for (size_t i = 0; i < data.size(); ++i) {
        ++counts[data.labels[i]];
        float border = 0, ink = 0;
        for (uint32_t p = 0; p < 784; ++p) {
            const float value = data.example(i)[p];
            ASSERT_TRUE(value >= 0 && value <= 1);
            const uint32_t x = p % 28, y = p / 28;
            (x == 0 || x == 27 || y == 0 || y == 27 ? border : ink) += value;
        }
        EXPECT_GT(ink, 20) << "picture " << i << " is empty";
        EXPECT_LT(ink, 400) << "picture " << i << " is full";
        EXPECT_LT(border, 20) << "picture " << i << " leaves the frame";
    }
    const auto [fewest, most] = std::minmax_element(counts.begin(), counts.end());
    EXPECT_LE(*most - *fewest, 1);
}

/// How many of `test` have the label of the nearest of `examples`.
double nearest_accuracy(const Dataset& examples, const Dataset& test) {
    size_t right = 0;
    for (size_t i = 0; i < test.size(); ++i) {
        const auto picture = test.example(i);
        float least = std::numeric_limits<float>::max();
        uint32_t label = 0;
        for (size_t k = 0; k < examples.size(); ++k) {
            const auto example = examples.example(k);
            float distance = 0;
            for (size_t p = 0; p < picture.size(); ++p)
                distance += (example[p] - picture[p]) * (example[p] - picture[p]);
            if (distance < least) {
                least = distance;
                label = examples.labels[k];
            }
        }
        right += label == test.labels[i];
    }
    return static_cast<double>(right) / static_cast<double>(test.size());
}

// The digits can be told apart, but ten average pictures are not enough for it.
TEST(Digits, AreRecognizableAndVaried) {
    const auto [train, rest] = split(make_digits(3000, 11), 2700, 1);
    Dataset averages{784, 10, 28, 28, std::vector<float>(10 * 784), {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}};
    const auto count = static_cast<float>(train.size()) / 10;
    for (size_t i = 0; i < train.size(); ++i)
        for (size_t p = 0; p < 784; ++p)
            averages.inputs[train.labels[i] * 784 + p] += train.example(i)[p] / count;
    const double by_average = nearest_accuracy(averages, rest), by_picture = nearest_accuracy(train, rest);
    std::printf("accuracy %.3f by the nearest average, %.3f by the nearest picture\n", by_average,
                by_picture);
    EXPECT_GT(by_average, 0.5);
    EXPECT_LT(by_average, 0.85);
    EXPECT_GT(by_picture, 0.75);
}

TEST(Digits, RefusesNoneAndTooMany) {
    EXPECT_EQ(test::message_of<std::invalid_argument>([] { make_digits(0, 1); }),
              "make_digits: size: got 0, needs 1 to 1048576");
    EXPECT_EQ(test::message_of<std::invalid_argument>([] { make_digits(1048577, 1); }),
              "make_digits: size: got 1048577, needs 1 to 1048576");
}

}  // namespace
}  // namespace vknorm

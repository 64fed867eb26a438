// Every operation against the float64 reference over shapes, layouts, offsets and optional arguments.
#include <algorithm>
#include <gtest/gtest.h>

#include "ops/batch_norm_problem.hpp"
#include "support/device_fixture.hpp"

namespace vknorm::testing {
namespace {

using Shape = std::vector<uint32_t>;

/// The same tensor with its channels last.
Shape channels_last(Shape shape) {
    std::rotate(shape.begin() + 1, shape.begin() + 2, shape.end());
    return shape;
}

/// In both layouts, at odd offsets and at aligned ones.
void check_shape(const Shape& shape) {
    std::mt19937_64 random = random_generator();
    for (const Layout layout : {Layout::channels_first, Layout::channels_last}) {
        const BatchNormOptions options{
            .shape = layout == Layout::channels_first ? shape : channels_last(shape), .layout = layout};
        SCOPED_TRACE(::testing::PrintToString(options.shape));
        Problem problem = random_problem(options, random, 0.5f, 2);
        problem.aligned = layout == Layout::channels_first;
        check_everything(problem);
        if (layout == Layout::channels_first && shape.size() > 2) {
            problem.aligned = false;
            check_everything(problem);
        }
    }
}

TEST(BatchNormShapes, Lengths) {
    for (const uint32_t length :
         {1u, 2u, 3u, 4u, 5u, 31u, 32u, 33u, 127u, 128u, 129u, 255u, 256u, 257u, 509u, 1021u}) {
        check_shape({2, 3, length});
    }
}

TEST(BatchNormShapes, RowsOfABatch) {
    for (const uint32_t rows : {2u, 3u, 31u, 33u, 127u, 130u, 1031u, 4099u}) check_shape({rows, 3});
}

TEST(BatchNormShapes, Channels) {
    for (const uint32_t channels : {1u, 3u, 13u, 64u, 1000u}) {
        check_shape({5, channels});
        check_shape({3, channels, 7});
        check_shape({2, channels, 4, 3});
    }
}

TEST(BatchNormShapes, Dimensions) {
    check_shape({9, 5});
    check_shape({3, 5, 11});
    check_shape({3, 5, 7, 6});
    check_shape({2, 5, 3, 4, 7});
}

TEST(BatchNormShapes, ImagesShorterThanABlock) {
    for (const uint32_t length : {1u, 2u, 3u, 5u, 6u, 7u}) check_shape({300, 4, length});
}

TEST(BatchNormShapes, ManyPartials) {
    check_shape({3, 2, 90, 91});    // 16 invocations merge
    check_shape({2, 2, 300, 300});  // a workgroup merges
}

TEST(BatchNormShapes, RandomCases) {
    std::mt19937_64 random = random_generator();
    const auto pick = [&](uint32_t low, uint32_t high) {
        return std::uniform_int_distribution<uint32_t>(low, high)(random);
    };
    for (int i = 0; i < 20; ++i) {
        Shape shape{pick(2, 9), pick(1, 40)};
        const uint32_t dimensions = pick(0, 3);
        for (uint32_t d = 0; d < dimensions; ++d) shape.push_back(pick(1, 12));
        BatchNormOptions options{.shape = shape,
                                 .layout = pick(0, 1) ? Layout::channels_first : Layout::channels_last};
        options.convention.epsilon = pick(0, 1) ? 1e-5f : 1e-2f;
        SCOPED_TRACE("case " + std::to_string(i) + " of --seed " + std::to_string(mode().seed));
        Problem problem = random_problem(options, random, static_cast<float>(pick(0, 100)), 1);
        problem.aligned = pick(0, 1);
        problem.in_place = pick(0, 1);
        if (pick(0, 1)) problem.gamma.clear();
        if (pick(0, 1)) problem.beta.clear();
        if (problem.geometry().values_per_channel() > 1) check_everything(problem);
    }
}

TEST(BatchNormShapes, AffineHalvesAreSeparatelyOptional) {
    std::mt19937_64 random = random_generator();
    for (const Layout layout : {Layout::channels_first, Layout::channels_last}) {
        const Problem whole = random_problem({.shape = {4, 6, 5}, .layout = layout}, random);
        for (const bool gamma : {false, true}) {
            for (const bool beta : {false, true}) {
                Problem problem = whole;
                if (!gamma) problem.gamma.clear();
                if (!beta) problem.beta.clear();
                check_everything(problem);
            }
        }
    }
}

TEST(BatchNormShapes, InPlace) {
    std::mt19937_64 random = random_generator();
    for (const Shape& shape : {Shape{33, 5}, Shape{3, 5, 8, 8}, Shape{3, 5, 7}}) {
        for (const bool aligned : {false, true}) {
            Problem problem = random_problem({.shape = shape}, random);
            problem.aligned = aligned;
            problem.in_place = true;
            check_everything(problem);
        }
    }
}

TEST(BatchNormShapes, OnlyTheWantedGradients) {
    std::mt19937_64 random = random_generator();
    const Problem problem = random_problem({.shape = {5, 6, 9}}, random);
    for (int mask = 0; mask < 8; ++mask) {
        SCOPED_TRACE(mask);
        const Wanted wanted{.dx = (mask & 1) != 0, .dgamma = (mask & 2) != 0, .dbeta = (mask & 4) != 0};
        check_backward(problem, wanted);
        check_backward_frozen(problem, wanted);
    }
}

}  // namespace
}  // namespace vknorm::testing

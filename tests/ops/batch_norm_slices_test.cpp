// Tensors larger than a binding: sliced along images, channels of one image, or positions of one row. With
// --small-limits all of these are; the last test is for real limits.
#include <cmath>
#include <gtest/gtest.h>

#include "ops/batch_norm_problem.hpp"
#include "support/device_fixture.hpp"

namespace vknorm::testing {
namespace {

void check(const BatchNormOptions& options, bool in_place = false) {
    SCOPED_TRACE(::testing::PrintToString(options.shape));
    std::mt19937_64 random = random_generator();
    Problem problem = random_problem(options, random, 10, 1);
    problem.in_place = in_place;
    check_everything(problem);
    problem.aligned = true;
    check_everything(problem);
}

TEST(BatchNormSlices, Images) {
    check({.shape = {37, 13, 9, 8}});
    check({.shape = {37, 13, 9, 7}}, true);
}

TEST(BatchNormSlices, ChannelsOfAnImage) {
    check({.shape = {2, 901, 5, 5}});
    check({.shape = {2, 500, 8, 8}}, true);
}

TEST(BatchNormSlices, PositionsOfARow) {
    check({.shape = {2, 2, 130, 131}});
    check({.shape = {1, 2, 200, 200}}, true);
    check({.shape = {3, 1, 160, 161}});
}

TEST(BatchNormSlices, Rows) {
    check({.shape = {5003, 7}});
    check({.shape = {3, 40, 41, 13}, .layout = Layout::channels_last}, true);
    check({.shape = {20, 3001}});
}

// 129 MiB: more than the smallest binding that Vulkan allows, which is also lavapipe's. The values repeat, so
// that a small problem gives the expected ones.
TEST(BatchNormSlices, MoreThan128MiB) {
    if (mode().small_limits || mode().classic_descriptors)
        GTEST_SKIP() << "slow, and one configuration is enough";
    if (test_device().capabilities().max_storage_buffer_range > (129u << 20)) {
        GTEST_SKIP() << "this device binds 129 MiB at once";
    }
    std::mt19937_64 random = random_generator();
    constexpr uint32_t times = 43;
    const Problem small = random_problem({.shape = {3, 4, 256, 256}}, random, 100, 1);
    Problem large = small;
    large.options.shape[0] *= times;
    large.aligned = large.in_place = true;
    for (uint32_t i = 1; i < times; ++i) {
        large.x.insert(large.x.end(), small.x.begin(), small.x.end());
        large.dy.insert(large.dy.end(), small.dy.begin(), small.dy.end());
    }
    const BatchNorm op(test_device(), large.options);
    EXPECT_NE(op.explain().find("2 slices"), std::string::npos) << op.explain();

    const Forward got = forward_training(large), expected = forward_training(small);
    const Gradients got_back = backward(large, got), expected_back = backward(small, expected);
    const size_t period = small.x.size();
    double worst_y = 0, worst_dx = 0;
    for (size_t i = 0; i < got.y.size(); ++i) {
        worst_y = std::max(worst_y, std::abs(double{got.y[i]} - expected.y[i % period]));
        worst_dx = std::max(worst_dx, std::abs(double{got_back.dx[i]} - expected_back.dx[i % period]));
    }
    EXPECT_LE(worst_y, 2e-6);
    EXPECT_LE(worst_dx, 2e-6);
    for (size_t c = 0; c < 4; ++c) {
        EXPECT_NEAR(got_back.dgamma[c] / times, expected_back.dgamma[c],
                    1e-5 * std::abs(expected_back.dgamma[c]));
        EXPECT_NEAR(got_back.dbeta[c] / times, expected_back.dbeta[c],
                    1e-5 * std::abs(expected_back.dbeta[c]));
    }
}

}  // namespace
}  // namespace vknorm::testing

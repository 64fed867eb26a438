// The README's way of recording into somebody else's command buffer, compiled from the README.
#include <cmath>
#include <gtest/gtest.h>

#include "readme_interop.hpp"
#include "support/device_fixture.hpp"
#include "support/raw_vulkan.hpp"
#include "support/replaced_function.hpp"

namespace vknorm::testing {
namespace {

using detail::Functions;

TEST(Interop, TheReadmesBatchNormRunsInTheCallersCommandBuffer) {
    RawVulkan raw(false);
    constexpr uint32_t images = 8, channels = 3, positions = 50, m = images * positions;
    std::mt19937_64 random = random_generator();
    const auto zeros = [&](size_t count) -> RawVulkan::RawBuffer& {
        return raw.create_buffer(std::vector<float>(count, 0));
    };
    const auto& input = raw.create_buffer(random_floats(random, images * channels * positions, 3, 7));
    const auto& x = zeros(images * channels * positions);
    const auto& y = zeros(images * channels * positions);
    const auto &mean = zeros(2 * channels), &inv_std = zeros(channels);
    {
        Device device = adopt(raw.instance, raw.physical_device, raw.device, raw.queue_family, raw.queue);
        const BatchNorm batch_norm(device, {.shape = {images, channels, 5, 10}});
        const auto& scratch = zeros(batch_norm.scratch_bytes() / sizeof(float));
        const CountedCalls<&Functions::AllocateMemory> allocations(device);
        const CountedCalls<&Functions::QueueSubmit> submissions(device);
        const VkCommandBuffer commands = raw.begin();
        raw.copy_through_set_1(commands, input, x);
        raw.barrier(commands);
        const Recorder recorder = normalize(device, batch_norm, commands,
                                            {.x = x.view(),
                                             .y = y.view(),
                                             .mean = mean.view(),
                                             .inv_std = inv_std.view(),
                                             .scratch = scratch.view()});
        raw.barrier(commands);
        EXPECT_EQ(allocations.count(), 0);
        EXPECT_EQ(submissions.count(), 0);
        raw.submit_and_wait(commands);
    }
    for (uint32_t c = 0; c < channels; ++c) {
        double sum = 0, squares = 0;
        for (uint32_t n = 0; n < images; ++n)
            for (uint32_t p = 0; p < positions; ++p) {
                const double value = y.values[(n * channels + c) * positions + p];
                sum += value / m;
                squares += value * value / m;
            }
        EXPECT_NEAR(sum, 0, 1e-6);
        EXPECT_NEAR(squares, 1, 2e-5);  // var / (var + epsilon)
        EXPECT_NEAR(mean.values[c], 5, 0.5);
    }
}

}  // namespace
}  // namespace vknorm::testing

// Bugs planted on purpose: proof that the validation layer would report them in every other test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/device_fixture.hpp"
#include "support/replaced_function.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::testing {
namespace {

using ::testing::HasSubstr;

constexpr uint32_t vectors = 64, bytes = vectors * 16;

void record_copy(Recorder& recorder, const Buffer& source, const Buffer& target, uint32_t count) {
    const uint32_t constants[] = {64};
    detail::dispatch(recorder, {shaders::copy, constants}, {detail::read(source), detail::write(target)},
                     count, {1});
}

VKAPI_ATTR void VKAPI_CALL no_barrier(VkCommandBuffer, VkPipelineStageFlags, VkPipelineStageFlags,
                                      VkDependencyFlags, uint32_t, const VkMemoryBarrier*, uint32_t,
                                      const VkBufferMemoryBarrier*, uint32_t, const VkImageMemoryBarrier*) {}

// a -> b on one stream, then b -> c on another or on the same, without the barriers that belong between them.
std::string messages_without_barriers(bool two_streams) {
    const Buffer a(test_device(), bytes, "a"), b(test_device(), bytes, "b"), c(test_device(), bytes, "c");
    Stream first(test_device()), second(test_device());
    const ExpectMessages messages;
    {
        const ReplacedFunction replaced(test_device().state().vk.CmdPipelineBarrier, no_barrier);
        record_copy(first.record(), a, b, vectors);
        record_copy((two_streams ? second : first).record(), b, c, vectors);
        first.submit();
        second.submit();
    }
    first.record();  // a submission with its barrier, so that the layer sees what follows as ordered again
    first.wait(first.submit());
    return messages.text();
}

TEST(Canary, MissingBarrierIsReported) {
    if (mode().gpu_assisted)
        GTEST_SKIP() << "synchronization validation is off when GPU-assisted validation is on";
    EXPECT_THAT(messages_without_barriers(false), HasSubstr("SYNC-HAZARD-READ"));
}

TEST(Canary, MissingBarrierBetweenSubmissionsIsReported) {
    if (mode().gpu_assisted)
        GTEST_SKIP() << "synchronization validation is off when GPU-assisted validation is on";
    EXPECT_THAT(messages_without_barriers(true), HasSubstr("SYNC-HAZARD-READ"));
}

TEST(Canary, WriteOutOfBoundsIsReported) {
    if (!mode().gpu_assisted) GTEST_SKIP() << "needs --gpu-assisted";
    const Buffer a(test_device(), 2 * bytes, "a"), b(test_device(), bytes, "b");
    Stream stream(test_device());
    const ExpectMessages messages;
    record_copy(stream.record(), a, b, vectors + 1);
    stream.wait(stream.submit());
    EXPECT_THAT(messages.text(), HasSubstr("out of bounds"));
}

}  // namespace
}  // namespace vknorm::testing

// Bugs planted on purpose: proof that the validation layer would report them in every other test.
#include <gtest/gtest.h>

#include "device_fixture.hpp"
#include "vulkan/recorder_state.hpp"

namespace vknorm::testing {
namespace {

constexpr uint32_t vectors = 64, bytes = vectors * 16;

void record_copy(Recorder& recorder, const Buffer& source, const Buffer& target, uint32_t count) {
    const uint32_t constants[] = {64};
    detail::dispatch(recorder, {shaders::copy, constants}, {detail::read(source), detail::write(target)},
                     count, {1});
}

TEST(Canary, MissingBarrierIsReported) {
    if (mode().gpu_assisted)
        GTEST_SKIP() << "synchronization validation is off when GPU-assisted validation is on";
    const Buffer a(test_device(), bytes, "a"), b(test_device(), bytes, "b"), c(test_device(), bytes, "c");
    Stream stream(test_device());
    const ExpectMessages messages;
    record_copy(stream.record(), a, b, vectors);
    stream.record().state().hazards.clear();  // the recorder now believes that there was a barrier
    record_copy(stream.record(), b, c, vectors);
    EXPECT_TRUE(messages.contain("SYNC-HAZARD-READ-AFTER-WRITE") ||
                messages.contain("SYNC-HAZARD-READ_AFTER_WRITE"))
        << messages.text();
}

TEST(Canary, WriteOutOfBoundsIsReported) {
    if (!mode().gpu_assisted) GTEST_SKIP() << "needs --gpu-assisted";
    const Buffer a(test_device(), 2 * bytes, "a"), b(test_device(), bytes, "b");
    Stream stream(test_device());
    const ExpectMessages messages;
    record_copy(stream.record(), a, b, vectors + 1);
    stream.wait(stream.submit());
    EXPECT_TRUE(messages.contain("out of bounds")) << messages.text();
}

}  // namespace
}  // namespace vknorm::testing

// Dispatches, barriers between them, and descriptor sets.
#include "vulkan/dispatch.hpp"

#include <gtest/gtest.h>

#include "device_fixture.hpp"

namespace vknorm::testing {
namespace {

using detail::read;
using detail::write;

void record_copy(Recorder& recorder, const BufferView& source, const BufferView& target) {
    const uint32_t constants[] = {64};
    const auto count = static_cast<uint32_t>(source.bytes / 16);
    detail::dispatch(recorder, {shaders::copy, constants}, {read(source), write(target)}, count, {4});
}

TEST(Dispatch, CopiesEverySize) {
    std::mt19937_64 random = random_generator();
    Stream stream(test_device());
    for (const uint32_t vectors : {1u, 2u, 3u, 63u, 64u, 65u, 255u, 257u, 1000u, 4096u}) {
        SCOPED_TRACE(vectors);
        const std::vector<float> data = random_floats(random, 4 * vectors);
        const Buffer source(test_device(), 16 * vectors, "source"),
            target(test_device(), 16 * vectors, "target");
        stream.upload(source, data);
        record_copy(stream.record(), source, target);
        EXPECT_EQ(stream.download<float>(target), data);
    }
}

}  // namespace
}  // namespace vknorm::testing

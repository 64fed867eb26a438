// Dispatches: what is bound, the barriers between them, the limits they are held to.
#include "vulkan/dispatch.hpp"

#include <cmath>
#include <deque>
#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "support/device_fixture.hpp"
#include "support/replaced_function.hpp"

namespace vknorm::testing {
namespace {

using detail::Binding;
using detail::Functions;
using detail::read;
using detail::read_write;
using detail::write;
using ::testing::HasSubstr;

constexpr uint32_t workgroup[] = {64};

void record_copy(Recorder& recorder, const BufferView& source, const BufferView& target,
                 uint32_t groups = 4) {
    const auto vectors = static_cast<uint32_t>(source.bytes / 16);
    detail::dispatch(recorder, {shaders::copy, workgroup}, {read(source), write(target)}, vectors, {groups});
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

class DescriptorTest : public ::testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(Paths, DescriptorTest, ::testing::Bool(),
                         [](const auto& instance) { return instance.param ? "Push" : "Classic"; });

// A chain through more sets than one pool holds, twice, so that the pools are also used again.
TEST_P(DescriptorTest, LastForManyDispatchesInOneRecording) {
    DeviceOptions options = test_device_options();
    options.clamp = [](Capabilities& capabilities) {
        mode().clamp(capabilities);
        capabilities.push_descriptors = capabilities.push_descriptors && GetParam();
    };
    Device device(options);
    if (GetParam() && !device.capabilities().push_descriptors) GTEST_SKIP() << "no push descriptors here";

    std::mt19937_64 random = random_generator();
    constexpr size_t links = 300;
    std::deque<Buffer> chain;
    for (size_t i = 0; i <= links; ++i) chain.emplace_back(device, 64, "link");
    Stream stream(device);
    const CountedCalls<&Functions::CreateDescriptorPool> pools(device);
    int pools_of_first_round = 0;
    for (int round = 0; round < 2; ++round) {
        const std::vector<float> data = random_floats(random, 16);
        stream.upload(chain.front(), data);
        const CountedCalls<&Functions::CmdBindDescriptorSets> bound(device);
        for (size_t i = 0; i < links; ++i) record_copy(stream.record(), chain[i], chain[i + 1], 1);
        EXPECT_EQ(stream.download<float>(chain.back()), data);
        EXPECT_EQ(bound.count(), device.capabilities().push_descriptors ? 0 : static_cast<int>(links));
        if (round == 0) pools_of_first_round = pools.count();
    }
    EXPECT_EQ(pools.count(), pools_of_first_round) << "the pools of the first round serve the second";
}

TEST(Dispatch, PlacesABarrierOnlyWhereRangesConflict) {
    const Buffer a(test_device(), 4096, "a"), b(test_device(), 4096, "b");
    const VkDeviceSize half = 2048;
    Stream stream(test_device());
    Recorder& recorder = stream.record();
    const CountedCalls<&Functions::CmdPipelineBarrier> barriers(test_device());
    record_copy(recorder, a.view(0, half), b.view(0, half));
    record_copy(recorder, a.view(half, half), b.view(half, half));
    EXPECT_EQ(barriers.count(), 0);
    record_copy(recorder, b.view(0, half), a.view(0, half));
    EXPECT_EQ(barriers.count(), 1) << "one for the read after write and the write after read";
    record_copy(recorder, b.view(half, half), a.view(half, half));
    EXPECT_EQ(barriers.count(), 1) << "the same barrier";
    detail::fill(recorder, b, 0);
    EXPECT_EQ(barriers.count(), 2);
    detail::copy(recorder, b, a);
    EXPECT_EQ(barriers.count(), 3);
    stream.submit();
    EXPECT_EQ(barriers.count(), 4) << "every submission ends with one";
}

TEST(Dispatch, BindsADummyWhereAnArgumentIsAbsent) {
    const Buffer target(test_device(), 64, "target");
    Stream stream(test_device());
    detail::dispatch(stream.record(), {shaders::copy, workgroup}, {read({}), write(target)}, uint32_t(0),
                     {1});
    detail::dispatch(stream.record(), {shaders::copy, workgroup}, {read(target), write(target.view(16, 0))},
                     uint32_t(0), {1});
    stream.wait(stream.submit());
}

TEST(Dispatch, HoldsOperationsToTheLimits) {
    const Capabilities& limits = test_device().capabilities();
    const Buffer a(test_device(), 1024, "a"), b(test_device(), 1024, "b");
    Stream stream(test_device());
    Recorder& recorder = stream.record();
    const CountedCalls<&Functions::CmdDispatch> dispatches(test_device());
    const CountedCalls<&Functions::CmdPipelineBarrier> barriers(test_device());
    const auto message = [&](std::vector<uint32_t> constants, std::vector<Binding> bindings,
                             detail::Groups groups) {
        const uint32_t vectors = 0;
        try {
            detail::dispatch(recorder, {shaders::copy, constants}, bindings,
                             std::as_bytes(std::span(&vectors, 1)), groups);
        } catch (const std::logic_error& error) {
            return std::string(error.what());
        }
        return std::string("nothing was thrown");
    };
    const std::vector<Binding> good = {read(a), write(b)};
    EXPECT_THAT(message({limits.max_workgroup_invocations + 1}, good, {1}),
                HasSubstr("copy: workgroup size: got "));
    if (limits.max_workgroups < ~0u) {
        EXPECT_THAT(message({64}, good, {limits.max_workgroups + 1}),
                    HasSubstr("copy: workgroups in x: got "));
    }
    const VkDeviceSize too_much = limits.max_storage_buffer_range + 4;
    EXPECT_THAT(message({64}, {read(a), write({b.view().buffer, 0, too_much})}, {1}),
                HasSubstr("copy: bytes of a binding: got " + std::to_string(too_much)));
    EXPECT_THAT(message({64}, {read(a), write(b.view(4, 16))}, {1}),
                HasSubstr("copy: offset of binding 1: got 4"));
    EXPECT_EQ(message({64}, {read(a)}, {1}), "copy: bindings: got 1, needs 2");
    EXPECT_EQ(dispatches.count(), 0);
    EXPECT_EQ(message({64}, good, {0}), "nothing was thrown") << "no workgroups: nothing to do";
    EXPECT_EQ(dispatches.count(), 0);
    EXPECT_EQ(barriers.count(), 0);
}

TEST(Dispatch, AlignDownKeepsTheElements) {
    const VkDeviceSize alignment = test_device().capabilities().storage_buffer_offset_alignment;
    const Buffer buffer(test_device(), 4 * alignment + 64, "buffer");
    const auto aligned = detail::align_down(test_device(), buffer.view(2 * alignment + 12, 20), 4);
    EXPECT_EQ(aligned.view.offset, 2 * alignment);
    EXPECT_EQ(aligned.view.bytes, 32u);
    EXPECT_EQ(aligned.first, 3u);
    EXPECT_EQ(detail::align_down(test_device(), buffer.view(alignment, 20), 4).first, 0u);
    EXPECT_THROW(detail::align_down(test_device(), buffer.view(2, 4), 4), std::logic_error);
}

TEST(Dispatch, FillsAndCopiesExactly) {
    const GuardedBuffer target(40, "target"), source(std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    Stream stream(test_device());
    detail::copy(stream.record(), source, target);
    EXPECT_EQ(stream.download<float>(target), source.download());
    detail::fill(stream.record(), target, 0);
    EXPECT_EQ(stream.download<float>(target), std::vector<float>(10, 0));
    EXPECT_THROW(detail::fill(stream.record(), {target.view().buffer, 2, 4}, 0), std::logic_error);
    EXPECT_THROW(detail::copy(stream.record(), source, {target.view().buffer, 0, 4}), std::logic_error);
}

TEST(GuardedBuffers, StartAsNaNAndNoticeWritesOutside) {
    GuardedBuffer buffer(12, "tensor");
    for (const float value : buffer.download()) EXPECT_TRUE(std::isnan(value));
    EXPECT_NE(buffer.view().offset % 8, 0u);
    buffer.check();

    const BufferView tensor = buffer;
    for (const VkDeviceSize outside : {tensor.offset - 4, tensor.offset + tensor.bytes}) {
        const BufferView word = {tensor.buffer, outside, 4};
        const auto intact = download<uint32_t>(word);
        upload(word, std::vector<uint32_t>{7});
        EXPECT_NONFATAL_FAILURE(buffer.check(), "tensor: written outside of its 12 bytes");
        upload(word, intact);
    }
}

}  // namespace
}  // namespace vknorm::testing

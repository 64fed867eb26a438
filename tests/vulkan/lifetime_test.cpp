// Everything may be destroyed at any time, in any order: what commands use lives until they have run.
#include <cstdlib>
#include <gtest/gtest.h>
#include <memory>
#include <optional>

#include <vknorm/batch_norm.hpp>
#include <vknorm/network.hpp>

#include "support/held_queue.hpp"
#include "support/raw_vulkan.hpp"
#include "support/replaced_function.hpp"
#include "vulkan/device_variants.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::testing {
namespace {

class Lifetime : public DeviceVariants {
  protected:
    VkDeviceSize used() const { return device.memory_use().used; }
    /// Copies `data` to `target` through buffers that are gone when it returns. A kernel and a transfer.
    void copy_through(Stream& stream, const std::vector<float>& data, const Buffer& target) {
        const Buffer first = buffer(data.size(), "first"), second = buffer(data.size(), "second");
        stream.record();  // so that the upload is recorded, too
        stream.upload(first, data);
        const uint32_t constants[] = {64};
        detail::dispatch(stream.record(), {shaders::copy, constants},
                         {detail::read(first), detail::write(second)}, uint32_t(data.size() / 4), {4});
        detail::copy(stream.record(), second, target);
    }
    /// Takes memory that was given back, and writes to it.
    void overwrite(Stream& stream) {
        for (int i = 0; i < 4; ++i) {
            const Buffer other = buffer(small, "other");
            stream.upload(other, std::vector<float>(small, -1));
        }
    }
};

INSTANTIATE_TEST_SUITE_P(Variants, Lifetime, every_variant, name_of);

TEST_P(Lifetime, BuffersMayGoWhileSubmittedCommandsUseThem) {
    if (mode().gpu_assisted) GTEST_SKIP() << HeldQueue::impossible;
    const std::vector<float> data = floats(small);
    const Buffer target = buffer(small, "target");
    Stream stream(device);
    copy_through(stream, floats(small), target);
    (void)stream.download<float>(target);
    const VkDeviceSize before = used();
    {
        HeldQueue held(device);
        copy_through(stream, data, target);
        stream.submit();
        EXPECT_GE(used(), before + 2 * 4 * small);
        Stream other(device);
        overwrite(other);
    }
    EXPECT_EQ(stream.download<float>(target), data);
    EXPECT_EQ(used(), before) << "they were given back";
}

TEST_P(Lifetime, BuffersMayGoWhileRecordedCommandsUseThem) {
    const std::vector<float> data = floats(small);
    const Buffer target = buffer(small, "target");
    Stream stream(device);
    copy_through(stream, data, target);
    Stream other(device);
    overwrite(other);
    EXPECT_EQ(stream.download<float>(target), data);
}

TEST_P(Lifetime, AnExceptionBetweenSubmissionAndWaitIsSurvived) {
    if (mode().gpu_assisted) GTEST_SKIP() << HeldQueue::impossible;
    Stream stream(device);
    const HeldQueue held(device);
    try {
        const BatchNorm batch_norm(device, {.shape = {8, 4, 32}});
        const Buffer x = buffer(small, "x"), y = buffer(small, "y"), running = buffer(4, "running");
        batch_norm.forward_inference(stream.record(),
                                     {.x = x, .y = y, .running_mean = running, .running_var = running});
        stream.submit();
        throw std::runtime_error("the application's");
    } catch (const std::runtime_error&) {
    }
    stream.submit();
}

TEST_P(Lifetime, AStreamDropsWhatWasRecordedAndWaitsForWhatWasSubmitted) {
    const Buffer a = buffer(small, "a"), b = buffer(small, "b");
    Stream stream(device);
    detail::copy(stream.record(), a, b);
    stream.submit();
    detail::copy(stream.record(), b, a);
}

TEST_P(Lifetime, OutOfMemoryWaitsForWhatDestroyedBuffersHad) {
    static PFN_vkAllocateMemory allocate;
    static int failures;
    allocate = device.state().vk.AllocateMemory;
    const ReplacedFunction replaced(
        device.state().vk.AllocateMemory,
        +[](VkDevice d, const VkMemoryAllocateInfo* info, const VkAllocationCallbacks* callbacks,
            VkDeviceMemory* memory) {
            return failures-- > 0 ? VK_ERROR_OUT_OF_DEVICE_MEMORY : allocate(d, info, callbacks, memory);
        });
    constexpr size_t large = 1 << 21;
    failures = 1;
    EXPECT_THROW(buffer(large, "no room"), Error) << "nothing is coming back";
    Stream stream(device);
    failures = 0;
    detail::fill(stream.record(), buffer(large, "gone"), 0);
    stream.submit();
    failures = 1;
    EXPECT_NO_THROW(buffer(large, "another"));
}

/// The device of a test that ends before it waits.
class Impatient : public Lifetime {
  protected:
    Impatient() {
        DeviceOptions options = with_clamp(GetParam().clamp);
        options.farewell = std::chrono::milliseconds(0);
        device = Device(options);
    }
};

INSTANTIATE_TEST_SUITE_P(Variants, Impatient, every_variant, name_of);

TEST_P(Impatient, AStreamMayGoBeforeItsCommandsHaveRun) {
    if (mode().gpu_assisted) GTEST_SKIP() << HeldQueue::impossible;
    const std::vector<float> data = floats(small);
    const Buffer target = buffer(small, "target");
    HeldQueue held(device);
    {
        Stream stream(device, {.timestamps = true});
        copy_through(stream, data, target);
        stream.submit();
        detail::fill(stream.record(), target, 0);
    }
    held.release();
    EXPECT_EQ(Stream(device).download<float>(target), data);
}

TEST_P(Impatient, ANetworkMayGoBeforeItsStepsHaveRun) {
    if (mode().gpu_assisted) GTEST_SKIP() << HeldQueue::impossible;
    HeldQueue held(device);
    {
        Network network(device, {.hidden = {{4}, {4, Norm::layer}}, .max_batch = 4});
        const std::vector<uint32_t> labels = {0, 1, 1, 0};
        (void)network.train_step(floats(8), labels);
        const Ticket ticket = network.train_step(floats(8), labels);
        EXPECT_FALSE(network.reached(ticket));
    }
    held.release();
    device.wait_idle();
}

TEST_P(Lifetime, TheDeviceMayGoFirst) {
    auto temporary = std::make_unique<Device>(with_clamp(GetParam().clamp));
    const BatchNorm batch_norm(*temporary, {.shape = {8, 4, 32}});
    Network network(*temporary, {.hidden = {{4}}, .max_batch = 4});
    const Buffer x(*temporary, 4 * small, "x"), y(*temporary, 4 * small, "y"), ones(*temporary, 16, "ones");
    Stream stream(*temporary);
    temporary.reset();

    const std::vector<float> data = floats(small);
    stream.upload(x, data);
    stream.upload(ones, std::vector<float>(4, 1));
    Device& again = stream.record().device();
    EXPECT_FALSE(again.lost());
    const Buffer zeros(again, 16, "zeros");
    stream.upload(zeros, std::vector<float>(4, 0));
    batch_norm.forward_inference(stream.record(),
                                 {.x = x, .y = y, .running_mean = zeros, .running_var = ones});
    const std::vector<float> result = stream.download<float>(y);
    for (size_t i = 0; i < small; ++i) EXPECT_NEAR(result[i], data[i], 1e-5);
    const std::vector<uint32_t> labels = {0, 1, 1, 0};
    EXPECT_EQ(network.result(network.train_step(floats(8), labels)).step, 1u);
}

TEST(LifetimeOfDevices, CopiesAreTheSameDevice) {
    auto first = std::make_unique<Device>(test_device_options());
    Device second = *first, third = std::move(second);
    EXPECT_EQ(&third.state(), &second.state()) << "a device is never moved from";
    EXPECT_EQ(&third.state(), &first->state());
    first.reset();
    const Buffer buffer(second, 16, "buffer");
    EXPECT_GE(third.memory_use().used, 16u);
}

TEST(LifetimeOfDevices, ARecorderKeepsTheEnginesBuffers) {
    RawVulkan raw;
    const std::vector<float> data(256, 3);
    const auto& result = raw.create_buffer(std::vector<float>(256, 0));
    {
        Device device = Device::adopt(raw.adopted());
        const VkCommandBuffer commands = raw.begin();
        std::optional<Recorder> recorder(std::in_place, device, commands);
        {
            const Buffer own(device, 1024, "own");
            Stream stream(device);
            stream.upload(own, data);
            stream.wait(stream.submit());
            detail::copy(*recorder, own, result.view());
        }
        const Buffer other(device, 1024, "other");
        Stream stream(device);
        stream.upload(other, std::vector<float>(256, -1));
        stream.wait(stream.submit());
        raw.submit_and_wait(commands);
        const MemoryUse before = device.memory_use();
        recorder.reset();
        EXPECT_LE(device.memory_use().used + 1024, before.used) << "it gave the buffer back";
    }
    EXPECT_EQ(std::vector<float>(result.values, result.values + 256), data);
}

/// Made before main(), so that it is destroyed after all that a driver has.
struct Latest {
    std::optional<Device> device;
    std::optional<Stream> stream;
    std::optional<Buffer> buffer;
} latest;

TEST(Exit, StaticObjectsMayOutliveTheDriver) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");  // a driver's threads do not survive a fork
    const auto leave = [] {
        DeviceOptions options = test_device_options();
        options.validation = false;
        Device& device = latest.device.emplace(options);
        latest.stream.emplace(device);
        latest.buffer.emplace(device, small * sizeof(float), "latest");
        detail::fill(latest.stream->record(), *latest.buffer, 0);
        latest.stream->submit();
        std::exit(0);
    };
    EXPECT_EXIT(leave(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace vknorm::testing

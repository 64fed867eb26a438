// The engine on a device, in command buffers and on buffers that belong to a program which knows only Vulkan.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "support/device_fixture.hpp"
#include "support/raw_vulkan.hpp"
#include "support/replaced_function.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::testing {
namespace {

using detail::Functions;
using ::testing::HasSubstr;

constexpr uint32_t count = 4096;

void record_copy(Recorder& recorder, const BufferView& source, const BufferView& target) {
    const uint32_t constants[] = {64};
    detail::dispatch(recorder, {shaders::copy, constants}, {detail::read(source), detail::write(target)},
                     count / 4, {4});
}

std::vector<float> contents(const RawVulkan::RawBuffer& buffer) {
    return {buffer.values, buffer.values + buffer.bytes / sizeof(float)};
}

// theirs -> x | ours: x -> y -> z | theirs -> result, in one command buffer of theirs.
void record_between_their_barriers(bool features) {
    RawVulkan raw(features);
    std::mt19937_64 random = random_generator();
    const std::vector<float> data = random_floats(random, count), zeros(count, 0);
    const auto& input = raw.create_buffer(data);
    const auto &x = raw.create_buffer(zeros), &y = raw.create_buffer(zeros), &z = raw.create_buffer(zeros);
    const auto &result = raw.create_buffer(zeros), &untouched = raw.create_buffer(data);
    {
        Device device = Device::adopt(raw.adopted());
        const CountedCalls<&Functions::AllocateMemory> allocations(device);
        const CountedCalls<&Functions::QueueSubmit> submissions(device);
        const CountedCalls<&Functions::WaitForFences> waits(device);
        const VkCommandBuffer commands = raw.begin();
        raw.copy_through_set_1(commands, input, x);
        raw.barrier(commands);
        Recorder recorder(device, commands);
        record_copy(recorder, x.view(), y.view());
        record_copy(recorder, y.view(), z.view());
        raw.barrier(commands);
        raw.copy_through_set_1(commands, z, result);
        raw.barrier(commands);
        EXPECT_EQ(allocations.count(), 0);
        EXPECT_EQ(submissions.count(), 0);
        EXPECT_EQ(waits.count(), 0);
        raw.submit_and_wait(commands);
    }
    EXPECT_EQ(contents(z), data);
    EXPECT_EQ(contents(result), data);
    EXPECT_EQ(contents(untouched), data);

    const VkCommandBuffer commands = raw.begin();  // their device has outlived ours
    raw.copy_through_set_1(commands, result, x);
    raw.submit_and_wait(commands);
}

TEST(Interop, RecordsBetweenTheCallersBarriers) {
    record_between_their_barriers(true);
}
TEST(Interop, RecordsOnADeviceWithoutExtensions) {
    record_between_their_barriers(false);
}

// Whether somebody holds the mutex that the program lent; asked from another thread, as std::mutex wants it.
std::mutex* lent_mutex;
bool is_held() {
    bool held = false;
    std::thread([&held] {
        held = !lent_mutex->try_lock();
        if (!held) lent_mutex->unlock();
    }).join();
    return held;
}

TEST(Interop, UsesTheCallersQueueUnderTheirMutex) {
    RawVulkan raw;
    lent_mutex = &raw.queue_mutex;
    Device device = Device::adopt(raw.adopted());
    static int submissions, waits;
    submissions = waits = 0;
    static PFN_vkQueueSubmit submit;
    submit = device.state().vk.QueueSubmit;
    const ReplacedFunction replaced_submit(
        device.state().vk.QueueSubmit,
        +[](VkQueue queue, uint32_t n, const VkSubmitInfo* info, VkFence fence) {
            ++submissions;
            EXPECT_TRUE(is_held());
            return submit(queue, n, info, fence);
        });
    static PFN_vkQueueWaitIdle wait_idle;
    wait_idle = device.state().vk.QueueWaitIdle;
    const ReplacedFunction replaced_wait(
        device.state().vk.QueueWaitIdle, +[](VkQueue queue) {
            ++waits;
            EXPECT_TRUE(is_held());
            return wait_idle(queue);
        });

    std::mt19937_64 random = random_generator();
    const std::vector<float> data = random_floats(random, count);
    const auto& foreign = raw.create_buffer(data);
    const Buffer own(device, foreign.bytes, "own");
    Stream stream(device);
    record_copy(stream.record(), foreign.view(), own);
    EXPECT_EQ(stream.download<float>(own), data);
    device.wait_idle();
    EXPECT_GE(submissions, 1);
    EXPECT_EQ(waits, 1);
    EXPECT_FALSE(is_held());
}

TEST(Interop, RejectsIncompleteDevices) {
    RawVulkan raw;
    const auto message = [&](void (*change)(AdoptedDevice&)) {
        AdoptedDevice adopted = raw.adopted();
        change(adopted);
        try {
            const Device device = Device::adopt(adopted);
        } catch (const std::invalid_argument& error) {
            return std::string(error.what());
        }
        return std::string("nothing was thrown");
    };
    EXPECT_EQ(message([](AdoptedDevice& a) { a.instance = VK_NULL_HANDLE; }),
              "AdoptedDevice.instance: got null");
    EXPECT_EQ(message([](AdoptedDevice& a) { a.physical_device = VK_NULL_HANDLE; }),
              "AdoptedDevice.physical_device: got null");
    EXPECT_EQ(message([](AdoptedDevice& a) { a.device = VK_NULL_HANDLE; }), "AdoptedDevice.device: got null");
    EXPECT_EQ(message([](AdoptedDevice& a) { a.queue = VK_NULL_HANDLE; }), "AdoptedDevice.queue: got null");
    EXPECT_THAT(message([](AdoptedDevice& a) { a.queue_family = 99; }),
                HasSubstr("AdoptedDevice.queue_family: got 99, the device has "));
    EXPECT_EQ(message([](AdoptedDevice& a) { a.api_version = VK_API_VERSION_1_0; }),
              "AdoptedDevice.api_version: got 1.0, needs at least 1.1");
}

TEST(Interop, UsesTheCallersPipelineCache) {
    RawVulkan raw;
    AdoptedDevice adopted = raw.adopted();
    static VkPipelineCache seen;
    seen = VK_NULL_HANDLE;
    const auto create = reinterpret_cast<PFN_vkCreatePipelineCache>(
        raw.vk.GetDeviceProcAddr(raw.device, "vkCreatePipelineCache"));
    const auto destroy = reinterpret_cast<PFN_vkDestroyPipelineCache>(
        raw.vk.GetDeviceProcAddr(raw.device, "vkDestroyPipelineCache"));
    VkPipelineCacheCreateInfo info = {VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
    ASSERT_EQ(create(raw.device, &info, nullptr, &adopted.pipeline_cache), VK_SUCCESS);
    {
        Device device = Device::adopt(adopted);
        static PFN_vkCreateComputePipelines original;
        original = device.state().vk.CreateComputePipelines;
        const ReplacedFunction replaced(
            device.state().vk.CreateComputePipelines,
            +[](VkDevice d, VkPipelineCache cache, uint32_t n, const VkComputePipelineCreateInfo* infos,
                const VkAllocationCallbacks* callbacks, VkPipeline* pipelines) {
                seen = cache;
                return original(d, cache, n, infos, callbacks, pipelines);
            });
        const auto& x = raw.create_buffer(std::vector<float>(count, 1));
        const auto& y = raw.create_buffer(std::vector<float>(count, 0));
        Stream stream(device);
        record_copy(stream.record(), x.view(), y.view());
        stream.wait(stream.submit());
        EXPECT_EQ(contents(y), contents(x));
    }
    EXPECT_EQ(seen, adopted.pipeline_cache);
    destroy(raw.device, adopted.pipeline_cache, nullptr);
}

// A heap of 32 MiB, as far as the engine can see.
TEST(Interop, KeepsWithinASmallHeap) {
    RawVulkan raw;
    static PFN_vkGetInstanceProcAddr get;
    static PFN_vkGetPhysicalDeviceMemoryProperties2 properties;
    get = raw.vk.GetInstanceProcAddr;
    properties = raw.vk.GetPhysicalDeviceMemoryProperties2;
    AdoptedDevice adopted = raw.adopted();
    adopted.get_instance_proc_addr = [](VkInstance instance, const char* name) -> PFN_vkVoidFunction {
        const PFN_vkGetPhysicalDeviceMemoryProperties2 small = [](VkPhysicalDevice device,
                                                                  VkPhysicalDeviceMemoryProperties2* result) {
            properties(device, result);
            for (VkMemoryHeap& heap : result->memoryProperties.memoryHeaps) heap.size = 32 << 20;
            auto* budget = static_cast<VkPhysicalDeviceMemoryBudgetPropertiesEXT*>(result->pNext);
            for (uint32_t i = 0; budget && i < VK_MAX_MEMORY_HEAPS; ++i) budget->heapBudget[i] = 32 << 20;
        };
        if (std::string_view(name) == "vkGetPhysicalDeviceMemoryProperties2")
            return reinterpret_cast<PFN_vkVoidFunction>(small);
        return get(instance, name);
    };
    Device device = Device::adopt(adopted);
    std::vector<Buffer> buffers;
    try {
        for (int i = 0; i < 100; ++i) buffers.emplace_back(device, 1 << 20, "a MiB");
        FAIL() << "must throw";
    } catch (const Error& error) {
        EXPECT_EQ(error.result(), VK_ERROR_OUT_OF_DEVICE_MEMORY);
        EXPECT_THAT(error.what(),
                    HasSubstr("Buffer \"a MiB\": needs 1 MiB of device memory, has 0 MiB left of 32 MiB"));
    }
    EXPECT_GE(buffers.size(), 20u) << "the heap can be used to its end";
    EXPECT_LE(device.memory_use().reserved, 32u << 20);
    buffers.clear();
    const Buffer afterwards(device, 8 << 20, "afterwards");
}

}  // namespace
}  // namespace vknorm::testing

// Buffers and the memory behind them.
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include <vknorm/buffer.hpp>

#include "support/device_fixture.hpp"
#include "support/replaced_function.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::testing {
namespace {

using ::testing::HasSubstr;

class MemoryTest : public ::testing::Test {
  protected:
    Device device{test_device_options()};
    const MemoryUse before = device.memory_use();
};

TEST_F(MemoryTest, SmallBuffersShareOneAllocation) {
    {
        std::vector<Buffer> buffers;
        for (int i = 0; i < 100; ++i) buffers.emplace_back(device, 1000, "small");
        EXPECT_EQ(device.memory_use().allocations, before.allocations);
        EXPECT_GE(device.memory_use().used, before.used + 100 * 1000);
        EXPECT_LE(device.memory_use().used, device.memory_use().reserved);
    }
    EXPECT_EQ(device.memory_use().used, before.used);
}

TEST_F(MemoryTest, LargeBuffersHaveTheirOwnAllocationAndReturnIt) {
    {
        const Buffer large(device, 70 << 20, "large");
        EXPECT_EQ(device.memory_use().allocations, before.allocations + 1);
        EXPECT_GE(device.memory_use().reserved, before.reserved + (70 << 20));
    }
    EXPECT_EQ(device.memory_use().allocations, before.allocations);
    EXPECT_EQ(device.memory_use().reserved, before.reserved);
}

TEST_F(MemoryTest, LittleMoreIsAllocatedThanBuffersHave) {
    std::vector<Buffer> buffers;
    VkDeviceSize bytes = 0;
    for (const VkDeviceSize each : {4 << 20, 4 << 20, 256, 256, 512, 256, 4 << 20, 4 << 20, 5000}) {
        buffers.emplace_back(device, each, "tensor");
        bytes += each;
    }
    EXPECT_LE(device.memory_use().reserved, bytes + bytes / 50);
}

TEST_F(MemoryTest, KeepsOneEmptyBlockForWhatComesNext) {
    const CountedCalls<&detail::Functions::AllocateMemory> allocations(device);
    for (int i = 0; i < 10; ++i) const Buffer readback(device, 1000, "readback", Memory::readback);
    EXPECT_LE(allocations.count(), 1);
}

TEST_F(MemoryTest, OutOfMemoryNamesTheBufferAndLeavesTheDeviceUsable) {
    for (const VkDeviceSize bytes : {VkDeviceSize(1) << 40, ~VkDeviceSize(0)}) {
        try {
            const Buffer huge(device, bytes, "huge");
            FAIL() << "must throw";
        } catch (const Error& error) {
            EXPECT_EQ(error.result(), VK_ERROR_OUT_OF_DEVICE_MEMORY);
            EXPECT_THAT(error.what(), HasSubstr("Buffer \"huge\""));
        }
    }
    EXPECT_EQ(device.memory_use().used, before.used);
    EXPECT_EQ(device.memory_use().reserved, before.reserved);

    Stream stream(device);
    const Buffer small(device, 16, "small");
    const std::vector<float> data = {1, 2, 3, 4};
    stream.upload(small, data);
    EXPECT_EQ(stream.download<float>(small), data);
}

TEST_F(MemoryTest, AUselessMappedPointerIsAnError) {
    for (const uintptr_t address : {uintptr_t(0), ~uintptr_t(0)}) {
        static void* reported;
        reported = reinterpret_cast<void*>(address);
        const ReplacedFunction replaced(
            device.state().vk.MapMemory,
            +[](VkDevice, VkDeviceMemory, VkDeviceSize, VkDeviceSize, VkMemoryMapFlags, void** result) {
                *result = reported;
                return VK_SUCCESS;
            });
        EXPECT_THROW(Buffer(device, 80 << 20, "large", Memory::upload), Error);
    }
    EXPECT_EQ(device.memory_use().allocations, before.allocations);
    const Buffer afterwards(device, 16, "afterwards", Memory::upload);
}

TEST_F(MemoryTest, MappedMemoryIsWhereItWasAskedFor) {
    const Buffer upload(device, 64, "upload", Memory::upload),
        readback(device, 64, "readback", Memory::readback);
    ASSERT_NE(upload.mapped(), nullptr);
    ASSERT_NE(readback.mapped(), nullptr);
    const Buffer local(device, 64, "local");
    EXPECT_EQ(local.mapped() != nullptr, device.capabilities().mapped_device_memory);

    std::memset(upload.mapped(), 0x5a, 64);
    Stream stream(device);
    detail::copy(stream.record(), upload, readback);
    stream.wait(stream.submit());
    EXPECT_EQ(std::memcmp(readback.mapped(), upload.mapped(), 64), 0);
}

TEST_F(MemoryTest, BuffersMoveAndRejectWrongRanges) {
    EXPECT_THROW(Buffer(device, 0, "empty"), std::invalid_argument);
    Buffer a(device, 64, "a");
    const VkBuffer handle = a.view().buffer;
    EXPECT_EQ(a.view(16, 48).offset, 16u);
    EXPECT_THROW(a.view(16, 49), std::invalid_argument);
    EXPECT_THROW(a.view(65, 0), std::invalid_argument);
    EXPECT_THROW(a.view(1, ~VkDeviceSize(0)), std::invalid_argument);

    Buffer b(device, 32, "b");
    b = std::move(a);
    EXPECT_EQ(b.view().buffer, handle);
    EXPECT_FALSE(a.view());
    EXPECT_EQ(a.bytes(), 0u);
    b = Buffer();
    EXPECT_EQ(device.memory_use().used, before.used);
}

TEST_F(MemoryTest, ThreadsMayAllocateAtOnce) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([this] {
            std::vector<Buffer> buffers;
            for (int j = 0; j < 50; ++j) {
                buffers.emplace_back(device, 100 + j, "buffer");
                if (j % 3 == 0) buffers.erase(buffers.begin());
            }
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(device.memory_use().used, before.used);
}

}  // namespace
}  // namespace vknorm::testing

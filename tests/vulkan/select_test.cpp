#include "vulkan/select.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vulkan/capabilities.hpp"

namespace vknorm::detail {
namespace {

using ::testing::HasSubstr;

DeviceInfo made_up(const char* name, VkPhysicalDeviceType type, const char* rejected = "") {
    DeviceInfo info = {};
    info.name = name;
    info.driver = "driver of " + info.name;
    info.type = type;
    info.rejected = rejected;
    info.uuid[0] = 0xab;
    info.uuid[15] = static_cast<uint8_t>(name[0]);
    return info;
}

const std::vector<DeviceInfo> devices = {
    made_up("software", VK_PHYSICAL_DEVICE_TYPE_CPU),
    made_up("Radeon old", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, "has Vulkan 1.0, needs 1.1"),
    made_up("Laptop", VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU),
    made_up("Radeon new", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU),
    made_up("Radeon second", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU),
};

std::string message(std::span<const DeviceInfo> list, std::string_view select) {
    try {
        choose(list, select);
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing was thrown";
}

TEST(Select, TakesTheBestUsableDevice) {
    EXPECT_EQ(choose(devices, ""), 3u);
    EXPECT_EQ(choose(std::span(devices).first(3), ""), 2u);
    EXPECT_EQ(choose(std::span(devices).first(1), ""), 0u);
}

TEST(Select, MatchesNameDriverOrUuid) {
    EXPECT_EQ(choose(devices, "rAdEoN"), 3u);
    EXPECT_EQ(choose(devices, "second"), 4u);
    EXPECT_EQ(choose(devices, "Driver of soft"), 0u);
    EXPECT_EQ(choose(devices, "AB00000000000000000000000000004c"), 2u);  // 4c is the L of Laptop
}

TEST(Select, RefusesDevicesThatCannotDoAllKernels) {
    VkPhysicalDeviceProperties properties = {};
    properties.apiVersion = VK_API_VERSION_1_1;
    properties.limits.maxPerStageDescriptorStorageBuffers = needed_storage_buffers;
    EXPECT_EQ(shortcoming(properties), "");
    properties.limits.maxPerStageDescriptorStorageBuffers = 4;
    EXPECT_EQ(shortcoming(properties),
              "has 4 storage buffers for a shader, needs " + std::to_string(needed_storage_buffers));
    properties.apiVersion = VK_API_VERSION_1_0;
    EXPECT_EQ(shortcoming(properties), "has Vulkan 1.0, needs 1.1");
}

TEST(Select, SaysWhyEachDeviceIsNotIt) {
    const std::string text = message(devices, "old");
    EXPECT_THAT(text, HasSubstr("no usable Vulkan device matches \"old\":"));
    EXPECT_THAT(text, HasSubstr("\n  software (driver of software, UUID ab0000000000000000000000000000"
                                "73): does not match"));
    EXPECT_THAT(text,
                HasSubstr("\n  Radeon old (driver of Radeon old, UUID ab000000000000000000000000000052): "
                          "has Vulkan 1.0, needs 1.1"));
    EXPECT_THAT(message(std::span(devices).subspan(1, 1), ""),
                HasSubstr("no usable Vulkan device:\n  Radeon old"));
    EXPECT_THAT(message({}, ""), HasSubstr("apt install mesa-vulkan-drivers"));
}

}  // namespace
}  // namespace vknorm::detail

// Opening a device: choosing it, what it reports, how it fails.
#include <algorithm>
#include <cctype>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vknorm/device.hpp>

#include "support/device_fixture.hpp"
#include "vulkan/functions.hpp"

namespace vknorm::testing {
namespace {

using ::testing::HasSubstr;

TEST(Device, IsEnumerated) {
    const std::vector<DeviceInfo> devices = enumerate_devices();
    const auto same = [](const DeviceInfo& info) { return info.uuid == test_device().info().uuid; };
    EXPECT_EQ(std::count_if(devices.begin(), devices.end(), same), 1);
}

TEST(Device, IsSelectedByUuidNameOrDriver) {
    const DeviceInfo& info = test_device().info();
    std::string upper_name = info.name;
    for (char& c : upper_name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    for (const std::string& select : {info.uuid_text(), info.name, upper_name, info.driver}) {
        SCOPED_TRACE(select);
        DeviceOptions options = test_device_options();
        options.select = select;
        const Device device(options);
        EXPECT_EQ(device.info().uuid_text(), info.uuid_text());
    }
}

TEST(Device, ErrorListsEveryDeviceAndItsReason) {
    try {
        const Device device({.select = "no such device"});
        FAIL() << "must throw";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("no usable Vulkan device matches \"no such device\""));
        for (const DeviceInfo& info : enumerate_devices()) EXPECT_THAT(error.what(), HasSubstr(info.name));
        EXPECT_THAT(error.what(), HasSubstr("does not match"));
    }
}

TEST(Device, MissingLoaderSymbolsAreNamed) {
    const PFN_vkGetInstanceProcAddr nothing =
        +[](VkInstance, const char*) -> PFN_vkVoidFunction { return nullptr; };
    detail::Functions functions;
    try {
        functions.load_global(nothing);
        FAIL() << "must throw";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("vkCreateInstance is missing"));
    }
}

TEST(Device, CapabilitiesMeetTheFloorAndTheClamp) {
    const Capabilities& capabilities = test_device().capabilities();
    if (mode().small_limits) {
        EXPECT_EQ(capabilities.max_storage_buffer_range, 64u << 10);
        EXPECT_EQ(capabilities.max_workgroups, 7u);
        EXPECT_FALSE(capabilities.timeline_semaphores || capabilities.push_descriptors);
        return;
    }
    EXPECT_GE(capabilities.max_workgroup_invocations, 128u);
    EXPECT_GE(capabilities.max_workgroups, 65535u);
    EXPECT_GE(capabilities.max_shared_bytes, 16384u);
    EXPECT_GE(capabilities.max_storage_buffer_range, 1u << 27);
    EXPECT_EQ(capabilities.push_descriptors && (mode().classic_descriptors || mode().gpu_assisted), false);
}

TEST(Device, WaitsUntilIdle) {
    test_device().wait_idle();
}

}  // namespace
}  // namespace vknorm::testing

#include "support/fault_sweep.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>

#include "support/device_fixture.hpp"
#include "support/failing_memory.hpp"
#include "support/faulty_vulkan.hpp"
#include "vulkan/device_state.hpp"

namespace vknorm::testing {

namespace {

using ::testing::HasSubstr;

FaultPoints points;

// No step has so many: what never succeeds is a failure.
constexpr int most_attempts = 20000;

}  // namespace

FaultyDevice::FaultyDevice(const std::function<void(Capabilities&)>& clamp)
    : device(Device::adopt(adopted(clamp))) {}

AdoptedDevice FaultyDevice::adopted(const std::function<void(Capabilities&)>& clamp) {
    AdoptedDevice adopted = raw.adopted();
    adopted.get_instance_proc_addr = faulty_get_instance_proc_addr;
    adopted.clamp = [clamp](Capabilities& capabilities) {
        mode().clamp(capabilities);
        if (clamp) clamp(capabilities);
    };
    return adopted;
}

void sweep_calls(Device& device, const std::function<void()>& step, Repeat repeat) {
    begin_sweep({VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_INITIALIZATION_FAILED,
                 VK_ERROR_MEMORY_MAP_FAILED, VK_ERROR_OUT_OF_POOL_MEMORY, VK_ERROR_DEVICE_LOST});
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        std::optional<VkResult> thrown;
        std::string message;
        begin_attempt();
        try {
            step();
        } catch (const Error& error) {
            thrown = error.result();
            message = error.what();
        }
        end_faults();
        const std::string call = failed_call();
        if (call.empty()) {
            EXPECT_FALSE(thrown) << message;
            return;
        }
        ++points.calls;
        const bool lost = failed_result() == VK_ERROR_DEVICE_LOST;
        EXPECT_EQ(device.lost(), lost) << call;
        if (thrown) {
            EXPECT_EQ(*thrown, failed_result()) << message;
            EXPECT_THAT(message, HasSubstr(call + " failed with " + detail::result_name(failed_result())));
        }
        if (lost) {
            EXPECT_THROW(step(), Error) << call;
        }
        device.state().lost = false;
        if (::testing::Test::HasFailure() || (!thrown && repeat == Repeat::forbidden)) return;
    }
    ADD_FAILURE() << "does not succeed; last failed " << failed_call();
}

void sweep_allocations(const std::function<void()>& step, Repeat repeat) {
    for (long allocation = 1; allocation < most_attempts; ++allocation) {
        bool thrown = false;
        plan_bad_alloc(allocation);
        try {
            step();
        } catch (const std::bad_alloc&) {
            thrown = true;
        }
        if (!end_bad_alloc()) return;
        ++points.allocations;
        if (!thrown && repeat == Repeat::forbidden) return;
    }
    ADD_FAILURE() << "does not succeed";
}

FaultPoints fault_points() {
    return points;
}

}  // namespace vknorm::testing

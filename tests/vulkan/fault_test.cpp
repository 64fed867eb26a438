// Every Vulkan call of a typical program fails once, in every way: the documented error comes out, nothing
// leaks (the validation layer would tell), out of memory passes, a lost device stays lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>

#include "support/device_fixture.hpp"
#include "support/faulty_vulkan.hpp"
#include "support/raw_vulkan.hpp"
#include "vulkan/device_state.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::testing {
namespace {

using ::testing::HasSubstr;

constexpr VkResult results[] = {VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY,
                                VK_ERROR_DEVICE_LOST};

class Faults : public ::testing::TestWithParam<VkResult> {
  protected:
    ~Faults() override { end_faults(); }
};

INSTANTIATE_TEST_SUITE_P(Results, Faults, ::testing::ValuesIn(results), [](const auto& instance) {
    return std::string(detail::result_name(instance.param) + 9);
});

// Uses everything: buffers, uploads, dispatch, label with timestamps, waits, downloads, timings.
void use(Device& device) {
    const std::vector<float> data(256, 3);
    const Buffer source(device, 1024, "source"), target(device, 1024, "target");
    Stream stream(device, {.timestamps = true});
    stream.record();
    stream.upload(source, data);
    {
        const detail::Label label(stream.record(), "copy");
        const uint32_t constants[] = {64};
        detail::dispatch(stream.record(), {shaders::copy, constants},
                         {detail::read(source), detail::write(target)}, uint32_t(64), {1});
    }
    const Ticket ticket = stream.submit();
    stream.wait(ticket);
    EXPECT_EQ(stream.download<float>(target), data);
    stream.timings(ticket);
    device.wait_idle();
}

// Runs `program` with its 1st, 2nd, ... call failing, until none does. `program` throws what the engine
// throws.
template <class Program>
void sweep(VkResult result, Program program) {
    int runs = 0;
    for (bool reached = true; reached; ++runs) {
        plan_fault(runs + 1, result);
        std::string message;
        try {
            program();
        } catch (const Error& error) {
            EXPECT_EQ(error.result(), result) << error.what();
            message = error.what();
        }
        reached = !failed_call().empty();
        // Some failures are survived; those that are not must name the call.
        if (!message.empty()) {
            EXPECT_THAT(message, HasSubstr(failed_call() + " failed with " + detail::result_name(result)));
        }
        end_faults();
        if (::testing::Test::HasFailure()) {
            ADD_FAILURE() << "call " << runs + 1 << ", " << failed_call();
            return;
        }
    }
    std::cout << runs << " runs\n";
}

TEST_P(Faults, WhileADeviceIsAdoptedAndUsed) {
    RawVulkan raw;
    AdoptedDevice adopted = raw.adopted();
    adopted.get_instance_proc_addr = faulty_get_instance_proc_addr;
    sweep(GetParam(), [&] {
        Device device = Device::adopt(adopted);
        try {
            use(device);
        } catch (const Error&) {
            end_faults();
            EXPECT_EQ(device.lost(), GetParam() == VK_ERROR_DEVICE_LOST);
            if (device.lost())
                EXPECT_THROW(use(device), Error);
            else
                EXPECT_NO_THROW(use(device));
            throw;
        }
    });
}

TEST_P(Faults, WhileADeviceIsCreated) {
    sweep(GetParam(), [] { detail::create_device(test_device_options(), faulty_get_instance_proc_addr); });
}

}  // namespace
}  // namespace vknorm::testing

// Every Vulkan call of a typical program fails once, in every way: the documented error comes out, nothing
// leaks (the validation layer would tell), out of memory passes, a lost device stays lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>

#include "support/data_files.hpp"
#include "support/device_fixture.hpp"
#include "support/failing_memory.hpp"
#include "support/fault_sweep.hpp"
#include "support/faulty_vulkan.hpp"
#include "support/raw_vulkan.hpp"
#include "support/replaced_function.hpp"
#include "vulkan/device_state.hpp"
#include "vulkan/dispatch.hpp"
#include "vulkan/pipeline_cache.hpp"
#include "vulkan/pipelines.hpp"

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

TEST(FaultsOfMemory, WhileADeviceIsCreated) {
    test_device();  // the driver stays loaded
    DeviceOptions options = test_device_options();
    options.validation = false;
    const test::TemporaryDirectory folder;
    options.pipeline_cache_file = folder.path() / "pipelines";
    sweep_allocations([&] { detail::create_device(options, faulty_get_instance_proc_addr); },
                      Repeat::allowed);
    EXPECT_EQ(live_objects(), "");
}

// What a stream does with data of its own; `staged`: through memory that is mapped.
void sweep_stream(bool staged) {
    {
        FaultyDevice faulty([staged](Capabilities& c) { c.mapped_device_memory &= !staged; });
        Device& device = faulty.device;
        const auto program = [&](const auto& once, const auto& again) {
            std::vector<float> data(256), copied;
            for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(i);
            std::optional<Stream> stream;
            Buffer source, target;
            again([&] { source = Buffer(device, 1024, "source"); });
            again([&] { target = Buffer(device, 1024, "target"); });
            once([&] { stream.emplace(device, Stream::Options{.timestamps = true}); });
            Ticket ticket = 0;
            again([&] {
                stream->upload(source, data);
                ticket = stream->submit();  // which drops what was recorded when it fails
            });
            again([&] {
                {
                    const detail::Label label(stream->record(), "copy");
                    detail::fill(stream->record(), target, 0);
                    detail::copy(stream->record(), source, target);
                }
                ticket = stream->submit();
            });
            again([&] { stream->wait(ticket); });
            again([&] { stream->timings(ticket); });
            again([&] { device.wait_idle(); });
            again([&] { copied = stream->template download<float>(target); });
            EXPECT_EQ(copied, data);
        };
        program([&](const auto& step) { sweep_calls(device, step); },
                [&](const auto& step) { sweep_calls(device, step, Repeat::allowed); });
        program([](const auto& step) { sweep_allocations(step); },
                [](const auto& step) { sweep_allocations(step, Repeat::allowed); });
    }
    EXPECT_EQ(live_objects(), "");
}

TEST(StreamFaults, LeaveNothingBehind) {
    sweep_stream(false);
}
TEST(StreamFaults, LeaveNothingBehindWhenStaged) {
    sweep_stream(true);
}

/// Once a pipeline's first object is there, the allocation of that number fails.
class FailingAfterTheFirstObject {
  public:
    FailingAfterTheFirstObject(Device& device, long allocation)
        : replaced_(device.state().vk.CreateDescriptorSetLayout, create) {
        real_ = replaced_.original();
        allocation_ = allocation;
    }

  private:
    static VKAPI_ATTR VkResult VKAPI_CALL create(VkDevice device, const VkDescriptorSetLayoutCreateInfo* info,
                                                 const VkAllocationCallbacks* callbacks,
                                                 VkDescriptorSetLayout* layout) {
        const VkResult result = real_(device, info, callbacks, layout);
        plan_bad_alloc(allocation_);
        return result;
    }

    static inline PFN_vkCreateDescriptorSetLayout real_ = nullptr;
    static inline long allocation_ = 0;
    ReplacedFunction<PFN_vkCreateDescriptorSetLayout> replaced_;
};

// OperationFaults has the calls. Before the first object SPIRV-Tools is at work, which has no exceptions: a
// process that runs out of memory there cannot be saved.
TEST(PipelineFaults, LeaveNothingBehindWithoutMemory) {
    FaultyDevice faulty;
    const std::string before = live_objects();
    bool failed = true;
    for (long allocation = 1; failed; ++allocation) {
        detail::Pipelines pipelines(faulty.device.state());
        const auto get = [&] {
            const uint32_t constants[] = {64};
            return &pipelines.get(shaders::copy, constants, sizeof(uint32_t));
        };
        const detail::Pipeline* first = nullptr;
        {
            const FailingAfterTheFirstObject failing(faulty.device, allocation);
            try {
                first = get();
            } catch (const std::bad_alloc&) {
            }
            failed = end_bad_alloc();
        }
        EXPECT_EQ(first == nullptr, failed);
        const detail::Pipeline* const again = get();
        if (!failed) {
            EXPECT_EQ(again, first);
            EXPECT_GT(allocation, 1) << "some failed";
        }
    }
    EXPECT_EQ(live_objects(), before);
}

TEST(PipelineCacheFaults, LeaveNothingBehind) {
    const test::TemporaryDirectory folder;
    {
        FaultyDevice faulty;
        detail::DeviceState& device = faulty.device.state();
        // Its destructor writes the file, or does not.
        const auto keep = [&] {
            device.require_alive();
            const detail::PipelineCache cache(device, folder.path() / "pipelines");
        };
        sweep_calls(faulty.device, keep, Repeat::allowed);
        sweep_allocations(keep, Repeat::allowed);
        EXPECT_TRUE(std::filesystem::exists(folder.path() / "pipelines"));
    }
    EXPECT_EQ(live_objects(), "");
}

}  // namespace
}  // namespace vknorm::testing

#include "support/held_queue.hpp"

#include "vulkan/device_state.hpp"

namespace vknorm::testing {

namespace {

template <class Function>
Function function(const Device& device, const char* name) {
    return reinterpret_cast<Function>(device.state().vk.GetDeviceProcAddr(device.handle(), name));
}

}  // namespace

HeldQueue::HeldQueue(Device& device) : device_(device), stream_(device) {
    const VkEventCreateInfo info = {VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
    detail::check_result(
        function<PFN_vkCreateEvent>(device, "vkCreateEvent")(device.handle(), &info, nullptr, &event_),
        "vkCreateEvent");
    constexpr VkPipelineStageFlags stages =
        VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
    function<PFN_vkCmdWaitEvents>(device, "vkCmdWaitEvents")(stream_.record().commands(), 1, &event_,
                                                             VK_PIPELINE_STAGE_HOST_BIT, stages, 0, nullptr,
                                                             0, nullptr, 0, nullptr);
    stream_.submit();
}

HeldQueue::~HeldQueue() {
    release();
    stream_.wait(stream_.submit());
    function<PFN_vkDestroyEvent>(device_, "vkDestroyEvent")(device_.handle(), event_, nullptr);
}

void HeldQueue::release() {
    detail::check_result(function<PFN_vkSetEvent>(device_, "vkSetEvent")(device_.handle(), event_),
                         "vkSetEvent");
}

}  // namespace vknorm::testing

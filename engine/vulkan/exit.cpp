#include "vulkan/exit.hpp"

#include <cstdlib>
#include <mutex>
#include <vector>

#include "vulkan/completion.hpp"
#include "vulkan/pipelines.hpp"

namespace vknorm::detail {

namespace {

/// Replaces a function by one that does nothing, if there is any.
template <class Result, class... Arguments>
void disconnect(Result(VKAPI_PTR*& entry)(Arguments...)) {
    struct Nothing {
        static VKAPI_ATTR Result VKAPI_CALL call(Arguments...) {
            if constexpr (std::is_same_v<Result, VkResult>)
                return VK_ERROR_DEVICE_LOST;
            else
                return Result();
        }
    };
    if (entry) entry = Nothing::call;
}

void disconnect(Functions& vk) {
#define VKNORM_DISCONNECT(name) disconnect(vk.name);
    VKNORM_INSTANCE_FUNCTIONS(VKNORM_DISCONNECT)
    VKNORM_OPTIONAL_INSTANCE_FUNCTIONS(VKNORM_DISCONNECT)
    VKNORM_DEVICE_FUNCTIONS(VKNORM_DISCONNECT)
    VKNORM_OPTIONAL_DEVICE_FUNCTIONS(VKNORM_DISCONNECT)
    VKNORM_PROMOTED_DEVICE_FUNCTIONS(VKNORM_DISCONNECT)
#undef VKNORM_DISCONNECT
}

struct Watched {
    std::mutex mutex;
    std::vector<std::weak_ptr<DeviceState>> states;
};

Watched& watched() {
    // It is never destroyed: devices may be destroyed after all that is.
    static Watched& states = *new Watched;
    return states;
}

void let_go(DeviceState& state) {
    state.completion->wait_before_destruction(state.completion->last());
    state.pipelines->save_cache();
    state.lost = true;
    disconnect(state.vk);
}

void let_go_of_all() {
    std::vector<std::weak_ptr<DeviceState>> states;
    {
        const std::lock_guard lock(watched().mutex);
        states.swap(watched().states);
    }
    for (const auto& weak : states)
        if (const auto state = weak.lock()) let_go(*state);
}

}  // namespace

void let_go_at_exit(const std::shared_ptr<DeviceState>& state) {
    // Functions run in the reverse order of their registration: this one before what the driver has
    // registered.
    static const int registered = std::atexit(let_go_of_all);
    if (registered != 0) return;  // there is no memory for it; nothing is wrong until the end
    const std::lock_guard lock(watched().mutex);
    std::erase_if(watched().states, [](const auto& weak) { return weak.expired(); });
    watched().states.push_back(state);
}

}  // namespace vknorm::detail

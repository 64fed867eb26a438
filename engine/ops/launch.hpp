// How many workgroups a kernel gets, and what a device can bind.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include <vknorm/device.hpp>

#include "ops/sizes.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

/// Of a kernel whose invocations stride over their items: any number of workgroups does.
struct Launch {
    uint32_t workgroup = 1;  ///< invocations
    Groups groups{};
};

/// `items` over workgroups of 64, and no more of these than keep a large device busy.
inline Launch spread(const Capabilities& capabilities, uint64_t items) {
    const uint32_t workgroup = std::min(64u, capabilities.max_workgroup_invocations);
    const uint64_t most = std::min(4096u, capabilities.max_workgroups);
    return {workgroup, {static_cast<uint32_t>(std::min(ceil_div<uint64_t>(items, workgroup), most))}};
}

/// Throws Unsupported unless a binding of this device can hold the tensor.
inline void require_range(const Capabilities& capabilities, const std::string& tensor, uint64_t bytes) {
    if (bytes > capabilities.max_storage_buffer_range)
        throw Unsupported(tensor + ": got " + std::to_string(bytes) +
                          " bytes, needs at most the device's storage buffer range of " +
                          std::to_string(capabilities.max_storage_buffer_range));
}

}  // namespace vknorm::detail

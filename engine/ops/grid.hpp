// How many workgroups a kernel gets whose invocations stride over their items: any number of them does.
#pragma once

#include <algorithm>
#include <cstdint>

#include <vknorm/device.hpp>

#include "ops/sizes.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

struct Grid {
    uint32_t workgroup = 1;  ///< invocations of one
    Groups groups{};
};

/// One invocation for each item, as long as there are no more than keep a large device busy.
inline Grid strided_grid(const Capabilities& capabilities, uint64_t items) {
    constexpr uint32_t usual_workgroup = 64, most_groups = 4096;
    const uint32_t workgroup = std::min(usual_workgroup, capabilities.max_workgroup_invocations);
    const uint64_t most = std::min(most_groups, capabilities.max_workgroups);
    return {workgroup, {static_cast<uint32_t>(std::min(ceil_div<uint64_t>(items, workgroup), most))}};
}

}  // namespace vknorm::detail

#include "vulkan/tuning.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace vknorm {

namespace {
constexpr std::array access_names{"vectors", "texels", "texels_wide"};
}

std::string Tuning::text() const {
    return std::string("blocks=") + access_names.at(static_cast<size_t>(blocks)) +
           " workgroup=" + std::to_string(workgroup) + " sweep=" + std::to_string(sweep) +
           " fused_rows=" + std::to_string(fused_rows) + " fused_elements=" + std::to_string(fused_elements);
}

namespace detail {

Tuning default_tuning(const DeviceInfo& info, const Capabilities& capabilities) {
    Tuning tuning{.workgroup = std::min(capabilities.max_workgroup_invocations, 128u)};
    // To read so many one by one costs an invocation less than two more dispatches.
    if (info.type == VK_PHYSICAL_DEVICE_TYPE_CPU) tuning.fused_rows = 512;
    if (info.driver.starts_with("llvmpipe")) {
        if (capabilities.texel_blocks) tuning.blocks = BlockAccess::texels;
        tuning.sweep = 64;
        tuning.fused_elements = 1u << 21;
    }
    return tuning;
}

std::string complaint(const Tuning& tuning, const Capabilities& capabilities) {
    const uint32_t most = capabilities.max_workgroup_invocations;
    if (tuning.workgroup < Tuning::least_workgroup || tuning.workgroup > most)
        return "workgroup: got " + std::to_string(tuning.workgroup) + ", needs " +
               std::to_string(Tuning::least_workgroup) + " to " + std::to_string(most);
    if (tuning.sweep < Tuning::least_sweep || tuning.sweep > Tuning::most_sweep)
        return "sweep: got " + std::to_string(tuning.sweep) + ", needs " +
               std::to_string(Tuning::least_sweep) + " to " + std::to_string(Tuning::most_sweep);
    if (tuning.blocks != BlockAccess::vectors && !capabilities.texel_blocks)
        return "blocks: got texels, needs a device whose storage buffers can all be read as texels";
    if (tuning.blocks == BlockAccess::texels_wide && !capabilities.shader_int64)
        return "blocks: got texels_wide, needs a device with shaderInt64";
    return {};
}

std::optional<Tuning> tuning_of(const std::string& text) {
    std::array<char, 16> name{};
    Tuning tuning;
    if (std::sscanf(text.c_str(), "blocks=%15[a-z_] workgroup=%u sweep=%u fused_rows=%u fused_elements=%u",
                    name.data(), &tuning.workgroup, &tuning.sweep, &tuning.fused_rows,
                    &tuning.fused_elements) != 5)
        return std::nullopt;
    const auto found = std::ranges::find(access_names, std::string_view(name.data()));
    if (found == access_names.end()) return std::nullopt;
    tuning.blocks = static_cast<BlockAccess>(found - access_names.begin());
    // Numbers out of range, and whatever else sscanf lets pass.
    if (tuning.text() != text) return std::nullopt;
    return tuning;
}

}  // namespace detail

}  // namespace vknorm

#include "ops/norm/tuning.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <stdexcept>

#include "vulkan/device_state.hpp"

namespace vknorm {

namespace {
constexpr std::array access_names{"vectors", "texels", "texels_wide"};
}

std::string Tuning::text() const {
    return std::string("blocks=") + access_names.at(static_cast<size_t>(blocks)) +
           " workgroup=" + std::to_string(workgroup) + " sweep=" + std::to_string(sweep) +
           " fused_rows=" + std::to_string(fused_rows) + " fused_elements=" + std::to_string(fused_elements);
}

void Device::tune(const Tuner& tuner) {
    state_->tuning = detail::default_tuning(info(), capabilities());
    if (!tuner) return;
    const Tuning tuning = tuner(*this);
    const std::string complaint = detail::complaint(tuning, capabilities());
    if (!complaint.empty()) throw std::invalid_argument("Device: tuning." + complaint);
    state_->tuning = tuning;
}

namespace detail {

namespace {

/// To read so many one by one costs an invocation of a CPU less than two more dispatches.
constexpr uint32_t cpu_fused_rows = 512;
// Measured on lavapipe.
constexpr uint32_t llvmpipe_sweep = 64;
constexpr uint32_t llvmpipe_fused_elements = 1u << 21;

}  // namespace

Tuning default_tuning(const DeviceInfo& info, const Capabilities& capabilities) {
    Tuning tuning;
    tuning.workgroup = std::min(tuning.workgroup, capabilities.max_workgroup_invocations);
    if (!capabilities.cpu) return tuning;
    tuning.fused_rows = cpu_fused_rows;
    if (info.driver.starts_with("llvmpipe")) {
        if (capabilities.texel_blocks) tuning.blocks = BlockAccess::texels;
        tuning.sweep = llvmpipe_sweep;
        tuning.fused_elements = llvmpipe_fused_elements;
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
    if (tuning.blocks < BlockAccess::vectors || tuning.blocks > BlockAccess::texels_wide)
        return "blocks: got value " + std::to_string(static_cast<int>(tuning.blocks)) +
               ", needs one of the enumeration's";
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

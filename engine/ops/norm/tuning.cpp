#include "ops/norm/tuning.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <stdexcept>

#include "vulkan/device_state.hpp"

namespace vknorm {

namespace {
constexpr std::array load_names{"buffers", "texels"};
constexpr std::array store_names{"vectors", "wide"};
}  // namespace

std::string Tuning::text() const {
    return std::string("loads=") + load_names.at(static_cast<size_t>(loads)) +
           " stores=" + store_names.at(static_cast<size_t>(stores)) +
           " workgroup=" + std::to_string(workgroup) + " sweep=" + std::to_string(sweep) +
           " images=" + std::to_string(images) + " swept_row=" + std::to_string(swept_row) +
           " fused_rows=" + std::to_string(fused_rows) + " fused_elements=" + std::to_string(fused_elements) +
           " fused_row=" + std::to_string(fused_row);
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

/// To read so many one by one costs an invocation less than two more dispatches.
constexpr uint32_t cpu_fused_rows = 512, gpu_fused_rows = 64;
/// A row that an invocation, or on a GPU a workgroup, measures is in its cache when it is normalized.
constexpr uint32_t cpu_fused_row = 256, gpu_fused_row = 1u << 13;
/// So little that dispatches cost more than what they do.
constexpr uint32_t usual_fused_elements = 1u << 16;
// Measured on lavapipe and SwiftShader.
constexpr uint32_t cpu_sweep = 128, llvmpipe_images = 8, cpu_images = 32, llvmpipe_swept_row = 128;

}  // namespace

Tuning default_tuning(const DeviceInfo& info, const Capabilities& capabilities) {
    Tuning tuning{.fused_rows = capabilities.cpu ? cpu_fused_rows : gpu_fused_rows,
                  .fused_elements = usual_fused_elements,
                  .fused_row = capabilities.cpu ? cpu_fused_row : gpu_fused_row};
    tuning.workgroup = std::min(tuning.workgroup, capabilities.max_workgroup_invocations);
    if (!capabilities.cpu) return tuning;
    tuning.sweep = cpu_sweep;
    tuning.images = cpu_images;
    if (info.driver.starts_with("llvmpipe")) {
        if (capabilities.texel_blocks) tuning.loads = BlockLoads::texels;
        if (capabilities.shader_int64) tuning.stores = BlockStores::wide;
        tuning.images = llvmpipe_images;
        tuning.swept_row = llvmpipe_swept_row;
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
    if (tuning.images < Tuning::least_images || tuning.images > Tuning::most_images)
        return "images: got " + std::to_string(tuning.images) + ", needs " +
               std::to_string(Tuning::least_images) + " to " + std::to_string(Tuning::most_images);
    if (tuning.loads < BlockLoads::buffers || tuning.loads > BlockLoads::texels)
        return "loads: got value " + std::to_string(static_cast<int>(tuning.loads)) +
               ", needs one of the enumeration's";
    if (tuning.stores < BlockStores::vectors || tuning.stores > BlockStores::wide)
        return "stores: got value " + std::to_string(static_cast<int>(tuning.stores)) +
               ", needs one of the enumeration's";
    if (tuning.loads == BlockLoads::texels && !capabilities.texel_blocks)
        return "loads: got texels, needs a device whose storage buffers can all be read as texels";
    if (tuning.stores == BlockStores::wide && !capabilities.shader_int64)
        return "stores: got wide, needs a device with shaderInt64";
    return {};
}

std::optional<Tuning> tuning_of(const std::string& text) {
    std::array<char, 16> loads{}, stores{};
    Tuning tuning;
    if (std::sscanf(text.c_str(),
                    "loads=%15[a-z] stores=%15[a-z] workgroup=%u sweep=%u images=%u swept_row=%u "
                    "fused_rows=%u fused_elements=%u fused_row=%u",
                    loads.data(), stores.data(), &tuning.workgroup, &tuning.sweep, &tuning.images,
                    &tuning.swept_row, &tuning.fused_rows, &tuning.fused_elements, &tuning.fused_row) != 9)
        return std::nullopt;
    const auto load = std::ranges::find(load_names, std::string_view(loads.data()));
    const auto store = std::ranges::find(store_names, std::string_view(stores.data()));
    if (load == load_names.end() || store == store_names.end()) return std::nullopt;
    tuning.loads = static_cast<BlockLoads>(load - load_names.begin());
    tuning.stores = static_cast<BlockStores>(store - store_names.begin());
    // Numbers out of range, and whatever else sscanf lets pass.
    if (tuning.text() != text) return std::nullopt;
    return tuning;
}

}  // namespace detail

}  // namespace vknorm

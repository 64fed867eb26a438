#include "vknorm/augment.hpp"

#include <cmath>

#include "ops/arguments.hpp"
#include "ops/grid.hpp"
#include "ops/halves.hpp"
#include "shaders/augment.h"
#include "vulkan/device_state.hpp"

namespace vknorm {

using namespace detail;

namespace {

constexpr size_t most_normalized = std::size(shaders::Augment{}.mean);

void check_per_channel(const char* name, const std::vector<float>& values, uint32_t channels, bool positive) {
    if (values.empty()) return;
    if (values.size() != channels || channels > most_normalized)
        refuse("augment", name, std::to_string(values.size()) + " numbers",
               "one for each of " + std::to_string(channels) + " channels, at most " +
                   std::to_string(most_normalized));
    for (const float value : values)
        if (!std::isfinite(value) || (positive && !(value > 0)))
            refuse("augment", name, std::to_string(value), positive ? "numbers above 0" : "finite numbers");
}

VkDeviceSize bytes_of(const AugmentOptions& options) {
    uint64_t elements = options.rows;
    for (const uint32_t size : {options.channels, options.height, options.width})
        elements = checked_product(elements, size, "augment: x");
    return sizeof(float) * elements;
}

}  // namespace

Augment::Augment(Device& device, const AugmentOptions& options)
    : device_("Augment", device.state().shared_from_this()), options_(options) {
    require_positive("augment", "rows", options.rows);
    require_positive("augment", "channels", options.channels);
    require_positive("augment", "height", options.height);
    require_positive("augment", "width", options.width);
    if (options.padding >= std::min(options.height, options.width))
        refuse("augment", "padding", std::to_string(options.padding), "less than height and width");
    check_per_channel("mean", options.mean, options.channels, false);
    check_per_channel("deviation", options.deviation, options.channels, true);
    require_range(device.capabilities(), "augment: x", bytes_of(options));
}

void Augment::training(Recorder& recorder, const Pictures& pictures, const AugmentChoice& choice) const {
    record(recorder, "augment.training", pictures, options_.padding, options_.flip, choice);
}

void Augment::evaluation(Recorder& recorder, const Pictures& pictures) const {
    record(recorder, "augment.evaluation", pictures, 0, false, {});
}

void Augment::record(Recorder& recorder, const char* call, const Pictures& pictures, uint32_t padding,
                     bool flip, const AugmentChoice& choice) const {
    Arguments check(call, recorder, &*device_);
    check.offsets(binding_alignment);
    const BufferView x = check.input("x", pictures.x, bytes_of(options_));
    const BufferView y = check.output("y", pictures.y, bytes_of(options_));
    check.check_overlap();
    shaders::Augment push{.lines = options_.rows * options_.channels * options_.height,
                          .channels = options_.channels,
                          .height = options_.height,
                          .width = options_.width,
                          .padding = padding,
                          .flip = flip,
                          .seed_low = low_half(choice.seed),
                          .seed_high = high_half(choice.seed),
                          .step_low = low_half(choice.step),
                          .step_high = high_half(choice.step),
                          .layer = choice.layer,
                          .mean = {},
                          .scale = {}};
    for (size_t channel = 0; channel < most_normalized; ++channel) {
        push.mean[channel] = channel < options_.mean.size() ? options_.mean[channel] : 0;
        push.scale[channel] = channel < options_.deviation.size() ? 1 / options_.deviation[channel] : 1;
    }
    const Grid grid = strided_grid(device_->capabilities, push.lines);
    const uint32_t constants[] = {grid.workgroup};
    dispatch(recorder, {shaders::augment, constants}, {read(x), write(y)}, push, grid.groups);
}

}  // namespace vknorm

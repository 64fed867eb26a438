#include "ops/pooling.hpp"

#include "ops/arguments.hpp"
#include "ops/grid.hpp"
#include "shaders/nn.h"
#include "vulkan/device_state.hpp"

namespace vknorm {

using namespace detail;

namespace {

constexpr uint32_t run = 4;  // values that an invocation has at a time, at most
// Products of a place and a length are below 2^32.
constexpr uint32_t most_side = 65535;

/// The maps of one operation.
struct Maps {
    uint64_t count;
    PooledSize x, y;

    static VkDeviceSize bytes(uint64_t count, const PooledSize& size) {
        return sizeof(float) * count * size.height * size.width;
    }
    VkDeviceSize x_bytes() const { return bytes(count, x); }
    VkDeviceSize y_bytes() const { return bytes(count, y); }
};

template <class Options>
Maps maps_of(const Options& options, const PooledSize& output) {
    return {uint64_t{options.rows} * options.channels, {options.height, options.width}, output};
}

/// What the kernels know of windows.
struct Windows {
    uint32_t kernel = 1, stride = 1, padding = 0, dilation = 1;
};

template <class Options>
uint32_t stride_of(const Options& options) {
    return options.stride == 0 ? options.kernel : options.stride;
}

Windows windows_of(const MaxPool2dOptions& options) {
    return {options.kernel, stride_of(options), options.padding, options.dilation};
}

Windows windows_of(const AveragePool2dOptions& options) {
    return {options.kernel, stride_of(options), options.padding};
}

uint32_t average_of(const AveragePool2dOptions& options) {
    return options.count_include_pad ? shaders::average_of_kernel : shaders::average_of_values;
}

/// Bins of equal squares are windows beside each other, and cost no divisions of places.
bool has_square_bins(const AdaptiveAveragePool2dOptions& options) {
    const auto& [height, width] = options.output;
    return options.height % height == 0 && options.width % width == 0 &&
           options.height / height == options.width / width;
}

Windows windows_of(const AdaptiveAveragePool2dOptions& options) {
    if (!has_square_bins(options)) return {};
    const uint32_t side = options.height / options.output.height;
    return {.kernel = side, .stride = side};
}

uint32_t average_of(const AdaptiveAveragePool2dOptions& options) {
    return has_square_bins(options) ? shaders::average_of_kernel : shaders::average_of_bins;
}

void check_side(const std::string& operation, const char* name, uint32_t side) {
    require_positive(operation, name, side);
    if (side > most_side)
        refuse(operation, name, std::to_string(side), "at most " + std::to_string(most_side));
}

template <class Options>
void check_sizes(const std::string& operation, const Options& options) {
    require_positive(operation, "rows", options.rows);
    require_positive(operation, "channels", options.channels);
    check_side(operation, "height", options.height);
    check_side(operation, "width", options.width);
}

void check_tensors(const std::string& operation, const Capabilities& capabilities, const Maps& maps) {
    require_range(capabilities, operation + ": x", maps.x_bytes());
    require_range(capabilities, operation + ": y", maps.y_bytes());
}

/// What a kernel writes: runs of the lines of a map.
uint64_t runs(uint64_t maps, const PooledSize& size) {
    return maps * size.height * ceil_div(size.width, run);
}

/// Refuses more loop trips of an invocation than a driver may do: for each of its runs, of `across` values,
/// it goes through `height` x `width` values.
void check_trips(const std::string& operation, const char* argument, const Capabilities& capabilities,
                 uint64_t run_count, uint32_t across, uint64_t height, uint64_t width) {
    const Grid grid = strided_grid(capabilities, run_count);
    const uint64_t turns = ceil_div<uint64_t>(run_count, uint64_t{grid.workgroup} * grid.groups.x);
    if (turns * std::min(run, across) * (height * (width + 1) + 1) > maximum_trips)
        refuse(operation, argument, std::to_string(height) + " x " + std::to_string(width) + " values",
               "fewer");
}

/// The number of windows in a length, which holds at least one; and each holds a value.
uint32_t count_windows(const std::string& operation, const char* side, uint32_t length,
                       const Windows& windows) {
    const uint64_t reach = uint64_t{windows.dilation} * (windows.kernel - 1) + 1;
    const uint64_t padded = uint64_t{length} + 2ull * windows.padding;
    if (padded < reach)
        refuse(operation, side, std::to_string(length),
               "room for a window of " + std::to_string(reach) + " with the padding");
    const uint64_t count = (padded - reach) / windows.stride + 1;
    for (uint64_t i = 0; i < count && windows.padding > 0; ++i) {
        const uint64_t first = i * windows.stride;
        const uint64_t outside = first < windows.padding ? windows.padding - first : 0;
        const uint64_t value = first + round_up<uint64_t>(outside, windows.dilation);
        if (value >= std::min<uint64_t>(first + reach, length + uint64_t{windows.padding}))
            refuse(operation, "padding", std::to_string(windows.padding),
                   "less: a window would have nothing but padding");
    }
    return static_cast<uint32_t>(count);
}

template <class Options>
PooledSize checked_size(const std::string& operation, const Options& options) {
    check_sizes(operation, options);
    const Windows windows = windows_of(options);
    check_side(operation, "kernel", windows.kernel);
    check_side(operation, "stride", windows.stride);
    check_side(operation, "dilation", windows.dilation);
    if (windows.padding > windows.kernel / 2)
        refuse(operation, "padding", std::to_string(windows.padding),
               "at most half of kernel = " + std::to_string(windows.kernel));
    return {count_windows(operation, "height", options.height, windows),
            count_windows(operation, "width", options.width, windows)};
}

/// Windows that overlap a value along a side.
uint64_t windows_over_a_value(const Windows& windows) {
    return ceil_div<uint64_t>(uint64_t{windows.dilation} * (windows.kernel - 1) + 1, windows.stride);
}

void check_trips(const std::string& operation, const Capabilities& capabilities, const Maps& maps,
                 const Windows& windows) {
    check_trips(operation, "kernel", capabilities, runs(maps.count, maps.y), maps.y.width, windows.kernel,
                windows.kernel);
    const uint64_t over = windows_over_a_value(windows);
    check_trips(operation, "windows over a value", capabilities, runs(maps.count, maps.x), maps.x.width, over,
                over);
}

/// `written` is the size of the maps that the kernel writes.
void pool(Recorder& recorder, const shaders::Shader& shader, const Windows& windows, uint32_t variant,
          std::initializer_list<Binding> bindings, const Maps& maps, const PooledSize& written) {
    const auto items = static_cast<uint32_t>(runs(maps.count, written));
    const Grid grid = strided_grid(recorder.device().capabilities(), items);
    const uint32_t constants[] = {grid.workgroup,  windows.kernel,   windows.stride,
                                  windows.padding, windows.dilation, variant};
    dispatch(recorder, {shader, constants}, bindings,
             shaders::Pooling{.runs = items,
                              .height = maps.x.height,
                              .width = maps.x.width,
                              .output_height = maps.y.height,
                              .output_width = maps.y.width},
             grid.groups);
}

void average_forward(const std::string& operation, Recorder& recorder, const DeviceState* device,
                     const Maps& maps, const Windows& windows, uint32_t average,
                     const AveragePool2d::Forward& arguments) {
    Arguments check(operation, recorder, device);
    check.offsets(binding_alignment);
    const BufferView x = check.input("x", arguments.x, maps.x_bytes());
    const BufferView y = check.output("y", arguments.y, maps.y_bytes());
    check.check_overlap();
    pool(recorder, shaders::average_pool_forward, windows, average, {read(x), write(y)}, maps, maps.y);
}

void average_backward(const std::string& operation, Recorder& recorder, const DeviceState* device,
                      const Maps& maps, const Windows& windows, uint32_t average,
                      const AveragePool2d::Backward& arguments) {
    Arguments check(operation, recorder, device);
    check.offsets(binding_alignment);
    const BufferView dy = check.input("dy", arguments.dy, maps.y_bytes());
    const BufferView dx = check.output("dx", arguments.dx, maps.x_bytes());
    check.check_overlap();
    pool(recorder, shaders::average_pool_backward, windows, average, {read(dy), write(dx)}, maps, maps.x);
}

}  // namespace

PooledSize detail::pooled_size(const std::string& operation, const MaxPool2dOptions& options) {
    return checked_size(operation, options);
}

PooledSize detail::pooled_size(const std::string& operation, const AveragePool2dOptions& options) {
    return checked_size(operation, options);
}

PooledSize detail::pooled_size(const std::string& operation, const AdaptiveAveragePool2dOptions& options) {
    check_sizes(operation, options);
    check_side(operation, "output.height", options.output.height);
    check_side(operation, "output.width", options.output.width);
    return options.output;
}

MaxPool2d::MaxPool2d(Device& device, const MaxPool2dOptions& options)
    : device_("MaxPool2d", device.state().shared_from_this()),
      options_(options),
      output_(pooled_size("max_pool2d", options)) {
    const Maps maps = maps_of(options_, output_);
    check_trips("max_pool2d", device.capabilities(), maps, windows_of(options_));
    check_tensors("max_pool2d", device.capabilities(), maps);
}

void MaxPool2d::forward(Recorder& recorder, const Forward& arguments) const {
    const Maps maps = maps_of(options_, output_);
    Arguments check("max_pool2d.forward", recorder, &*device_);
    check.offsets(binding_alignment);
    const BufferView x = check.input("x", arguments.x, maps.x_bytes());
    const BufferView y = check.output("y", arguments.y, maps.y_bytes());
    const BufferView indices = check.optional_output("indices", arguments.indices, maps.y_bytes());
    check.check_overlap();
    pool(recorder, shaders::max_pool_forward, windows_of(options_), bool(indices),
         {read(x), write(y), write(indices)}, maps, maps.y);
}

void MaxPool2d::backward(Recorder& recorder, const Backward& arguments) const {
    const Maps maps = maps_of(options_, output_);
    Arguments check("max_pool2d.backward", recorder, &*device_);
    check.offsets(binding_alignment);
    const BufferView dy = check.input("dy", arguments.dy, maps.y_bytes());
    const BufferView indices = check.input("indices", arguments.indices, maps.y_bytes());
    const BufferView dx = check.output("dx", arguments.dx, maps.x_bytes());
    check.check_overlap();
    pool(recorder, shaders::max_pool_backward, windows_of(options_), 0, {read(dy), read(indices), write(dx)},
         maps, maps.x);
}

AveragePool2d::AveragePool2d(Device& device, const AveragePool2dOptions& options)
    : device_("AveragePool2d", device.state().shared_from_this()),
      options_(options),
      output_(pooled_size("average_pool2d", options)) {
    const Maps maps = maps_of(options_, output_);
    check_trips("average_pool2d", device.capabilities(), maps, windows_of(options_));
    check_tensors("average_pool2d", device.capabilities(), maps);
}

void AveragePool2d::forward(Recorder& recorder, const Forward& arguments) const {
    average_forward("average_pool2d.forward", recorder, &*device_, maps_of(options_, output_),
                    windows_of(options_), average_of(options_), arguments);
}

void AveragePool2d::backward(Recorder& recorder, const Backward& arguments) const {
    average_backward("average_pool2d.backward", recorder, &*device_, maps_of(options_, output_),
                     windows_of(options_), average_of(options_), arguments);
}

AdaptiveAveragePool2d::AdaptiveAveragePool2d(Device& device, const AdaptiveAveragePool2dOptions& options)
    : device_("AdaptiveAveragePool2d", device.state().shared_from_this()), options_(options) {
    constexpr const char* operation = "adaptive_average_pool2d";
    const PooledSize output = pooled_size(operation, options);
    const Maps maps = maps_of(options_, output);
    // Of a length of which each of `parts` gets a share: how much one may get.
    const auto share = [](uint32_t length, uint32_t parts) { return ceil_div(length, parts) + 1ull; };
    const auto bin = [&](uint32_t length, uint32_t bins) {
        return length % bins == 0 ? length / bins : share(length, bins);
    };
    check_trips(operation, "bins", device.capabilities(), runs(maps.count, maps.y), output.width,
                bin(options_.height, output.height), bin(options_.width, output.width));
    check_trips(operation, "bins over a value", device.capabilities(), runs(maps.count, maps.x),
                options_.width, share(output.height, options_.height), share(output.width, options_.width));
    check_tensors(operation, device.capabilities(), maps);
}

void AdaptiveAveragePool2d::forward(Recorder& recorder, const Forward& arguments) const {
    average_forward("adaptive_average_pool2d.forward", recorder, &*device_,
                    maps_of(options_, options_.output), windows_of(options_), average_of(options_),
                    arguments);
}

void AdaptiveAveragePool2d::backward(Recorder& recorder, const Backward& arguments) const {
    average_backward("adaptive_average_pool2d.backward", recorder, &*device_,
                     maps_of(options_, options_.output), windows_of(options_), average_of(options_),
                     arguments);
}

}  // namespace vknorm

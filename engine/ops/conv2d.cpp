#include "vknorm/conv2d.hpp"

#include <algorithm>

#include "ops/arguments.hpp"
#include "ops/conv2d_shapes.hpp"
#include "ops/sizes.hpp"
#include "vulkan/device_state.hpp"

namespace vknorm {

using namespace detail;

namespace {

static_assert(Conv2d::max_size == Gemm::most_terms);

uint32_t output_size(uint32_t size, const Conv2dOptions& o) {
    const uint64_t padded = size + 2 * uint64_t{o.padding};
    const uint64_t reach = uint64_t{o.dilation} * (o.kernel - uint64_t{1}) + 1;
    if (o.kernel == 0 || o.stride == 0 || padded < reach) return 0;
    return static_cast<uint32_t>((padded - reach) / o.stride + 1);
}

void require_at_most(const char* option, uint64_t got, uint32_t most) {
    if (got > most) refuse("conv2d", option, std::to_string(got), "at most " + std::to_string(most));
}

void check_sizes(const Conv2dOptions& o) {
    const auto require_size = [](const char* option, uint32_t got) {
        require_positive("conv2d", option, got);
        require_at_most(option, got, Conv2d::max_size);
    };
    require_size("images", o.images);
    require_size("in_channels", o.in_channels);
    require_size("out_channels", o.out_channels);
    require_size("height", o.height);
    require_size("width", o.width);
    require_size("kernel", o.kernel);
    require_size("stride", o.stride);
    require_size("dilation", o.dilation);
    require_at_most("padding", o.padding, Conv2d::max_size);
    const uint32_t out_height = o.output_height(), out_width = o.output_width();
    if (out_height == 0 || out_width == 0)
        refuse("conv2d", "kernel", std::to_string(o.kernel),
               "one that fits into " + std::to_string(o.height) + " x " + std::to_string(o.width) +
                   " with its padding");
    if (std::max(out_height, out_width) > Conv2d::max_size)
        refuse("conv2d", "padding", std::to_string(o.padding),
               "one with outputs of at most " + std::to_string(Conv2d::max_size));
    const auto require_terms = [&](const char* option, uint32_t channels) {
        const uint64_t most = Conv2d::max_terms / (uint64_t{o.kernel} * o.kernel) / 8 * 8;
        require_at_most(option, channels, static_cast<uint32_t>(most));
    };
    require_terms("in_channels", o.in_channels);
    require_terms("out_channels", o.out_channels);
}

/// Of tensors and their copies, before anything is computed with them.
void check_ranges(const Capabilities& capabilities, const Conv2dOptions& o) {
    const auto require = [&](const char* tensor, std::initializer_list<uint32_t> sizes) {
        constexpr uint64_t too_many = uint64_t{1} << 40;  // elements; sizes are far below 2^20
        uint64_t elements = 1;
        for (const uint32_t size : sizes) elements = std::min(elements * size, too_many);
        require_range(capabilities, std::string("conv2d: ") + tensor, sizeof(float) * elements);
    };
    const auto require_copy = [&](const char* tensor, const PaddedShape& copy) {
        require(tensor, {copy.images, copy.padded_height, copy.padded_width, copy.pitch()});
    };
    require("x", {o.images, o.in_channels, o.height, o.width});
    require("weight", {o.out_channels, o.in_channels, o.kernel, o.kernel});
    require("y", {o.images, o.out_channels, o.output_height(), o.output_width()});
    require_copy("padded x", padded_x(o));
    require_copy("padded dy", padded_dy(o));
    require_copy("padded weight", copied_weight(o));
    require_copy("padded weight", copied_weight_of_input(o));
}

const Conv2dOptions& checked(const Capabilities& capabilities, const Conv2dOptions& options) {
    check_sizes(options);
    check_ranges(capabilities, options);
    return options;
}

/// Of the tensors.
struct Bytes {
    explicit Bytes(const Conv2dOptions& o)
        : x(of(o.images) * o.in_channels * o.height * o.width),
          y(of(o.images) * o.out_channels * o.output_height() * o.output_width()),
          weight(of(o.out_channels) * o.in_channels * o.kernel * o.kernel),
          bias(of(o.out_channels)) {}

    VkDeviceSize x, y, weight, bias;

  private:
    static VkDeviceSize of(uint32_t floats) { return sizeof(float) * VkDeviceSize{floats}; }
};

VkDeviceSize piece(VkDeviceSize bytes) {
    return round_up(bytes, binding_alignment);
}

/// Cuts a scratch buffer into pieces that can be bound.
class Pieces {
  public:
    explicit Pieces(const BufferView& scratch) : rest_(scratch) {}

    BufferView next(VkDeviceSize bytes) {
        const BufferView cut{rest_.buffer, rest_.offset, bytes};
        rest_.offset += piece(bytes);
        return cut;
    }

  private:
    BufferView rest_;
};

}  // namespace

uint32_t Conv2dOptions::output_height() const {
    return output_size(height, *this);
}
uint32_t Conv2dOptions::output_width() const {
    return output_size(width, *this);
}

struct Conv2d::Plan {
    Plan(Device& owner, const Conv2dOptions& o);

    /// Refuses a bias, or its gradient, where there is none.
    void check_absent(const Arguments& check, const char* name, const BufferView& view) const {
        if (view && !options.bias) check.refuse(name, "a buffer", "none: options.bias is false");
    }
    void differentiate_parameters(Recorder& recorder, const BufferView& dy, const Backward& tensors,
                                  Pieces scratch) const;
    void differentiate_input(Recorder& recorder, const BufferView& dy, const Backward& tensors,
                             Pieces scratch) const;
    VkDeviceSize scratch_bytes() const;
    uint32_t parts() const { return parameters.shape().parts(); }

    std::shared_ptr<const DeviceState> device;
    Conv2dOptions options;
    Bytes bytes;
    PaddedShape x_copy, dy_copy, weight_copy, weight_of_input_copy;  // in scratch
    Convolution forward, parameters;
    std::vector<Convolution> input;
};

Conv2d::Plan::Plan(Device& owner, const Conv2dOptions& o)
    : device(owner.state().shared_from_this()),
      options(checked(owner.capabilities(), o)),
      bytes(o),
      x_copy(padded_x(o)),
      dy_copy(padded_dy(o)),
      weight_copy(copied_weight(o)),
      weight_of_input_copy(copied_weight_of_input(o)),
      forward(owner.capabilities(), Conv2dShapes(o).forward),
      parameters(owner.capabilities(), Conv2dShapes(o).parameters) {
    for (const ConvolutionShape& shape : Conv2dShapes(o).input)
        input.emplace_back(owner.capabilities(), shape);
    require_range(owner.capabilities(), "conv2d: parts of dweight", parts() * bytes.weight);
}

VkDeviceSize Conv2d::Plan::scratch_bytes() const {
    const VkDeviceSize for_forward = piece(x_copy.bytes()) + piece(weight_copy.bytes());
    const VkDeviceSize for_parameters =
        piece(x_copy.bytes()) + piece(parts() * bytes.weight) + piece(parts() * bytes.bias);
    return std::max(for_forward,
                    piece(dy_copy.bytes()) + std::max(for_parameters, piece(weight_of_input_copy.bytes())));
}

void Conv2d::Plan::differentiate_parameters(Recorder& recorder, const BufferView& dy, const Backward& tensors,
                                            Pieces scratch) const {
    const BufferView x = scratch.next(x_copy.bytes());
    channels_last(recorder, x_copy, tensors.x, x);
    if (parts() == 1) {
        parameters.multiply(recorder, dy, x, tensors.dbias, tensors.dweight);
        return;
    }
    const BufferView dweights = scratch.next(parts() * bytes.weight);
    const BufferView dbiases = tensors.dbias ? scratch.next(parts() * bytes.bias) : BufferView{};
    parameters.multiply(recorder, dy, x, dbiases, dweights);
    sum_parts(recorder, dweights, tensors.dweight);
    if (dbiases) sum_parts(recorder, dbiases, tensors.dbias);
}

void Conv2d::Plan::differentiate_input(Recorder& recorder, const BufferView& dy, const Backward& tensors,
                                       Pieces scratch) const {
    const BufferView weight = scratch.next(weight_of_input_copy.bytes());
    channels_last(recorder, weight_of_input_copy, tensors.weight, weight);
    for (const Convolution& product : input) product.multiply(recorder, weight, dy, {}, tensors.dx);
}

Conv2d::Conv2d(Device& device, const Conv2dOptions& options)
    : plan_("Conv2d", std::make_shared<const Plan>(device, options)) {}

VkDeviceSize Conv2d::scratch_bytes() const {
    return plan_->scratch_bytes();
}

void Conv2d::forward(Recorder& recorder, const Forward& arguments) const {
    const Plan& plan = *plan_;
    const Bytes& bytes = plan.bytes;
    Arguments check("conv2d.forward", recorder, plan.device.get());
    check.offsets(binding_alignment);
    plan.check_absent(check, "bias", arguments.bias);
    const BufferView x = check.input("x", arguments.x, bytes.x);
    const BufferView weight = check.input("weight", arguments.weight, bytes.weight);
    const BufferView bias = check.input("bias", arguments.bias, plan.options.bias ? bytes.bias : 0);
    const BufferView y = check.output("y", arguments.y, bytes.y);
    Pieces scratch(check.output("scratch", arguments.scratch, plan.scratch_bytes()));
    check.check_overlap();
    const BufferView padded_x = scratch.next(plan.x_copy.bytes());
    const BufferView padded_weight = scratch.next(plan.weight_copy.bytes());
    channels_last(recorder, plan.x_copy, x, padded_x);
    channels_last(recorder, plan.weight_copy, weight, padded_weight);
    plan.forward.multiply(recorder, padded_weight, padded_x, bias, y);
}

void Conv2d::backward(Recorder& recorder, const Backward& arguments) const {
    const Plan& plan = *plan_;
    const Bytes& bytes = plan.bytes;
    Arguments check("conv2d.backward", recorder, plan.device.get());
    check.offsets(binding_alignment);
    plan.check_absent(check, "dbias", arguments.dbias);
    if (arguments.dbias && !arguments.dweight)
        check.refuse("dweight", "no buffer", "one together with dbias");
    Backward tensors;
    tensors.dy = check.input("dy", arguments.dy, bytes.y);
    tensors.x = check.input("x", arguments.x, arguments.dweight ? bytes.x : 0);
    tensors.weight = check.input("weight", arguments.weight, arguments.dx ? bytes.weight : 0);
    tensors.dx = check.optional_output("dx", arguments.dx, bytes.x);
    tensors.dweight = check.optional_output("dweight", arguments.dweight, bytes.weight);
    tensors.dbias = check.optional_output("dbias", arguments.dbias, bytes.bias);
    Pieces scratch(check.output("scratch", arguments.scratch, plan.scratch_bytes()));
    check.check_overlap();
    const BufferView padded_dy = scratch.next(plan.dy_copy.bytes());
    channels_last(recorder, plan.dy_copy, tensors.dy, padded_dy);
    if (tensors.dweight) plan.differentiate_parameters(recorder, padded_dy, tensors, scratch);
    if (tensors.dx) plan.differentiate_input(recorder, padded_dy, tensors, scratch);
}

}  // namespace vknorm

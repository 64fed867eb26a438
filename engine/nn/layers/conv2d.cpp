// A convolution and its weights.
#include <vknorm/conv2d.hpp>

#include "nn/layer.hpp"
#include "ops/arguments.hpp"

namespace vknorm::detail {

namespace {

struct Conv2dTensors {
    StoredTensor weight{}, bias{};
};

class PlannedConv2d final : public LayerPlan {
  public:
    PlannedConv2d(const Conv2d& conv2d, const Conv2dTensors& tensors) : conv2d_(conv2d), tensors_(tensors) {}

    VkDeviceSize scratch_bytes() const override { return conv2d_.scratch_bytes(); }
    void forward(Recorder& recorder, const ForwardViews& views) const override {
        conv2d_.forward(recorder, {.x = views.x[0],
                                   .weight = views.store.parameter(tensors_.weight),
                                   .bias = views.store.parameter(tensors_.bias),
                                   .y = views.y,
                                   .scratch = views.store.scratch});
    }
    void backward(Recorder& recorder, const BackwardViews& views) const override {
        conv2d_.backward(recorder, {.x = views.x[0],
                                    .dy = views.dy,
                                    .weight = views.store.parameter(tensors_.weight),
                                    .dx = views.dx[0],
                                    .dweight = views.weight_gradient(tensors_.weight),
                                    .dbias = views.weight_gradient(tensors_.bias),
                                    .scratch = views.store.scratch});
    }

  private:
    Conv2d conv2d_;
    Conv2dTensors tensors_;
};

/// Of one example.
Conv2dOptions options_of(const Conv2dLayer& layer, const Shape& input) {
    return {.in_channels = input[0],
            .out_channels = layer.channels,
            .height = input[1],
            .width = input[2],
            .kernel = layer.kernel,
            .stride = layer.stride,
            .padding = layer.padding,
            .dilation = layer.dilation,
            .bias = layer.bias};
}

class Conv2dOfGraph final : public Layer {
  public:
    Conv2dOfGraph(std::string name, const Conv2dOptions& options)
        : Layer({options.out_channels, options.output_height(), options.output_width()}),
          name_(std::move(name)),
          options_(options) {}

    uint64_t multiply_adds() const override {
        return elements_of(output_shape()) * options_.in_channels * options_.kernel * options_.kernel;
    }
    void take_tensors(StoreLayout& layout, const NetworkOptions&) override {
        const uint32_t fan_in = options_.in_channels * options_.kernel * options_.kernel;
        const InitialValues uniform{.fan_in = fan_in};
        const uint64_t channels = options_.out_channels;
        const std::vector<uint64_t> shape{channels, options_.in_channels, options_.kernel, options_.kernel};
        tensors_.weight = layout.take(TensorGroup::weights, name_, "weight", shape, uniform);
        if (options_.bias)
            tensors_.bias = layout.take(TensorGroup::weights, name_, "bias", channels, uniform);
    }
    std::unique_ptr<const LayerPlan> plan(Device& device, const NetworkOptions&,
                                          uint32_t rows) const override {
        Conv2dOptions options = options_;
        options.images = rows;
        return std::make_unique<PlannedConv2d>(Conv2d(device, options), tensors_);
    }

  private:
    std::string name_;
    Conv2dOptions options_;
    Conv2dTensors tensors_;
};

}  // namespace

}  // namespace vknorm::detail

namespace vknorm {

std::unique_ptr<detail::Layer> Conv2dLayer::make(const std::vector<detail::Shape>& inputs) const {
    const detail::Shape& input = inputs[0];
    detail::check_map(name, input);
    const Conv2dOptions options = detail::options_of(*this, input);
    const auto require_positive = [&](const char* option, uint32_t got) {
        detail::require_positive("graph", name + "." + option, got);
    };
    require_positive("channels", channels);
    require_positive("kernel", kernel);
    require_positive("stride", stride);
    require_positive("dilation", dilation);
    if (uint64_t{kernel} * kernel > Conv2d::max_terms / input[0])
        detail::refuse("graph", name + ".kernel", std::to_string(kernel),
                       "at most " + std::to_string(Conv2d::max_terms) + " weights for an output");
    if (options.output_height() == 0 || options.output_width() == 0)
        detail::refuse(
            "graph", name + ".kernel", std::to_string(kernel),
            "one that fits into an input of shape " + detail::text_of(input) + " with its padding");
    return std::make_unique<detail::Conv2dOfGraph>(name, options);
}

}  // namespace vknorm

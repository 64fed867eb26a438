// An activation function behind any node.
#include <vknorm/activation.hpp>

#include "nn/layer.hpp"
#include "ops/arguments.hpp"

namespace vknorm::detail {

namespace {

class PlannedActivation final : public LayerPlan {
  public:
    PlannedActivation(Device& device, const ActivationOptions& options) : function_(device, options) {}

    void forward(Recorder& recorder, const ForwardViews& views) const override {
        function_.forward(recorder,
                          {.x = views.x[0], .y = views.y, .first_non_finite = views.first_non_finite});
    }
    void backward(Recorder& recorder, const BackwardViews& views) const override {
        function_.backward(recorder, {.y = views.y, .dy = views.dy, .dx = views.dx[0]});
    }

  private:
    ActivationFunction function_;
};

class ActivationOfGraph final : public Layer {
  public:
    ActivationOfGraph(Activation function, const Shape& shape) : Layer(shape), function_(function) {}

    bool works_in_place() const override { return true; }
    std::unique_ptr<const LayerPlan> plan(Device& device, const NetworkOptions&,
                                          uint32_t rows) const override {
        const auto units = static_cast<uint32_t>(elements_of(output_shape()));
        return std::make_unique<PlannedActivation>(
            device, ActivationOptions{.function = function_, .rows = rows, .units = units});
    }

  private:
    Activation function_;
};

}  // namespace

}  // namespace vknorm::detail

namespace vknorm {

std::unique_ptr<detail::Layer> ActivationLayer::make(const std::vector<detail::Shape>& inputs) const {
    detail::require_value("graph", name + ".function", function, Activation::sigmoid);
    return std::make_unique<detail::ActivationOfGraph>(function, inputs[0]);
}

}  // namespace vknorm

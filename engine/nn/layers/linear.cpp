// A fully connected layer and its weights.
#include <vknorm/linear.hpp>

#include "nn/layer.hpp"
#include "ops/arguments.hpp"

namespace vknorm::detail {

namespace {

struct LinearTensors {
    StoredTensor weight{}, bias{};
};

class PlannedLinear final : public LayerPlan {
  public:
    PlannedLinear(const Linear& linear, const LinearTensors& tensors) : linear_(linear), tensors_(tensors) {}

    void forward(Recorder& recorder, const ForwardViews& views) const override {
        linear_.forward(recorder, {.x = views.x[0],
                                   .weight = views.store.parameter(tensors_.weight),
                                   .bias = views.store.parameter(tensors_.bias),
                                   .y = views.y});
    }
    void backward(Recorder& recorder, const BackwardViews& views) const override {
        linear_.backward(recorder, {.x = views.x[0],
                                    .dy = views.dy,
                                    .weight = views.store.parameter(tensors_.weight),
                                    .dx = views.dx[0],
                                    .dweight = views.weight_gradient(tensors_.weight),
                                    .dbias = views.weight_gradient(tensors_.bias)});
    }

  private:
    Linear linear_;
    LinearTensors tensors_;
};

class LinearOfGraph final : public Layer {
  public:
    LinearOfGraph(const LinearLayer& options, uint32_t inputs)
        : Layer({options.units}), options_(options), inputs_(inputs) {}

    uint64_t multiply_adds() const override { return uint64_t{options_.units} * inputs_; }
    void take_tensors(StoreLayout& layout, const NetworkOptions&) override {
        const InitialValues uniform{.fan_in = inputs_};
        const std::vector<uint64_t> shape = {options_.units, inputs_};
        tensors_.weight = layout.take(TensorGroup::weights, options_.name, "weight", shape, uniform);
        if (options_.bias)
            tensors_.bias = layout.take(TensorGroup::weights, options_.name, "bias", options_.units, uniform);
    }
    std::unique_ptr<const LayerPlan> plan(Device& device, const NetworkOptions&,
                                          uint32_t rows) const override {
        const LinearOptions options{
            .rows = rows, .inputs = inputs_, .outputs = options_.units, .bias = options_.bias};
        return std::make_unique<PlannedLinear>(Linear(device, options), tensors_);
    }

  private:
    LinearLayer options_;
    uint32_t inputs_;
    LinearTensors tensors_;
};

}  // namespace

}  // namespace vknorm::detail

namespace vknorm {

std::unique_ptr<detail::Layer> LinearLayer::make(const std::vector<detail::Shape>& inputs) const {
    if (units == 0) detail::refuse("graph", name + ".units", "0", "at least 1");
    return std::make_unique<detail::LinearOfGraph>(*this, detail::features_of(name, inputs[0]));
}

}  // namespace vknorm

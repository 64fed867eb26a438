// The sum of two branches.
#include "ops/add.hpp"

#include "nn/layer.hpp"
#include "ops/arguments.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

namespace {

class PlannedAdd final : public LayerPlan {
  public:
    void forward(Recorder& recorder, const ForwardViews& views) const override {
        add(recorder, views.x[0], views.x[1], views.y);
    }
    void backward(Recorder& recorder, const BackwardViews& views) const override {
        for (const BufferView& dx : views.dx)
            if (dx && dx != views.dy) copy(recorder, views.dy, dx);
    }
};

class AddOfGraph final : public Layer {
  public:
    AddOfGraph(const std::string& name, const Shape& shape) : Layer(shape), name_(name) {}

    bool works_in_place() const override { return true; }
    std::unique_ptr<const LayerPlan> plan(Device& device, const NetworkOptions&,
                                          uint32_t rows) const override {
        require_range(device.capabilities(), "network: " + name_, 4 * rows * elements_of(output_shape()));
        return std::make_unique<PlannedAdd>();
    }

  private:
    std::string name_;
};

}  // namespace

}  // namespace vknorm::detail

namespace vknorm {

std::unique_ptr<detail::Layer> AddLayer::make(const std::vector<detail::Shape>& inputs) const {
    if (inputs[0] != inputs[1])
        detail::refuse("graph", name,
                       "shapes " + detail::text_of(inputs[0]) + " and " + detail::text_of(inputs[1]),
                       "equal ones");
    return std::make_unique<detail::AddOfGraph>(name, inputs[0]);
}

}  // namespace vknorm

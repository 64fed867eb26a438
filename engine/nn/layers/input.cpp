// The examples that a graph is given: others write them.
#include <limits>

#include "nn/layer.hpp"
#include "ops/arguments.hpp"
#include "ops/sizes.hpp"

namespace vknorm::detail {

namespace {

class PlannedInput final : public LayerPlan {
  public:
    void forward(Recorder&, const ForwardViews&) const override {}
    void backward(Recorder&, const BackwardViews&) const override {}
};

class InputOfGraph final : public Layer {
  public:
    using Layer::Layer;
    std::unique_ptr<const LayerPlan> plan(Device&, const NetworkOptions&, uint32_t) const override {
        return std::make_unique<PlannedInput>();
    }
};

}  // namespace

}  // namespace vknorm::detail

namespace vknorm {

std::unique_ptr<detail::Layer> InputLayer::make(const std::vector<detail::Shape>&) const {
    uint64_t elements = shape.empty() ? 0 : 1;
    for (const uint32_t size : shape) elements = detail::checked_product(elements, size, "graph: " + name);
    if (elements == 0 || elements > std::numeric_limits<uint32_t>::max())
        detail::refuse("graph", name, "shape " + detail::text_of(shape), "1 to 4294967295 values");
    return std::make_unique<detail::InputOfGraph>(shape);
}

}  // namespace vknorm

// Another shape for the same memory.
#include "nn/layer.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

namespace {

class PlannedFlatten final : public LayerPlan {
  public:
    void forward(Recorder&, const ForwardViews&) const override {}
    void backward(Recorder& recorder, const BackwardViews& views) const override {
        if (views.dx[0] && views.dx[0] != views.dy) copy(recorder, views.dy, views.dx[0]);
    }
};

class FlattenOfGraph final : public Layer {
  public:
    using Layer::Layer;
    bool is_view() const override { return true; }
    bool works_in_place() const override { return true; }
    std::unique_ptr<const LayerPlan> plan(Device&, const NetworkOptions&, uint32_t) const override {
        return std::make_unique<PlannedFlatten>();
    }
};

}  // namespace

}  // namespace vknorm::detail

namespace vknorm {

std::unique_ptr<detail::Layer> FlattenLayer::make(const std::vector<detail::Shape>& inputs) const {
    return std::make_unique<detail::FlattenOfGraph>(
        detail::Shape{static_cast<uint32_t>(detail::elements_of(inputs[0]))});
}

}  // namespace vknorm

// Dropout in training, nothing in evaluation.
#include <vknorm/dropout.hpp>

#include "nn/layer.hpp"
#include "nn/name_hash.hpp"
#include "ops/arguments.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

namespace {

class PlannedDropout final : public LayerPlan {
  public:
    PlannedDropout(const Dropout& dropout, uint64_t seed, uint32_t layer)
        : dropout_(dropout), seed_(seed), layer_(layer) {}

    void forward(Recorder& recorder, const ForwardViews& views) const override {
        if (views.how.training_step == 0)
            copy(recorder, views.x[0], views.y);
        else
            dropout_.forward(recorder, {.x = views.x[0], .y = views.y, .mask = mask(views.how)});
    }
    void backward(Recorder& recorder, const BackwardViews& views) const override {
        if (views.dx[0])
            dropout_.backward(recorder, {.dy = views.dy, .dx = views.dx[0], .mask = mask(views.how)});
    }

  private:
    DropoutMask mask(const Propagation& how) const {
        return {.seed = seed_, .step = how.training_step, .layer = layer_};
    }

    Dropout dropout_;
    uint64_t seed_;
    uint32_t layer_;
};

class DropoutOfGraph final : public Layer {
  public:
    DropoutOfGraph(const DropoutLayer& options, const Shape& shape) : Layer(shape), options_(options) {}

    bool works_in_place() const override { return true; }
    std::unique_ptr<const LayerPlan> plan(Device& device, const NetworkOptions& options,
                                          uint32_t rows) const override {
        const auto units = static_cast<uint32_t>(elements_of(output_shape()));
        return std::make_unique<PlannedDropout>(
            Dropout(device, {.p = options_.p, .rows = rows, .units = units}), options.seed,
            hash_of_name(options_.name));
    }

  private:
    DropoutLayer options_;
};

}  // namespace

}  // namespace vknorm::detail

namespace vknorm {

std::unique_ptr<detail::Layer> DropoutLayer::make(const std::vector<detail::Shape>& inputs) const {
    if (!(p >= 0 && p < 1)) detail::refuse("graph", name + ".p", std::to_string(p), "at least 0 and below 1");
    return std::make_unique<detail::DropoutOfGraph>(*this, inputs[0]);
}

}  // namespace vknorm

// Pictures at random in training, and only normalized in evaluation.
#include <vknorm/augment.hpp>

#include "nn/layer.hpp"
#include "nn/name_hash.hpp"
#include "ops/arguments.hpp"

namespace vknorm::detail {

namespace {

class PlannedAugment final : public LayerPlan {
  public:
    PlannedAugment(const Augment& augment, uint64_t seed, uint32_t layer)
        : augment_(augment), seed_(seed), layer_(layer) {}

    void forward(Recorder& recorder, const ForwardViews& views) const override {
        const Augment::Pictures pictures{.x = views.x[0], .y = views.y};
        if (views.how.training_step == 0)
            augment_.evaluation(recorder, pictures);
        else
            augment_.training(recorder, pictures,
                              {.seed = seed_, .step = views.how.training_step, .layer = layer_});
    }
    // Nothing before it is trained.
    void backward(Recorder&, const BackwardViews&) const override {}

  private:
    Augment augment_;
    uint64_t seed_;
    uint32_t layer_;
};

class AugmentOfGraph final : public Layer {
  public:
    AugmentOfGraph(const AugmentLayer& options, const Shape& shape) : Layer(shape), options_(options) {}

    std::unique_ptr<const LayerPlan> plan(Device& device, const NetworkOptions& options,
                                          uint32_t rows) const override {
        const Shape& shape = output_shape();
        return std::make_unique<PlannedAugment>(Augment(device, {.rows = rows,
                                                                 .channels = shape[0],
                                                                 .height = shape[1],
                                                                 .width = shape[2],
                                                                 .padding = options_.padding,
                                                                 .flip = options_.flip,
                                                                 .mean = options_.mean,
                                                                 .deviation = options_.deviation}),
                                                options.seed, hash_of_name(options_.name));
    }

  private:
    AugmentLayer options_;
};

}  // namespace

}  // namespace vknorm::detail

namespace vknorm {

std::unique_ptr<detail::Layer> AugmentLayer::make(const std::vector<detail::Shape>& inputs) const {
    detail::check_map(name, inputs[0]);
    return std::make_unique<detail::AugmentOfGraph>(*this, inputs[0]);
}

}  // namespace vknorm

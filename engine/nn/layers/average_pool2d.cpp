// Means: of windows, and of the bins of adaptive pooling.
#include "nn/layer.hpp"
#include "ops/pooling.hpp"

namespace vknorm::detail {

namespace {

AveragePool2dOptions pool_options(const AveragePool2dLayer& layer, const Shape& input, uint32_t rows) {
    return {.rows = rows,
            .channels = input[0],
            .height = input[1],
            .width = input[2],
            .kernel = layer.kernel,
            .stride = layer.stride,
            .padding = layer.padding,
            .count_include_pad = layer.count_include_pad};
}

AdaptiveAveragePool2dOptions pool_options(const AdaptiveAveragePool2dLayer& layer, const Shape& input,
                                          uint32_t rows) {
    return {.rows = rows,
            .channels = input[0],
            .height = input[1],
            .width = input[2],
            .output = {layer.output_height, layer.output_width}};
}

/// Of either kind.
template <class Pool>
class PlannedAverage final : public LayerPlan {
  public:
    explicit PlannedAverage(const Pool& pool) : pool_(pool) {}

    void forward(Recorder& recorder, const ForwardViews& views) const override {
        pool_.forward(recorder, {.x = views.x[0], .y = views.y});
    }
    void backward(Recorder& recorder, const BackwardViews& views) const override {
        if (views.dx[0]) pool_.backward(recorder, {.dy = views.dy, .dx = views.dx[0]});
    }

  private:
    Pool pool_;
};

template <class Options, class Pool>
class AverageOfGraph final : public Layer {
  public:
    AverageOfGraph(const Options& options, const Shape& input, const PooledSize& output)
        : Layer({input[0], output.height, output.width}), options_(options), input_(input) {}

    std::unique_ptr<const LayerPlan> plan(Device& device, const NetworkOptions&,
                                          uint32_t rows) const override {
        return std::make_unique<PlannedAverage<Pool>>(Pool(device, pool_options(options_, input_, rows)));
    }

  private:
    Options options_;
    Shape input_;
};

template <class Pool, class Options>
std::unique_ptr<Layer> make_average(const Options& options, const Shape& input) {
    check_map(options.name, input);
    const PooledSize output = pooled_size("graph: " + options.name, pool_options(options, input, 1));
    return std::make_unique<AverageOfGraph<Options, Pool>>(options, input, output);
}

}  // namespace

}  // namespace vknorm::detail

namespace vknorm {

std::unique_ptr<detail::Layer> AveragePool2dLayer::make(const std::vector<detail::Shape>& inputs) const {
    return detail::make_average<AveragePool2d>(*this, inputs[0]);
}

std::unique_ptr<detail::Layer> AdaptiveAveragePool2dLayer::make(
    const std::vector<detail::Shape>& inputs) const {
    return detail::make_average<AdaptiveAveragePool2d>(*this, inputs[0]);
}

}  // namespace vknorm

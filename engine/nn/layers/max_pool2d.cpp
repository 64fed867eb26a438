// The largest value of each window.
#include "nn/layer.hpp"
#include "ops/pooling.hpp"

namespace vknorm::detail {

namespace {

MaxPool2dOptions pool_options(const MaxPool2dLayer& layer, const Shape& input, uint32_t rows) {
    return {.rows = rows,
            .channels = input[0],
            .height = input[1],
            .width = input[2],
            .kernel = layer.kernel,
            .stride = layer.stride,
            .padding = layer.padding,
            .dilation = layer.dilation};
}

class PlannedMaxPool2d final : public LayerPlan {
  public:
    PlannedMaxPool2d(const MaxPool2d& pool, const StoredTensor& indices) : pool_(pool), indices_(indices) {}

    void forward(Recorder& recorder, const ForwardViews& views) const override {
        const bool trains = views.how.training_step > 0;
        pool_.forward(
            recorder,
            {.x = views.x[0], .y = views.y, .indices = trains ? views.store.kept(indices_) : BufferView{}});
    }
    void backward(Recorder& recorder, const BackwardViews& views) const override {
        if (!views.dx[0]) return;
        pool_.backward(recorder, {.dy = views.dy, .indices = views.store.kept(indices_), .dx = views.dx[0]});
    }

  private:
    MaxPool2d pool_;
    StoredTensor indices_;
};

class MaxPool2dOfGraph final : public Layer {
  public:
    MaxPool2dOfGraph(const MaxPool2dLayer& options, const Shape& input, const PooledSize& output)
        : Layer({input[0], output.height, output.width}), options_(options), input_(input) {}

    void take_tensors(StoreLayout& layout, const NetworkOptions& options) override {
        indices_ = layout.take(TensorGroup::kept, options_.name, "indices",
                               options.max_batch * elements_of(output_shape()));
    }
    std::unique_ptr<const LayerPlan> plan(Device& device, const NetworkOptions&,
                                          uint32_t rows) const override {
        return std::make_unique<PlannedMaxPool2d>(MaxPool2d(device, pool_options(options_, input_, rows)),
                                                  indices_);
    }

  private:
    MaxPool2dLayer options_;
    Shape input_;
    StoredTensor indices_;
};

}  // namespace

}  // namespace vknorm::detail

namespace vknorm {

std::unique_ptr<detail::Layer> MaxPool2dLayer::make(const std::vector<detail::Shape>& inputs) const {
    detail::check_map(name, inputs[0]);
    return std::make_unique<detail::MaxPool2dOfGraph>(
        *this, inputs[0], detail::pooled_size("graph: " + name, detail::pool_options(*this, inputs[0], 1)));
}

}  // namespace vknorm

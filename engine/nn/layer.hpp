// What a layer is to the graph. A kind of layer is its options in vknorm/graph.hpp, and a file in nn/layers/
// with a Layer, a LayerPlan and the options' make().
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <vknorm/network.hpp>

#include "nn/store.hpp"

namespace vknorm::detail {

uint64_t elements_of(const Shape& shape);
/// Such as {3, 32, 32}, for messages.
std::string text_of(const Shape& shape);

/// How values go through the network, and whom a layer tells of those that are not finite.
struct Propagation {
    Statistics statistics = Statistics::running;
    RenormLimits renorm{};
    bool update_running = false;
    uint64_t training_step = 0;  ///< counted from 1, with micro-batches for steps; 0: an evaluation
    bool train_affine = false;   ///< whether gradients of gamma and beta are wanted
    bool train_weights = false;  ///< and those of other parameters
    /// For each node whether its parameters, or its running statistics, are to stay as they are: then it
    /// normalizes with them; empty: none is.
    std::vector<bool> frozen_parameters{}, frozen_statistics{};
    /// Replaces what a buffer of batch statistics holds by what all hold together, see LayerPlan::measure.
    /// Null: nothing is shared.
    std::function<void(const ExchangedBuffer&)> share{};
    /// Whether norms may do what the sums and ReLUs behind them would.
    bool fuses = true;
    std::vector<bool> watched{};  ///< for each node whether something looks at its tensors; empty: none
    BufferView divergence{};
};

/// What a layer finds and leaves, all [rows, its shape]. Scratch, parameters and what was saved are in the
/// store.
struct ForwardViews {
    const Store& store;
    const Propagation& how;
    std::span<const BufferView> x;  ///< in, what the node reads
    BufferView y{};                 ///< out
    BufferView first_non_finite{};  ///< in and out: the word of x[0]; absent: nobody wants to know
    BufferView residual{};          ///< in: the layer adds it, as the sum behind it would
    bool relu = false;              ///< the layer does what the ReLU behind it would, after that
};

struct BackwardViews {
    const Store& store;
    const Propagation& how;
    std::span<const BufferView> x;   ///< in, as forward
    BufferView y{};                  ///< in, as forward left it
    BufferView dy{};                 ///< in
    std::span<const BufferView> dx;  ///< out, one for each x; absent: not wanted; dy itself where the layer
                                     ///< works in place
    bool relu = false;               ///< as forward
    bool residual = false;           ///< forward added one
    BufferView dresidual{};          ///< out, its gradient; absent: not wanted; may be dy itself

    /// Of a parameter that is neither gamma nor beta; absent: not wanted.
    BufferView weight_gradient(const StoredTensor& tensor) const {
        return how.train_weights ? store.gradient(tensor) : BufferView{};
    }
};

/// A layer's operations for a fixed number of rows.
class LayerPlan {
  public:
    virtual ~LayerPlan() = default;

    virtual VkDeviceSize scratch_bytes() const { return 0; }
    /// How it goes about with batch statistics, for people; empty where there is nothing to tell.
    virtual std::string explain() const { return ""; }
    /// Whether it can do what a ReLU behind it would, too, and before that add a residual.
    virtual bool fuses(const Propagation&) const { return false; }

    virtual void forward(Recorder& recorder, const ForwardViews& views) const = 0;
    /// The gradients of the layer's parameters, and dx.
    virtual void backward(Recorder& recorder, const BackwardViews& views) const = 0;

    /// Of a norm, after forward: what it would have given with gamma 1 and beta 0, without a residual and a
    /// ReLU.
    virtual void normalize(Recorder&, const ForwardViews&) const {}

    // Where statistics are exchanged: what comes before forward or backward up to the exchange. Gives what is
    // exchanged; absent: nothing. Views without x are those of no rows: then forward only takes note of the
    // statistics, and there is no backward.
    virtual BufferView measure(Recorder&, const ForwardViews&) const { return {}; }
    virtual BufferView sum(Recorder&, const BackwardViews&) const { return {}; }

    // Of a norm with running statistics, after forward:
    /// Merges the moments of x with those of the batches before, unless it is the first one.
    virtual void pool(Recorder&, const ForwardViews&, bool /*first*/) const {}
    /// Those moments; absent: it has none.
    virtual BufferView pooled(const Store&) const { return {}; }
    /// Makes the running statistics that norms update those of the pooled moments.
    virtual void take_pooled(Recorder&, const Store&) const {}
};

/// Values of the store, on the host, as one step left them.
struct StoreCopy {
    const StoreLayout& layout;
    std::span<const float> affine, running, reported;  ///< the groups; reported with what is watched

    std::span<const float> operator()(const StoredTensor& tensor) const;
};

/// A layer of one network.
class Layer {
  public:
    explicit Layer(Shape output_shape) : output_shape_(std::move(output_shape)) {}
    virtual ~Layer() = default;

    const Shape& output_shape() const { return output_shape_; }  ///< of one example
    /// Whether the output is the memory of the input.
    virtual bool is_view() const { return false; }
    /// Whether the gradient of an input may take the place of that of the output.
    virtual bool works_in_place() const { return false; }

    /// Of a pass forward, for one example.
    virtual uint64_t multiply_adds() const { return 0; }
    /// Takes the tensors that it owns.
    virtual void take_tensors(StoreLayout&, const NetworkOptions&) {}
    /// Refuses a number of rows that the layer cannot train on with batch statistics.
    virtual void check_training_rows(uint64_t) const {}
    /// Throws std::invalid_argument for options that the layer cannot follow, Unsupported when a tensor is
    /// too large for this device.
    virtual std::unique_ptr<const LayerPlan> plan(Device& device, const NetworkOptions& options,
                                                  uint32_t rows) const = 0;

    struct Reported {
        uint32_t rows;
        Statistics statistics;
        float epsilon;
    };
    /// Of the layer's channels after a step; empty for a layer that does not normalize.
    virtual std::vector<ChannelStatistics> statistics(const StoreCopy&, const Reported&) const { return {}; }

  private:
    Shape output_shape_;
};

/// `inputs` are the shapes of what it reads. Throws std::invalid_argument, naming the node.
std::unique_ptr<Layer> layer_of(const LayerOptions& options, const std::vector<Shape>& inputs);

/// Of every node.
std::vector<std::unique_ptr<Layer>> layers_of(const Graph& graph);
/// With the tensors of all of them.
StoreLayout layout_of(const std::vector<std::unique_ptr<Layer>>& layers, const NetworkOptions& options);

/// Of a layer that takes {features} only: how many those are.
uint32_t features_of(const std::string& node, const Shape& input);
/// Refuses another shape than {channels, height, width}.
void check_map(const std::string& node, const Shape& input);

}  // namespace vknorm::detail

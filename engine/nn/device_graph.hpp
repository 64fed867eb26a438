// A graph on the device: its tensors, outputs and gradients, and how passes through it are recorded.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include <vknorm/softmax_cross_entropy.hpp>

#include "nn/layer.hpp"
#include "nn/wiring.hpp"

namespace vknorm::detail {

/// Nodes go by their numbers.
class DeviceGraph {
  public:
    /// Throws std::invalid_argument for a graph that cannot be trained or options out of range, Unsupported
    /// when a tensor is too large for this device.
    DeviceGraph(Device& device, const Graph& graph, const NetworkOptions& options);

    /// The tensors of the start.
    void initialize(Stream& stream);
    /// Plans what depends on the number of rows, unless that was done before. Waits when the layers' scratch
    /// has to grow.
    void plan_for(uint32_t rows, Stream& stream);

    // These need plan_for(rows). x is [rows, the input's shape]; absent where there are no rows, but others
    // have some: then statistics are shared, and gradients of parameters 0.
    /// Up to logits().
    void forward(Stream& stream, uint32_t rows, const BufferView& x, const Propagation& how) const;
    struct Backward {
        BufferView x{}, labels{};  ///< in
        float weight_sum = 0;      ///< see SoftmaxCrossEntropy
        BufferView losses{};       ///< out, RowLoss [rows]
        /// Called when the gradient of a node is whole; its memory may be used for others afterwards.
        std::function<void(Recorder&, size_t node)> gradient_is_there{};
    };
    /// Loss and gradient, after forward().
    void backward(Stream& stream, uint32_t rows, const Backward& arguments, const Propagation& how) const;
    /// After forward() with batch statistics: pools those of all norms with running statistics, unless these
    /// are frozen, with the ones of batches before, unless this is the first.
    void pool_statistics(Recorder& recorder, uint32_t rows, const BufferView& x, const Propagation& how,
                         bool first) const;
    /// After forward(): what that norm gave, without gamma and beta.
    void normalize(Recorder& recorder, size_t norm, uint32_t rows, const BufferView& x,
                   const Propagation& how, const BufferView& y) const;
    /// What was pooled.
    std::vector<std::pair<std::string, BufferView>> pooled(uint32_t rows, const Propagation& how) const;
    /// Makes the running statistics that norms update those.
    void take_pooled_statistics(Recorder& recorder, uint32_t rows, const Propagation& how) const;
    const SoftmaxCrossEntropy& loss(uint32_t rows) const { return plans_.at(rows).loss; }
    BufferView logits(uint32_t rows) const { return output(nodes_.size() - 1, rows, {}); }

    void set_batch_norm(const BatchNormConvention& convention);
    const NetworkOptions& options() const { return options_; }
    /// See LayerPlan::explain.
    std::string explain(size_t node, uint32_t rows) const;

    size_t node_count() const { return nodes_.size(); }
    std::optional<size_t> find(const std::string& name) const;
    const std::string& name(size_t node) const { return nodes_[node].name; }
    const Layer& layer(size_t node) const { return *layers_[node]; }
    // Of one example.
    uint32_t elements(size_t node) const { return nodes_[node].elements; }
    uint32_t channels(size_t node) const { return layers_[node]->output_shape().front(); }
    uint32_t positions(size_t node) const { return elements(node) / channels(node); }  ///< of a channel
    uint32_t classes() const { return nodes_.back().elements; }
    bool differentiated(size_t node) const { return wiring_.differentiated[node]; }
    /// What the node reads, of several the first.
    size_t source(size_t node) const { return nodes_[node].reads.front(); }
    /// Whether no other node reads that, too.
    bool reads_alone(size_t node) const { return wiring_.readers[source(node)].size() == 1; }
    // [rows, the node's shape]
    BufferView output(size_t node, uint32_t rows, const BufferView& x) const;
    BufferView gradient(size_t node, uint32_t rows) const;

    const Store& store() const { return store_; }
    /// Device memory, in bytes.
    struct Memory {
        VkDeviceSize parameters, gradient, running, saved, outputs, output_gradients, scratch;
    };
    Memory memory() const;

  private:
    struct Node {
        std::string name, forward_label, backward_label;
        std::vector<size_t> reads{};
        bool relu = false, sum = false;
        uint32_t elements = 0;        // of one example's output
        Buffer output{}, gradient{};  // unless they are in the memory of another node
    };
    /// Operations for a fixed number of rows.
    struct RowsPlan {
        std::vector<std::unique_ptr<const LayerPlan>> layers;
        SoftmaxCrossEntropy loss;
        VkDeviceSize scratch_bytes;
    };
    static std::vector<Node> nodes_of(const Graph& graph);
    Wiring wiring() const;
    void allocate_outputs();
    const RowsPlan& plan(uint32_t rows);
    /// Where there are no rows, what does not depend on their number.
    const RowsPlan& planned(uint32_t rows) const { return plans_.at(std::max(rows, 1u)); }
    void grow_scratch(VkDeviceSize bytes);
    /// Absent: all are 1.
    BufferView class_weights() const {
        return options_.class_weights.empty() ? BufferView{} : class_weights_.view();
    }
    std::vector<BufferView> inputs(size_t node, uint32_t rows, const BufferView& x) const;
    /// How values go through that node.
    static Propagation at(size_t node, const Propagation& how);
    /// For each node whether something is trained, or looks at its gradient, at or before it.
    std::vector<bool> wanted_gradients(const Propagation& how) const;
    /// What a layer does besides, because nothing looks between.
    struct Fusion {
        size_t node = 0;      ///< whose layer it is; 0: of none, another one does the node's work
        size_t relu = 0;      ///< the ReLU behind it, whose place it takes; 0: none
        size_t sum = 0;       ///< the sum between them; 0: none
        size_t residual = 0;  ///< what that adds

        size_t last() const { return relu > 0 ? relu : node; }
    };
    /// The only node that reads that one, if nothing else looks at what it gives; else 0.
    size_t only_reader(size_t node, const Propagation& how) const;
    Fusion fusion_of(const RowsPlan& plan, size_t norm, const Propagation& how) const;
    /// For each node what is to be done in its turn.
    std::vector<Fusion> turns(const RowsPlan& plan, const Propagation& how) const;
    void forward_no_rows(Stream& stream, const Propagation& how) const;
    void backward_no_rows(Stream& stream, const Propagation& how) const;
    void backward(Stream& stream, uint32_t rows, const Fusion& turn, const BufferView& x,
                  const Propagation& how, const std::vector<bool>& wanted) const;

    Device& device_;
    NetworkOptions options_;
    std::vector<Node> nodes_;
    std::vector<std::unique_ptr<Layer>> layers_;
    Store store_;
    Wiring wiring_;
    Buffer class_weights_;  // empty: all are 1
    Buffer spare_;          // a gradient that is added to another one
    std::map<uint32_t, RowsPlan> plans_;
};

}  // namespace vknorm::detail

// Loss, accuracy and predictions of a network as it is, chunk by chunk.
#pragma once

#include "nn/device_graph.hpp"

namespace vknorm::detail {

/// Keeps references to graph and stream. Chunks have at most max_batch rows.
class Evaluator {
  public:
    Evaluator(Device& device, DeviceGraph& graph, Stream& stream);

    Evaluation evaluate(std::span<const float> inputs, std::span<const uint32_t> labels,
                        const Propagation& how, uint32_t chunk);
    std::vector<float> predict(std::span<const float> inputs, const Propagation& how, uint32_t chunk);
    /// What a node gives.
    std::vector<float> output(size_t node, std::span<const float> inputs, Propagation how, uint32_t chunk);
    /// Pools the statistics of parts of at most `chunk` rows, propagated like `how`.
    void recompute_running_statistics(std::span<const float> inputs, const Propagation& how, uint32_t chunk);
    /// Compiles what evaluations and predictions need for chunks of so many rows.
    void prepare(uint32_t rows);

  private:
    /// Uploads a chunk.
    void upload(std::span<const float> inputs, std::span<const uint32_t> labels, uint32_t rows);
    /// Calls for_chunk(first row, rows) with the inputs of each chunk uploaded.
    template <class ForChunk>
    void in_chunks(std::span<const float> inputs, uint32_t chunk, ForChunk for_chunk);
    // The way to the losses of a chunk, those after the first `held`; and to its probabilities.
    void record_losses(uint32_t rows, const Propagation& how, uint32_t held);
    BufferView record_probabilities(uint32_t rows, const Propagation& how);

    DeviceGraph& graph_;
    Stream& stream_;
    uint32_t inputs_;
    Buffer batch_, losses_, probabilities_;
};

}  // namespace vknorm::detail

// Loss, accuracy and predictions of a model as it is, chunk by chunk.
#pragma once

#include "nn/model.hpp"

namespace vknorm::detail {

/// Keeps references to model and stream. Chunks have at most max_batch rows.
class Evaluator {
  public:
    Evaluator(Device& device, const NetworkOptions& options, Model& model, Stream& stream);

    Evaluation evaluate(std::span<const float> inputs, std::span<const uint32_t> labels, const Pass& pass,
                        uint32_t chunk);
    std::vector<float> predict(std::span<const float> inputs, const Pass& pass, uint32_t chunk);

  private:
    /// Uploads a chunk and records the way to its logits.
    void record(std::span<const float> inputs, std::span<const uint32_t> labels, uint32_t rows,
                const Pass& pass);

    Model& model_;
    Stream& stream_;
    uint32_t inputs_;
    Buffer batch_, results_, probabilities_;
};

}  // namespace vknorm::detail

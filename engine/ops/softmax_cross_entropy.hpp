// Softmax over the classes, and the cross-entropy loss of labelled rows.
#pragma once

#include <vknorm/stream.hpp>

#include "ops/health.hpp"

namespace vknorm::detail {

/// For a fixed number of rows. All views start at multiples of 256 bytes; logits are [rows, classes], labels
/// are below `classes`. A row with a logit that is not finite has a loss of NaN and is not correct.
class SoftmaxCrossEntropy {
  public:
    /// Throws std::invalid_argument when there are too many rows and classes for one dispatch.
    SoftmaxCrossEntropy(const Capabilities& capabilities, uint32_t rows, uint32_t classes);

    struct Train {
        BufferView logits{}, labels{};  ///< in
        BufferView results{};           ///< out, RowResult [rows]
        BufferView dlogits{};           ///< out, gradient of the mean loss
        HealthWord word{};
    };
    void train(Recorder& recorder, const Train& arguments) const;

    /// Stores RowResult [rows] from row `first_result` of `results` on.
    void measure(Recorder& recorder, const BufferView& logits, const BufferView& labels,
                 const BufferView& results, uint32_t first_result) const;

    /// Probabilities, [rows, classes].
    void predict(Recorder& recorder, const BufferView& logits, const BufferView& probabilities) const;

  private:
    uint32_t rows_, classes_;
};

}  // namespace vknorm::detail

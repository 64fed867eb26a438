// Folding batch normalization into the layer before it, for inference: afterwards the layer alone does what
// both did.
//
// Source: B. Jacob et al., "Quantization and Training of Neural Networks for Efficient
// Integer-Arithmetic-Only Inference", CVPR 2018 (arXiv:1712.05877), section 3.2.
#pragma once

#include <vknorm/stream.hpp>

namespace vknorm {

/// A linear layer or a convolution, whose weight is [C, K] with C output channels: a linear layer's (out,
/// in), a convolution's (out, in / groups, kernel...).
struct FoldBatchNorm {
    uint32_t channels = 0;             ///< C, at least 1
    uint32_t weights_per_channel = 0;  ///< K, at least 1
    float epsilon = 1e-5f;
    BufferView weight{};                       ///< in, [C, K]
    BufferView bias{};                         ///< in, [C]; may be absent (0)
    BufferView gamma{}, beta{};                ///< in, [C]; each may be absent (1 and 0)
    BufferView running_mean{}, running_var{};  ///< in, [C]
    BufferView folded_weight{};                ///< out, [C, K]; may be weight itself
    BufferView folded_bias{};                  ///< out, [C]; may be bias itself
};

/// weight' = weight * s and bias' = (bias - running_mean) * s + beta with s = gamma / sqrt(running_var +
/// epsilon). Throws std::invalid_argument naming the argument, before anything is recorded.
void fold_batch_norm(Recorder& recorder, const FoldBatchNorm& arguments);

}  // namespace vknorm

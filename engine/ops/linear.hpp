// A fully connected layer for a fixed number of rows: y = x * weight^T + bias, and its gradients. Weights are
// [outputs, inputs], as in torch.nn.Linear.
#pragma once

#include "ops/gemm.hpp"

namespace vknorm::detail {

/// Views start at multiples of 256 bytes; no output overlaps another argument.
class Linear {
  public:
    /// Throws as Gemm does.
    Linear(const Capabilities& capabilities, uint32_t rows, uint32_t inputs, uint32_t outputs);

    struct Forward {
        BufferView x{};               ///< in, [rows, inputs]
        BufferView weight{}, bias{};  ///< in, [outputs, inputs] and [outputs]
        BufferView y{};               ///< out, [rows, outputs]
    };
    void forward(Recorder& recorder, const Forward& arguments) const;

    struct BackwardInput {
        BufferView dy{};      ///< in, [rows, outputs]
        BufferView weight{};  ///< in, [outputs, inputs]
        BufferView dx{};      ///< out, [rows, inputs]
    };
    void backward_input(Recorder& recorder, const BackwardInput& arguments) const;

    struct BackwardParameters {
        BufferView x{};                 ///< in, [rows, inputs]
        BufferView dy{};                ///< in, [rows, outputs]
        BufferView dweight{}, dbias{};  ///< out, [outputs, inputs] and [outputs]
    };
    void backward_parameters(Recorder& recorder, const BackwardParameters& arguments) const;

  private:
    Gemm forward_, backward_input_, backward_parameters_;
};

}  // namespace vknorm::detail

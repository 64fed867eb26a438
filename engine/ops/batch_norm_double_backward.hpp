// The backward pass of batch normalization's backward pass; the equations are in
// batch_norm_double_coefficients.comp.
#pragma once

#include <vknorm/batch_norm.hpp>

#include "ops/norm/arguments.hpp"
#include "ops/norm/passes.hpp"

namespace vknorm::detail {

class BatchNormDoubleBackward {
  public:
    /// Takes what it needs of the scratch.
    BatchNormDoubleBackward(const NormPlan& plan, Scratch& scratch);

    /// Arguments are checked by the caller; `partials` is of NormPlan::partial_bytes().
    void record(Recorder& recorder, const NormPasses& norm, const BufferView& partials,
                const BatchNorm::DoubleBackward& arguments) const;

  private:
    ScratchRange dy_means_, ddx_means_, product_means_;  ///< pairs of means of dy, of ddx, of their products
    ScratchRange of_grad_dy_, of_grad_x_;                ///< what these are made of, four floats a channel
};

}  // namespace vknorm::detail

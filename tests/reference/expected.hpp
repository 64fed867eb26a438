// How far off an operation's results may be: the bounds of the design, |y - y64| <= 4e-6 max(1, |gamma|) and
// gradients 5e-6 of their largest, and in 16-bit storage one rounding of such a float32 result.
#pragma once

#include <vector>

#include "reference/batch_norm.hpp"
#include "support/compare.hpp"

namespace vknorm::reference {

using testing::Expectations;
using testing::Expected;

/// What a call of any operation is given.
struct NormData {
    std::vector<float> x{}, dy{};
    std::vector<float> gamma{}, beta{};    ///< each may be empty: absent
    std::vector<float> dgamma{}, dbeta{};  ///< what gradients are added to; each may be empty: 0
};

/// The tensors of `data`; the rest is the operation's.
Norm norm_of(const NormData& data, Sets sets, double epsilon, Statistics statistics);

Expected bounded_y(const Norm& norm, const NormForward& exact, Storage storage);
/// [2, sets]: the second half of a saved mean is what rounding the first half lost.
Expected bounded_mean(const Moments& exact);
Expected bounded_inv_std(const Values& exact);
/// running_mean, running_var, which were `before`; `deviation` is that of the values that went into them.
Expectations bounded_running(const Running& exact, const Running& before, const Values& deviation);
/// How many batches a guard refused; nobody counts them without.
void count_refused(Expectations& expectations, bool guard, int64_t refused);
/// Bits [parameters, values]: where a result so near 0 that float32 may see it on either side stands, either
/// bit will do.
Expected bounded_relu_mask(const Norm& norm, const NormForward& exact);
/// dx, dgamma, dbeta and, with a residual, dresidual. With `decided` the ReLU lets through exactly where the
/// reference does, else where a result is near 0 it may go either way.
Expectations bounded_gradients(const Norm& norm, const NormForward& exact, const NormData& data,
                               Storage storage, bool decided = false);
/// Of one tensor with those terms.
Expected bounded_gradient(const Values& values, const Values& terms, Storage storage = Storage::float32);

}  // namespace vknorm::reference

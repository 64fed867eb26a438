// The norm family in float64, straight from the equations: what the kernels are compared with. Slow and
// obvious on purpose. Every operation normalizes sets of values (see sets.hpp); mean, variance and inv_std
// are [sets], gamma and beta are [parameters], and an empty gamma or beta counts as 1 or 0.
#pragma once

#include "reference/sets.hpp"

namespace vknorm::reference {

/// What depends on x in the statistics of a set.
enum class Statistics {
    of_values,   ///< its mean and variance
    about_zero,  ///< its mean square: RMS normalization, whose mean is 0
    constant,    ///< nothing: running statistics
};

struct Moments {
    Values mean, variance;  ///< the variance biased; zeros for an empty set
};
Moments moments(const Sets& sets, const Numbers& x);
/// The mean square in place of the variance.
Moments moments_about_zero(const Sets& sets, const Numbers& x);

/// 1 / sqrt(variance + epsilon); 0 where that sum is 0, and for an empty set.
Values inv_std(const Sets& sets, const Values& variance, double epsilon);

/// gamma * (x - mean) * inv_std + beta; 0 for a value that is left out.
Values normalize(const Sets& sets, const Numbers& x, const Values& mean, const Values& inv_std,
                 const Numbers& gamma, const Numbers& beta);

struct Gradients {
    Values dx, dgamma, dbeta;
    /// The same with every term's absolute value: what rounding errors are measured against, as terms may
    /// cancel.
    Values dx_terms, dgamma_terms, dbeta_terms;
};
/// Of sum dy * normalize(x).
Gradients backward(const Sets& sets, const Numbers& x, const Numbers& dy, const Values& mean,
                   const Values& inv_std, const Numbers& gamma,
                   Statistics statistics = Statistics::of_values);
Gradients backward_frozen(const Sets& sets, const Numbers& x, const Numbers& dy, const Values& mean,
                          const Values& inv_std, const Numbers& gamma);

struct DoubleGradients {
    Values dy, x, gamma;
    Values dy_terms, x_terms, gamma_terms;  ///< as in Gradients
};
/// Of sum ddx * dx + sum ddgamma * dgamma + sum ddbeta * dbeta with what backward gives. For sets whose
/// values share their parameters.
DoubleGradients double_backward(const Sets& sets, const Numbers& x, const Numbers& dy, const Values& mean,
                                const Values& inv_std, const Numbers& gamma, const Numbers& ddx,
                                const Numbers& ddgamma, const Numbers& ddbeta);

}  // namespace vknorm::reference

// What batch normalization and its relatives add to the normalization of sets: running statistics, residual
// and ReLU, the factors of batch renormalization, folding. In float64, straight from the equations.
#pragma once

#include <cstdint>

#include <vknorm/batch_norm.hpp>
#include <vknorm/batch_renorm.hpp>

#include "reference/normalization.hpp"

namespace vknorm::reference {

/// relu(gamma * (x^ * r + d) + beta + residual): every operation of the family is a case of it.
struct Norm {
    Sets sets{};
    Values x{}, dy{};
    Values gamma{}, beta{};  ///< [parameters]; each may be empty
    Values residual{};       ///< may be empty
    bool relu = false;
    double epsilon = 1e-5f;
    Statistics statistics = Statistics::of_values;
    Moments constants{};  ///< [sets]; with Statistics::constant
    Values r{}, d{};      ///< [sets], which are the parameters', too; empty: 1, 0
};

struct NormForward {
    Moments moments;
    Values inv_std;
    Values linear;  ///< before residual and ReLU
    Values y;
    std::vector<bool> passed;  ///< where the ReLU let through
};
NormForward forward(const Norm& norm);
/// With these statistics in place of those of x.
NormForward forward(const Norm& norm, Moments moments, Values inv_std);

struct NormGradients : Gradients {
    Values dresidual;
};
/// With the statistics and ReLU of that forward pass.
NormGradients backward(const Norm& norm, const NormForward& forward);

struct Running {
    Values mean, variance;
};
/// What a batch has for the running statistics.
Running batch_statistics(const Sets& sets, const Moments& batch, const BatchNormConvention& convention);
/// Else a guard refuses the batch.
bool fits_float32(const Running& statistics);
/// The running statistics after one more batch; `batches` counts that batch.
Running update_running(const Sets& sets, const Moments& batch, const BatchNormConvention& convention,
                       const Numbers& running_mean, const Numbers& running_var, int64_t batches);

/// The average over the images of the statistics [images, channels].
Moments average_over_images(const Moments& moments, size_t channels);

/// What batch renormalization corrects by; S is the moving deviation, `deviation` the batch's.
struct Renorm {
    Values r, d;
};
Renorm renorm(const Values& mean, const Values& deviation, const Values& moving_mean, const Values& S,
              const RenormLimits& limits);

struct Folded {
    Values weight, bias;
};
/// `weight` is [channels, weights per channel]; bias, gamma and beta may be empty.
Folded fold(const Numbers& weight, const Numbers& bias, const Numbers& gamma, const Numbers& beta,
            const Numbers& running_mean, const Numbers& running_var, double epsilon);

}  // namespace vknorm::reference

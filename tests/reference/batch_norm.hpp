// Batch normalization in float64, straight from the equations (Ioffe & Szegedy 2015; see
// vknorm/batch_norm.hpp): what the kernels are compared with. Slow and obvious on purpose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <vknorm/batch_norm.hpp>

namespace vknorm::reference {

using Values = std::vector<double>;

/// Where the value (image, channel, position) stands in a dense tensor.
struct Geometry {
    size_t images = 0, channels = 0, positions = 0;
    bool channels_last = false;

    Geometry(const std::vector<uint32_t>& shape, Layout layout);
    size_t elements() const { return images * channels * positions; }
    size_t values_per_channel() const { return images * positions; }
    size_t at(size_t image, size_t channel, size_t position) const;
};

struct Moments {
    Values mean, variance;  ///< [C]; the variance biased; zeros for an empty batch
};
Moments moments(const Geometry& geometry, std::span<const float> x);

/// 1 / sqrt(variance + epsilon); 0 where that sum is 0, and for an empty batch.
Values inv_std(const Geometry& geometry, const Values& variance, double epsilon);

/// gamma * (x - mean) * inv_std + beta; an empty gamma or beta counts as 1 or 0.
Values normalize(const Geometry& geometry, std::span<const float> x, const Values& mean,
                 const Values& inv_std, std::span<const float> gamma, std::span<const float> beta);

struct Running {
    Values mean, variance;
};
/// The running statistics after one more batch; `batches` counts that batch.
Running update_running(const Geometry& geometry, const Moments& batch, const BatchNormConvention& convention,
                       std::span<const float> running_mean, std::span<const float> running_var,
                       int64_t batches);

struct Gradients {
    Values dx, dgamma, dbeta;
    /// The same with every term's absolute value: what rounding errors are measured against, as terms may
    /// cancel.
    Values dx_terms, dgamma_terms, dbeta_terms;
};
/// With statistics of the batch, which depend on x.
Gradients backward(const Geometry& geometry, std::span<const float> x, std::span<const float> dy,
                   const Values& mean, const Values& inv_std, std::span<const float> gamma);
/// With statistics that are constants.
Gradients backward_frozen(const Geometry& geometry, std::span<const float> x, std::span<const float> dy,
                          const Values& mean, const Values& inv_std, std::span<const float> gamma);

}  // namespace vknorm::reference

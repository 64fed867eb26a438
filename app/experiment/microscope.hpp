// What a norm does to one batch, value by value: what the device was given and gave in a training step, and
// the same in float64, straight from the equations.
//
// With m values in the set that is averaged over, mean and variance its own (or running ones) and
// r_i = 1 / sqrt(variance + epsilon), forward is x^ = (z - mean) * r_i, y = gamma * (r * x^ + d) + beta,
// where r and d are 1 and 0 but for batch renormalization. Backward, with g = r * gamma * dy, the gradient of
// x^, is dx = r_i * (g - sum(g) / m - x^ * sum(g * x^) / m): the three terms of Examination.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <vknorm/network.hpp>

namespace lab {

/// The norm of one layer in one training step.
struct Specimen {
    uint64_t step = 0;
    vknorm::Norm kind = vknorm::Norm::batch;
    vknorm::Activation activation = vknorm::Activation::identity;  ///< behind the norm, or before it
    vknorm::NormOrder order = vknorm::NormOrder::before_activation;
    uint32_t channels = 0, positions = 1;  ///< units; values of each in an example, of a map
    uint32_t groups = 1;                   ///< of GroupNorm
    uint32_t ghost_size = 0;               ///< of GhostNorm: rows
    float epsilon = 0;
    vknorm::Statistics statistics = vknorm::Statistics::batch;  ///< what the step normalized with
    vknorm::RenormLimits limits{};                              ///< of BatchRenorm in this step
    std::vector<uint32_t> labels{};                             ///< [rows]
    vknorm::NormCapture device{};

    uint32_t rows() const { return device.rows; }
    size_t elements() const { return size_t{rows()} * channels * positions; }
    /// Where a value stands in x, y and their gradients.
    size_t at(uint32_t row, uint32_t channel, uint32_t position = 0) const {
        return (size_t{row} * channels + channel) * positions + position;
    }
    uint32_t row_of(size_t element) const { return static_cast<uint32_t>(element / positions / channels); }
    uint32_t channel_of(size_t element) const {
        return static_cast<uint32_t>(element / positions % channels);
    }
};

/// How a norm that keeps running statistics is used; to the others all are one.
enum class NormMode {
    train,   ///< statistics of the batch
    eval,    ///< running statistics, and no gradient
    frozen,  ///< running statistics, which are constants to the gradient
};
inline constexpr std::array norm_modes = {NormMode::train, NormMode::eval, NormMode::frozen};
const char* name(NormMode mode);

/// Whether `mode` normalizes with running statistics.
bool by_running(const Specimen& specimen, NormMode mode);
/// Whether the step that was captured went as `mode` does, so that the device has numbers of it.
bool was_made(const Specimen& specimen, NormMode mode);

/// All of it in float64.
struct Examination {
    NormMode mode = NormMode::train;

    // Of each set that is averaged over.
    std::vector<double> mean, variance, inv_std;  ///< the variance biased; about zero for RMSNorm
    std::vector<double> r, d;
    std::vector<uint32_t> count;  ///< values
    // Of each value.
    std::vector<uint32_t> set;
    std::vector<double> centred, normalized, y, activated;
    std::vector<double> dnormalized;                    ///< gradient of x^
    std::vector<double> own, from_mean, from_variance;  ///< the terms of dx
    std::vector<double> dx;
    // Of each parameter: see parameter_of().
    std::vector<double> dgamma, dbeta;

    /// The values of that set, as they stand in the tensor.
    std::vector<size_t> values_of(uint32_t wanted) const;
};
/// Eval takes no gradient: what stands there is that of frozen.
Examination examine(const Specimen& specimen, NormMode mode);

/// The gamma and beta that a value has.
size_t parameter_of(const Specimen& specimen, size_t element);
double gamma_of(const Specimen& specimen, size_t element);  ///< 1 without one
double beta_of(const Specimen& specimen, size_t element);   ///< 0 without one
/// The activation that y goes to; of a norm that stands after it, none.
vknorm::Activation activation_behind(const Specimen& specimen);
/// What the activation makes of y.
double activated(vknorm::Activation activation, double y);

/// Central differences, in float64, of sum(dy * y), with r and d as they are: they have no gradient.
double dx_by_difference(const Specimen& specimen, const Examination& exact, size_t element);
double dgamma_by_difference(const Specimen& specimen, const Examination& exact, size_t parameter);
double dbeta_by_difference(const Specimen& specimen, const Examination& exact, size_t parameter);

}  // namespace lab

#include "reference/batch_norm_expected.hpp"

#include <algorithm>
#include <cmath>

namespace vknorm::reference {

namespace {

/// What the design allows, scaled for values far from the mean (each of which has the rounding errors of a
/// float32 of its size), plus the rounding of y itself.
Expected bounded_y(const BatchNormData& data, Values y) {
    const Geometry geometry = data.geometry();
    Values bounds(y.size());
    for (size_t n = 0; n < geometry.images; ++n) {
        for (size_t c = 0; c < geometry.channels; ++c) {
            const double gamma = data.gamma.empty() ? 1 : data.gamma[c];
            const double beta = data.beta.empty() ? 0 : data.beta[c];
            for (size_t s = 0; s < geometry.positions; ++s) {
                const size_t i = geometry.at(n, c, s);
                bounds[i] = 4e-6 * std::max({1.0, std::abs(gamma), std::abs(y[i] - beta) / 8}) +
                            std::abs(y[i]) * 0x1p-24;
            }
        }
    }
    return {std::move(y), std::move(bounds)};
}

double largest(const Values& values) {
    double result = 0;
    for (const double value : values) {
        if (std::isfinite(value)) result = std::max(result, std::abs(value));
    }
    return result;
}

/// The second half of a saved mean is what rounding the first half lost.
Expected bounded_mean(const Moments& batch) {
    const size_t channels = batch.mean.size();
    Expected result{batch.mean, Values(channels)};
    for (size_t c = 0; c < channels; ++c) {
        result.bounds[c] = std::abs(batch.mean[c]) * 0x1p-24 + 1e-6 * std::sqrt(batch.variance[c]) + 1e-38;
    }
    result.values.resize(2 * channels);
    const Values bounds = result.bounds;
    result.bounds.insert(result.bounds.end(), bounds.begin(), bounds.end());
    return result;
}

Expectations bounded(const Gradients& exact) {
    // Rounding of single terms, where those are larger than what is left of them.
    const auto bounded = [](const Values& values, const Values& terms) {
        const double bound = 5e-6 * largest(values) + 0x1p-22 * largest(terms);
        return Expected{values, Values(values.size(), bound)};
    };
    return {{"dx", bounded(exact.dx, exact.dx_terms)},
            {"dgamma", bounded(exact.dgamma, exact.dgamma_terms)},
            {"dbeta", bounded(exact.dbeta, exact.dbeta_terms)}};
}

struct Statistics {
    Values mean, inv_std;
};
Statistics running_statistics(const BatchNormData& data) {
    const Values variance(data.running_var.begin(), data.running_var.end());
    return {Values(data.running_mean.begin(), data.running_mean.end()),
            inv_std(data.geometry(), variance, data.options.convention.epsilon)};
}

}  // namespace

Expectations expected_forward_training(const BatchNormData& data) {
    const Geometry geometry = data.geometry();
    const BatchNormConvention& convention = data.options.convention;
    const Moments batch = moments(geometry, data.x);
    const Values deviation = inv_std(geometry, batch.variance, convention.epsilon);
    Values deviation_bounds = deviation;
    for (double& bound : deviation_bounds) bound *= 2e-6;
    Expectations result{
        {"y", bounded_y(data, normalize(geometry, data.x, batch.mean, deviation, data.gamma, data.beta))},
        {"mean", bounded_mean(batch)},
        {"inv_std", {deviation, deviation_bounds}}};
    if (data.running_mean.empty()) return result;

    const bool keeps =
        geometry.values_per_channel() == 1 && data.options.single_value == SingleValue::keep_running;
    const Running running = keeps ? Running{Values(data.running_mean.begin(), data.running_mean.end()),
                                            Values(data.running_var.begin(), data.running_var.end())}
                                  : update_running(geometry, batch, convention, data.running_mean,
                                                   data.running_var, data.batches + 1);
    // At least the smallest normal number: a device may take smaller ones for zero.
    Values mean_bounds(geometry.channels, 0x1p-126), variance_bounds(geometry.channels, 0x1p-126);
    for (size_t c = 0; c < geometry.channels; ++c) {
        mean_bounds[c] += 1e-6 * (std::abs(running.mean[c]) + std::abs(data.running_mean[c]) +
                                  std::sqrt(batch.variance[c]));
        variance_bounds[c] += 1e-6 * (running.variance[c] + data.running_var[c]);
    }
    result["running_mean"] = {running.mean, mean_bounds};
    result["running_var"] = {running.variance, variance_bounds};
    return result;
}

Expectations expected_forward_inference(const BatchNormData& data) {
    const auto [mean, inv_std] = running_statistics(data);
    return {{"y", bounded_y(data, normalize(data.geometry(), data.x, mean, inv_std, data.gamma, data.beta))}};
}

Expectations expected_backward(const BatchNormData& data) {
    const Geometry geometry = data.geometry();
    const Moments batch = moments(geometry, data.x);
    return expected_backward(data, batch.mean,
                             inv_std(geometry, batch.variance, data.options.convention.epsilon));
}

Expectations expected_backward(const BatchNormData& data, const Values& mean, const Values& inv_std) {
    return bounded(backward(data.geometry(), data.x, data.dy, mean, inv_std, data.gamma));
}

Expectations expected_backward_frozen(const BatchNormData& data) {
    const auto [mean, inv_std] = running_statistics(data);
    return bounded(backward_frozen(data.geometry(), data.x, data.dy, mean, inv_std, data.gamma));
}

}  // namespace vknorm::reference

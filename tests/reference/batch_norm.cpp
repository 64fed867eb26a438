#include "reference/batch_norm.hpp"

#include <cmath>

namespace vknorm::reference {

namespace {

double factor(std::span<const float> values, size_t channel, double absent) {
    return values.empty() ? absent : values[channel];
}

template <class Visit>
void for_each(const Geometry& geometry, size_t channel, Visit visit) {
    for (size_t image = 0; image < geometry.images; ++image) {
        for (size_t position = 0; position < geometry.positions; ++position) {
            visit(geometry.at(image, channel, position));
        }
    }
}

}  // namespace

Geometry::Geometry(const std::vector<uint32_t>& shape, Layout layout)
    : images(shape.front()), positions(1), channels_last(layout == Layout::channels_last) {
    const size_t channel_axis = channels_last ? shape.size() - 1 : 1;
    channels = shape[channel_axis];
    for (size_t axis = 1; axis < shape.size(); ++axis) {
        if (axis != channel_axis) positions *= shape[axis];
    }
}

size_t Geometry::at(size_t image, size_t channel, size_t position) const {
    return channels_last ? (image * positions + position) * channels + channel
                         : (image * channels + channel) * positions + position;
}

Moments moments(const Geometry& geometry, std::span<const float> x) {
    Moments result{Values(geometry.channels), Values(geometry.channels)};
    const auto values = static_cast<double>(geometry.values_per_channel());
    if (values == 0) return result;
    for (size_t c = 0; c < geometry.channels; ++c) {
        // Sums of deviations from one of the values: no digits are lost to a large mean. long double for the
        // rest.
        const long double pilot = x[geometry.at(0, c, 0)];
        long double sum = 0;
        for_each(geometry, c, [&](size_t i) { sum += x[i] - pilot; });
        const long double mean = pilot + sum / values;
        long double squares = 0;
        for_each(geometry, c, [&](size_t i) { squares += (x[i] - mean) * (x[i] - mean); });
        result.mean[c] = static_cast<double>(mean);
        result.variance[c] = static_cast<double>(squares / values);
    }
    return result;
}

Values inv_std(const Geometry& geometry, const Values& variance, double epsilon) {
    Values result(geometry.channels);
    if (geometry.values_per_channel() == 0) return result;
    for (size_t c = 0; c < geometry.channels; ++c) {
        const double sum = variance[c] + epsilon;
        result[c] = sum == 0 ? 0 : 1 / std::sqrt(sum);
    }
    return result;
}

Values normalize(const Geometry& geometry, std::span<const float> x, const Values& mean,
                 const Values& inv_std, std::span<const float> gamma, std::span<const float> beta) {
    Values y(geometry.elements());
    for (size_t c = 0; c < geometry.channels; ++c) {
        for_each(geometry, c, [&](size_t i) {
            y[i] = factor(gamma, c, 1) * ((x[i] - mean[c]) * inv_std[c]) + factor(beta, c, 0);
        });
    }
    return y;
}

Running update_running(const Geometry& geometry, const Moments& batch, const BatchNormConvention& convention,
                       std::span<const float> running_mean, std::span<const float> running_var,
                       int64_t batches) {
    Running result{Values(running_mean.begin(), running_mean.end()),
                   Values(running_var.begin(), running_var.end())};
    const auto m = static_cast<double>(geometry.values_per_channel());
    if (m == 0) return result;
    double weight = convention.momentum;
    if (convention.momentum_form == Momentum::weighs_old) weight = 1 - weight;
    if (convention.momentum_form == Momentum::cumulative) weight = 1 / static_cast<double>(batches);
    const bool unbiased = convention.running_variance == RunningVariance::unbiased && m > 1;
    for (size_t c = 0; c < geometry.channels; ++c) {
        const double variance = unbiased ? batch.variance[c] * m / (m - 1) : batch.variance[c];
        result.mean[c] = (1 - weight) * running_mean[c] + weight * batch.mean[c];
        result.variance[c] = (1 - weight) * running_var[c] + weight * variance;
    }
    return result;
}

Gradients backward_frozen(const Geometry& geometry, std::span<const float> x, std::span<const float> dy,
                          const Values& mean, const Values& inv_std, std::span<const float> gamma) {
    const Values tensor(geometry.elements()), channel(geometry.channels);
    Gradients result{tensor, channel, channel, tensor, channel, channel};
    for (size_t c = 0; c < geometry.channels; ++c) {
        const double scale = factor(gamma, c, 1) * inv_std[c];
        long double dgamma = 0, dbeta = 0;
        for_each(geometry, c, [&](size_t i) {
            const double term = dy[i] * ((x[i] - mean[c]) * inv_std[c]);
            dgamma += term;
            dbeta += dy[i];
            result.dgamma_terms[c] += std::abs(term);
            result.dbeta_terms[c] += std::abs(dy[i]);
            result.dx[i] = scale * dy[i];
            result.dx_terms[i] = std::abs(result.dx[i]);
        });
        result.dgamma[c] = static_cast<double>(dgamma);
        result.dbeta[c] = static_cast<double>(dbeta);
    }
    return result;
}

Gradients backward(const Geometry& geometry, std::span<const float> x, std::span<const float> dy,
                   const Values& mean, const Values& inv_std, std::span<const float> gamma) {
    Gradients result = backward_frozen(geometry, x, dy, mean, inv_std, gamma);
    const auto m = static_cast<double>(geometry.values_per_channel());
    for (size_t c = 0; c < geometry.channels; ++c) {
        const double scale = factor(gamma, c, 1) * inv_std[c];
        for_each(geometry, c, [&](size_t i) {
            const double from_mean = result.dbeta[c] / m;
            const double from_variance = (x[i] - mean[c]) * inv_std[c] * result.dgamma[c] / m;
            result.dx[i] = scale * (dy[i] - from_mean - from_variance);
            result.dx_terms[i] =
                std::abs(scale) * (std::abs(dy[i]) + std::abs(from_mean) + std::abs(from_variance));
        });
    }
    return result;
}

}  // namespace vknorm::reference

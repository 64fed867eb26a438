#include "reference/batch_norm.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vknorm::reference {

namespace {

Values scaled(const Numbers& gamma, const Values& with, size_t parameters) {
    Values result(parameters);
    for (size_t p = 0; p < parameters; ++p) result[p] = gamma.at(p, 1) * (with.empty() ? 1 : with[p]);
    return result;
}

Moments statistics(const Norm& norm) {
    switch (norm.statistics) {
        case Statistics::of_values:
            return moments(norm.sets, norm.x);
        case Statistics::about_zero:
            return moments_about_zero(norm.sets, norm.x);
        default:
            return norm.constants;
    }
}

}  // namespace

NormForward forward(const Norm& norm) {
    Moments moments = statistics(norm);
    Values deviation = inv_std(norm.sets, moments.variance, norm.epsilon);
    return forward(norm, std::move(moments), std::move(deviation));
}

NormForward forward(const Norm& norm, Moments moments, Values inv_std) {
    NormForward result{.moments = std::move(moments), .inv_std = std::move(inv_std)};
    Values shift = norm.beta;
    if (!norm.d.empty()) {
        shift.resize(norm.sets.parameters);
        for (size_t p = 0; p < shift.size(); ++p) shift[p] += Numbers(norm.gamma).at(p, 1) * norm.d[p];
    }
    result.linear = normalize(norm.sets, norm.x, result.moments.mean, result.inv_std,
                              scaled(norm.gamma, norm.r, norm.sets.parameters), shift);
    result.y = result.linear;
    result.passed.resize(result.y.size());
    for (size_t i = 0; i < result.y.size(); ++i) {
        if (norm.sets.set[i] == Sets::none) continue;
        if (!norm.residual.empty()) result.y[i] += norm.residual[i];
        result.passed[i] = !norm.relu || !(result.y[i] <= 0);  // NaN passes
        if (norm.relu && result.y[i] < 0) result.y[i] = 0;
    }
    return result;
}

NormGradients backward(const Norm& norm, const NormForward& forward) {
    NormGradients result;
    result.dresidual.resize(norm.dy.size());
    for (size_t i = 0; i < norm.dy.size(); ++i) result.dresidual[i] = forward.passed[i] ? norm.dy[i] : 0;
    const Values gamma = scaled(norm.gamma, norm.r, norm.sets.parameters);
    Gradients& gradients = result;
    gradients = backward(norm.sets, norm.x, result.dresidual, forward.moments.mean, forward.inv_std, gamma,
                         norm.statistics);
    for (size_t p = 0; p < norm.r.size(); ++p) {
        result.dgamma[p] = norm.r[p] * result.dgamma[p] + norm.d[p] * result.dbeta[p];
        result.dgamma_terms[p] =
            norm.r[p] * result.dgamma_terms[p] + std::abs(norm.d[p]) * result.dbeta_terms[p];
    }
    return result;
}

Running batch_statistics(const Sets& sets, const Moments& batch, const BatchNormConvention& convention) {
    Running result{batch.mean, batch.variance};
    for (size_t s = 0; s < result.variance.size(); ++s) {
        const double m = sets.counts[s];
        if (convention.running_variance == RunningVariance::unbiased && m > 1)
            result.variance[s] *= m / (m - 1);
    }
    return result;
}

bool fits_float32(const Running& statistics) {
    const auto fits = [](double value) { return std::abs(value) < 0x1.ffffffp127; };
    return std::ranges::all_of(statistics.mean, fits) && std::ranges::all_of(statistics.variance, fits);
}

Running update_running(const Sets& sets, const Moments& batch, const BatchNormConvention& convention,
                       const Numbers& running_mean, const Numbers& running_var, int64_t batches) {
    Running result{running_mean.values(), running_var.values()};
    double weight = convention.momentum;
    if (convention.momentum_form == Momentum::weighs_old) weight = 1 - weight;
    if (convention.momentum_form == Momentum::cumulative) weight = 1 / static_cast<double>(batches);
    const Running taken = batch_statistics(sets, batch, convention);
    for (size_t s = 0; s < batch.mean.size(); ++s) {
        if (sets.counts[s] == 0) continue;
        result.mean[s] = (1 - weight) * running_mean[s] + weight * taken.mean[s];
        result.variance[s] = (1 - weight) * running_var[s] + weight * taken.variance[s];
    }
    return result;
}

Moments average_over_images(const Moments& moments, size_t channels) {
    Moments result{Values(channels), Values(channels)};
    const size_t images = moments.mean.size() / channels;
    for (size_t i = 0; i < moments.mean.size(); ++i) {
        result.mean[i % channels] += moments.mean[i] / static_cast<double>(images);
        result.variance[i % channels] += moments.variance[i] / static_cast<double>(images);
    }
    return result;
}

Renorm renorm(const Values& mean, const Values& deviation, const Values& moving_mean, const Values& S,
              const RenormLimits& limits) {
    Renorm result{Values(mean.size()), Values(mean.size())};
    const double r_max = limits.r_max, d_max = limits.d_max;
    for (size_t c = 0; c < mean.size(); ++c) {
        result.r[c] = std::clamp(deviation[c] / S[c], 1 / r_max, r_max);
        result.d[c] = std::clamp((mean[c] - moving_mean[c]) / S[c], -d_max, d_max);
    }
    return result;
}

Folded fold(const Numbers& weight, const Numbers& bias, const Numbers& gamma, const Numbers& beta,
            const Numbers& running_mean, const Numbers& running_var, double epsilon) {
    const size_t channels = running_var.size(), per_channel = weight.size() / channels;
    Folded result{Values(weight.size()), Values(channels)};
    for (size_t c = 0; c < channels; ++c) {
        const double scale = gamma.at(c, 1) / std::sqrt(running_var[c] + epsilon);
        for (size_t k = c * per_channel; k < (c + 1) * per_channel; ++k) result.weight[k] = weight[k] * scale;
        result.bias[c] = (bias.at(c, 0) - running_mean[c]) * scale + beta.at(c, 0);
    }
    return result;
}

}  // namespace vknorm::reference

#include "reference/expected.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace vknorm::reference {

namespace {

constexpr double forward_bound = 4e-6, gradient_bound = 5e-6;
/// A device may take what is below for zero.
constexpr double smallest_normal = 0x1p-126;

double largest(const Values& values) {
    double result = 0;
    for (const double value : values) {
        if (std::isfinite(value)) result = std::max(result, std::abs(value));
    }
    return result;
}

/// Half the distance of the type's numbers around `magnitude`.
double half_ulp(Storage storage, double magnitude) {
    if (storage == Storage::float32 || !std::isfinite(magnitude)) return 0;
    const bool half = storage == Storage::float16;
    const int exponent = magnitude == 0 ? -150 : std::ilogb(magnitude);
    return std::ldexp(1.0, std::max(exponent, half ? -14 : -126) - (half ? 11 : 8));
}

/// On top of the bounds of the float32 result.
Expected stored(Expected expected, Storage storage) {
    for (size_t i = 0; i < expected.values.size(); ++i)
        expected.bounds[i] += half_ulp(storage, std::abs(expected.values[i]) + expected.bounds[i]);
    return expected;
}

/// What the design allows, scaled for values far from the mean (each of which has the rounding errors of a
/// float32 of its size), plus the roundings of the sums.
Values bounds_of_y(const Norm& norm, const NormForward& exact) {
    Values bounds(exact.y.size());
    for (size_t i = 0; i < bounds.size(); ++i) {
        if (norm.sets.set[i] == Sets::none) continue;
        const size_t p = norm.sets.parameter[i];
        const double gamma = std::abs(Numbers(norm.gamma).at(p, 1)), beta = Numbers(norm.beta).at(p, 0);
        const double correction = norm.r.empty() ? 1 : std::max(1.0, norm.r[p]) + std::abs(norm.d[p]);
        bounds[i] =
            forward_bound * std::max({1.0, gamma * correction, std::abs(exact.linear[i] - beta) / 8}) +
            std::abs(exact.linear[i]) * 0x1p-24;
        if (!norm.residual.empty())
            bounds[i] += (std::abs(exact.linear[i]) + std::abs(norm.residual[i])) * 0x1p-24;
    }
    return bounds;
}

double before_relu(const Norm& norm, const NormForward& exact, size_t i) {
    return exact.linear[i] + Numbers(norm.residual).at(i, 0);
}

/// Where the sign of what the ReLU gets is lost in the rounding errors.
std::vector<size_t> undecided(const Norm& norm, const NormForward& exact) {
    std::vector<size_t> result;
    if (!norm.relu) return result;
    const Values bounds = bounds_of_y(norm, exact);
    for (size_t i = 0; i < bounds.size(); ++i)
        if (norm.sets.set[i] != Sets::none && std::abs(before_relu(norm, exact, i)) <= bounds[i])
            result.push_back(i);
    return result;
}

/// What gradients may differ by when the ReLU lets through, or not, where it is undecided.
void widen(Expectations& expectations, const Norm& norm, const NormForward& exact) {
    const std::vector<size_t> places = undecided(norm, exact);
    if (places.empty()) return;
    const Sets& sets = norm.sets;
    const Values& x = norm.x;
    const auto x_hat = [&](size_t i) {
        return std::abs((x[i] - exact.moments.mean[sets.set[i]]) * exact.inv_std[sets.set[i]]);
    };
    const auto correction = [&](const Values& values, size_t p, double absent) {
        return values.empty() ? absent : std::abs(values[p]);
    };
    Values sum(sets.size()), sum_x(sets.size());
    for (const size_t i : places) {
        const size_t p = sets.parameter[i], s = sets.set[i];
        const double dy = std::abs(norm.dy[i]);
        const double q = dy * std::abs(Numbers(norm.gamma).at(p, 1)) * correction(norm.r, p, 1);
        expectations["dbeta"].bounds[p] += dy;
        expectations["dgamma"].bounds[p] +=
            dy * (x_hat(i) * correction(norm.r, p, 1) + correction(norm.d, p, 0));
        expectations["dx"].bounds[i] += exact.inv_std[s] * q;
        if (!norm.residual.empty()) expectations["dresidual"].bounds[i] += dy;
        sum[s] += q;
        sum_x[s] += q * x_hat(i);
    }
    if (norm.statistics == Statistics::constant) return;
    for (size_t i = 0; i < x.size(); ++i) {
        if (sets.set[i] == Sets::none) continue;
        const size_t s = sets.set[i];
        expectations["dx"].bounds[i] += exact.inv_std[s] * (sum[s] + x_hat(i) * sum_x[s]) / sets.counts[s];
    }
}

/// The gradient added to what was there.
void accumulate(Expected& expected, const std::vector<float>& onto) {
    for (size_t i = 0; i < onto.size(); ++i) {
        expected.values[i] += onto[i];
        expected.bounds[i] += std::abs(expected.values[i]) * 0x1p-24;
    }
}

}  // namespace

Norm norm_of(const NormData& data, Sets sets, double epsilon, Statistics statistics) {
    const auto values = [](const std::vector<float>& floats) { return Values(floats.begin(), floats.end()); };
    return {.sets = std::move(sets),
            .x = values(data.x),
            .dy = values(data.dy),
            .gamma = values(data.gamma),
            .beta = values(data.beta),
            .epsilon = epsilon,
            .statistics = statistics};
}

Expected bounded_y(const Norm& norm, const NormForward& exact, Storage storage) {
    return stored({exact.y, bounds_of_y(norm, exact)}, storage);
}

Expected bounded_mean(const Moments& exact) {
    const size_t sets = exact.mean.size();
    Expected result{exact.mean, Values(sets)};
    for (size_t s = 0; s < sets; ++s) {
        result.bounds[s] =
            std::abs(exact.mean[s]) * 0x1p-24 + 1e-6 * std::sqrt(exact.variance[s]) + smallest_normal;
    }
    result.values.resize(2 * sets);
    const Values bounds = result.bounds;
    result.bounds.insert(result.bounds.end(), bounds.begin(), bounds.end());
    // Rounding an infinity loses no number that could be told.
    for (size_t s = 0; s < sets; ++s)
        if (!std::isfinite(exact.mean[s])) result.bounds[sets + s] = std::numeric_limits<double>::infinity();
    return result;
}

Expected bounded_inv_std(const Values& exact) {
    Expected result{exact, exact};
    for (double& bound : result.bounds) bound = bound * 2e-6 + smallest_normal;
    return result;
}

Expectations bounded_running(const Running& exact, const Running& before, const Values& deviation) {
    Values mean(exact.mean.size(), smallest_normal), variance = mean;
    for (size_t c = 0; c < mean.size(); ++c) {
        mean[c] += 1e-6 * (std::abs(exact.mean[c]) + std::abs(before.mean[c]) + deviation[c]);
        variance[c] += 1e-6 * (exact.variance[c] + before.variance[c]);
    }
    return {{"running_mean", {exact.mean, mean}}, {"running_var", {exact.variance, variance}}};
}

void count_refused(Expectations& expectations, bool guard, int64_t refused) {
    if (guard) expectations["num_batches_refused"] = {{static_cast<double>(refused)}, {0}};
}

Expected bounded_relu_mask(const Norm& norm, const NormForward& exact) {
    const size_t channels = norm.sets.parameters, words = (norm.x.size() / channels + 31) / 32;
    Expected result{Values(channels * words), Values(channels * words)};
    const std::vector<size_t> either = undecided(norm, exact);
    std::vector<size_t> next(channels);
    for (size_t i = 0; i < norm.x.size(); ++i) {
        const size_t channel = norm.sets.parameter[i], place = next[channel]++;
        const double bit = std::ldexp(1.0, place % 32);
        if (exact.passed[i]) result.values[channel * words + place / 32] += bit;
        if (std::ranges::binary_search(either, i)) result.bounds[channel * words + place / 32] += bit;
    }
    return result;
}

Expected bounded_gradient(const Values& values, const Values& terms, Storage storage) {
    // Rounding of single terms, where those are larger than what is left of them.
    const double bound = gradient_bound * largest(values) + 0x1p-22 * largest(terms) + smallest_normal;
    return stored({values, Values(values.size(), bound)}, storage);
}

Expectations bounded_gradients(const Norm& norm, const NormForward& exact, const NormData& data,
                               Storage storage, bool decided) {
    const NormGradients gradients = backward(norm, exact);
    Expectations result{{"dx", bounded_gradient(gradients.dx, gradients.dx_terms, storage)},
                        {"dgamma", bounded_gradient(gradients.dgamma, gradients.dgamma_terms)},
                        {"dbeta", bounded_gradient(gradients.dbeta, gradients.dbeta_terms)}};
    for (size_t i = 0; i < norm.x.size(); ++i)
        if (norm.sets.set[i] == Sets::none) result["dx"].bounds[i] = 0;
    if (!norm.residual.empty())
        result["dresidual"] = {gradients.dresidual, Values(gradients.dresidual.size())};
    if (!decided) widen(result, norm, exact);
    accumulate(result["dgamma"], data.dgamma);
    accumulate(result["dbeta"], data.dbeta);
    return result;
}

}  // namespace vknorm::reference

#include "reference/batch_norm_expected.hpp"

#include <cmath>
#include <limits>
#include <utility>

namespace vknorm::reference {

namespace {

Norm norm_of(const BatchNormData& data, Statistics statistics) {
    const Geometry geometry = data.geometry();
    Sets sets(geometry);
    if (!data.valid.empty()) sets.leave_out(geometry, data.valid);
    Norm norm = norm_of(data, std::move(sets), data.options.convention.epsilon, statistics);
    norm.residual.assign(data.residual.begin(), data.residual.end());
    norm.relu = data.relu;
    return norm;
}

Values values(const std::vector<float>& floats) {
    return {floats.begin(), floats.end()};
}

NormForward training(const Norm& norm, const Values& mean, const Values& inv_std) {
    return forward(norm, {mean, Values(mean.size())}, inv_std);
}

Norm frozen_norm(const BatchNormData& data) {
    Norm norm = norm_of(data, Statistics::constant);
    norm.constants = {values(data.running_mean), values(data.running_var)};
    return norm;
}

Expectations gradients(const BatchNormData& data, const Norm& norm, NormForward exact) {
    const bool decided = !data.relu_mask.empty() || !data.output.empty();
    const size_t channels = norm.sets.parameters;
    const size_t words = data.relu_mask.size() / channels;
    std::vector<size_t> next(channels);
    for (size_t i = 0; i < data.output.size(); ++i) exact.passed[i] = !(data.output[i] <= 0);
    for (size_t i = 0; !data.relu_mask.empty() && i < norm.x.size(); ++i) {
        const size_t channel = norm.sets.parameter[i], place = next[channel]++;
        exact.passed[i] = (data.relu_mask[channel * words + place / 32] >> place % 32 & 1) != 0;
    }
    return bounded_gradients(norm, exact, data, data.options.storage, decided);
}

Expected bounded_health(const Norm& norm, const Moments& batch) {
    Expected result;
    const auto add = [&](double value, double bound) {
        result.values.push_back(value);
        result.bounds.push_back(bound);
    };
    std::vector<uint32_t> next(norm.sets.size());
    std::vector<double> bad(norm.sets.size(), ChannelHealth::none);
    for (size_t i = 0; i < norm.x.size(); ++i) {
        const size_t channel = norm.sets.parameter[i], place = next[channel]++;
        if (norm.sets.set[i] != Sets::none && !std::isfinite(norm.x[i]) &&
            bad[channel] == ChannelHealth::none)
            bad[channel] = static_cast<double>(place);
    }
    for (size_t c = 0; c < norm.sets.size(); ++c) {
        const double mean = std::abs(batch.mean[c]), variance = batch.variance[c];
        const double infinite = mean == 0 ? 0 : std::numeric_limits<double>::infinity();
        const double ratio = variance == 0 ? infinite : mean / std::sqrt(variance);
        add(ratio, 1e-6 + 2e-6 * ratio);
        add(variance < norm.epsilon, std::abs(variance - norm.epsilon) <= 4e-6 * norm.epsilon);
        add(bad[c], 0);
        // From here on a variance is none of float32.
        constexpr double overflow = 0x1.ffffffp127;
        add(bad[c] == ChannelHealth::none && variance >= overflow,
            std::abs(variance - overflow) <= 4e-6 * overflow);
    }
    return result;
}

}  // namespace

Geometry BatchNormData::geometry() const {
    if (!options.per_activation) return {options.shape, options.layout};
    uint32_t activations = 1;
    for (size_t axis = 1; axis < options.shape.size(); ++axis) activations *= options.shape[axis];
    return {{options.shape.front(), activations}, Layout::channels_first};
}

Expectations expected_forward_training(const BatchNormData& data) {
    const Norm norm = norm_of(data, Statistics::of_values);
    const NormForward exact = forward(norm);
    const Moments& batch = exact.moments;
    Expectations result{{"y", bounded_y(norm, exact, data.options.storage)},
                        {"mean", bounded_mean(batch)},
                        {"inv_std", bounded_inv_std(exact.inv_std)},
                        {"health", bounded_health(norm, batch)}};
    if (data.relu) result["relu_mask"] = bounded_relu_mask(norm, exact);
    if (!data.valid.empty()) result["count"] = {{norm.sets.counts.front()}, {0}};
    const BatchNormConvention& convention = data.options.convention;
    const bool refused = data.options.guard && !fits_float32(batch_statistics(norm.sets, batch, convention));
    count_refused(result, data.options.guard, refused);
    if (data.running_mean.empty()) return result;

    const Running before{values(data.running_mean), values(data.running_var)};
    const bool keeps =
        refused || (norm.sets.counts.front() == 1 && data.options.single_value == SingleValue::keep_running);
    Values deviation = batch.variance;
    for (double& variance : deviation) variance = std::sqrt(variance);
    const Running after =
        update_running(norm.sets, batch, convention, data.running_mean, data.running_var, data.batches + 1);
    result.merge(bounded_running(keeps ? before : after, before, deviation));
    return result;
}

Expectations expected_forward_inference(const BatchNormData& data) {
    const Norm norm = frozen_norm(data);
    const NormForward exact = forward(norm);
    Expectations result{{"y", bounded_y(norm, exact, data.options.storage)}};
    if (data.relu) result["relu_mask"] = bounded_relu_mask(norm, exact);
    return result;
}

Expectations expected_backward(const BatchNormData& data) {
    const Norm norm = norm_of(data, Statistics::of_values);
    return gradients(data, norm, forward(norm));
}

Expectations expected_backward(const BatchNormData& data, const Values& mean, const Values& inv_std) {
    const Norm norm = norm_of(data, Statistics::of_values);
    return gradients(data, norm, training(norm, mean, inv_std));
}

Expectations expected_backward_frozen(const BatchNormData& data) {
    const Norm norm = frozen_norm(data);
    return gradients(data, norm, forward(norm));
}

Expectations expected_double_backward(const BatchNormData& data) {
    const NormForward exact = forward(norm_of(data, Statistics::of_values));
    return expected_double_backward(data, exact.moments.mean, exact.inv_std);
}

Expectations expected_double_backward(const BatchNormData& data, const Values& mean, const Values& inv_std) {
    const DoubleGradients exact = double_backward(data.geometry(), data.x, data.dy, mean, inv_std, data.gamma,
                                                  data.ddx, data.ddgamma, data.ddbeta);
    return {{"grad_dy", bounded_gradient(exact.dy, exact.dy_terms)},
            {"grad_x", bounded_gradient(exact.x, exact.x_terms)},
            {"grad_gamma", bounded_gradient(exact.gamma, exact.gamma_terms)}};
}

}  // namespace vknorm::reference

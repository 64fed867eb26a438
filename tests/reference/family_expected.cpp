#include "reference/family_expected.hpp"

#include <cmath>
#include <utility>

namespace vknorm::reference {

namespace {

Values values(const std::vector<float>& floats) {
    return {floats.begin(), floats.end()};
}

Values roots(Values squares, double epsilon = 0) {
    for (double& value : squares) value = std::sqrt(value + epsilon);
    return squares;
}

Expectations forward_of(const Norm& norm, Storage storage) {
    const NormForward exact = forward(norm);
    return {{"y", bounded_y(norm, exact, storage)},
            {"mean", bounded_mean(exact.moments)},
            {"inv_std", bounded_inv_std(exact.inv_std)}};
}

Expectations backward_of(const Norm& norm, const NormData& data, Storage storage) {
    return bounded_gradients(norm, forward(norm), data, storage);
}

Norm group_norm(const NormData& data, const GroupNormOptions& options) {
    return norm_of(data, group_sets({options.shape, options.layout}, options.groups), options.epsilon,
                   Statistics::of_values);
}

Norm row_norm(const NormData& data, const LayerNormOptions& options, Statistics statistics) {
    return norm_of(data, row_sets(options.shape, options.normalized_dimensions), options.epsilon, statistics);
}

Norm instance_norm(const NormData& data, const InstanceNormOptions& options) {
    const Geometry geometry(options.shape, options.layout);
    return norm_of(data, group_sets(geometry, geometry.channels), options.convention.epsilon,
                   Statistics::of_values);
}

Norm ghost_norm(const NormData& data, const GhostBatchNormOptions& options) {
    return norm_of(data, Sets({options.shape, options.layout}, options.ghost_size, 1),
                   options.convention.epsilon, Statistics::of_values);
}

/// One set of statistics [channels] of those of several ghosts or images.
Moments part(const Moments& moments, size_t index, size_t channels) {
    const auto cut = [&](const Values& all) {
        const auto begin = all.begin() + static_cast<std::ptrdiff_t>(index * channels);
        return Values(begin, begin + static_cast<std::ptrdiff_t>(channels));
    };
    return {cut(moments.mean), cut(moments.variance)};
}

/// From mean [2, ghosts, channels] to [ghosts, 2, channels].
Expected pairs_by_ghost(const Expected& mean, size_t channels) {
    Expected result;
    const size_t half = mean.values.size() / 2;
    for (size_t begin = 0; begin < half; begin += channels) {
        for (const size_t from : {begin, half + begin}) {
            for (size_t c = 0; c < channels; ++c) {
                result.values.push_back(mean.values[from + c]);
                result.bounds.push_back(mean.bounds[from + c]);
            }
        }
    }
    return result;
}

struct RenormNorm : Norm {
    Moments batch;
    Values moving_deviation;  ///< S
};
RenormNorm renorm_norm(const RenormData& data, const BatchRenormOptions& options) {
    RenormNorm norm{
        norm_of(data, Geometry(options.shape, options.layout), options.epsilon, Statistics::of_values),
        {},
        values(data.moving_deviation)};
    norm.batch = moments(norm.sets, norm.x);
    if (options.moving == MovingDeviation::variance)
        norm.moving_deviation = roots(norm.moving_deviation, options.epsilon);
    Renorm factors = renorm(norm.batch.mean, roots(norm.batch.variance, options.epsilon),
                            values(data.moving_mean), norm.moving_deviation, data.limits);
    norm.r = std::move(factors.r);
    norm.d = std::move(factors.d);
    return norm;
}

}  // namespace

Expectations expected_forward(const NormData& data, const GroupNormOptions& options) {
    return forward_of(group_norm(data, options), options.storage);
}
Expectations expected_backward(const NormData& data, const GroupNormOptions& options) {
    return backward_of(group_norm(data, options), data, options.storage);
}

Expectations expected_forward(const NormData& data, const LayerNormOptions& options) {
    return forward_of(row_norm(data, options, Statistics::of_values), options.storage);
}
Expectations expected_backward(const NormData& data, const LayerNormOptions& options) {
    return backward_of(row_norm(data, options, Statistics::of_values), data, options.storage);
}

Expectations expected_rms_forward(const NormData& data, const LayerNormOptions& options) {
    Expectations result = forward_of(row_norm(data, options, Statistics::about_zero), options.storage);
    result.erase("mean");
    result["inv_rms"] = result.extract("inv_std").mapped();
    return result;
}
Expectations expected_rms_backward(const NormData& data, const LayerNormOptions& options) {
    Expectations result = backward_of(row_norm(data, options, Statistics::about_zero), data, options.storage);
    result.erase("dbeta");
    return result;
}

Expectations expected_forward(const RunningData& data, const InstanceNormOptions& options) {
    const Norm norm = instance_norm(data, options);
    Expectations result = forward_of(norm, options.storage);
    const Moments all = moments(norm.sets, norm.x);
    const Moments average = average_over_images(all, norm.sets.parameters);
    // All images have as many values.
    const bool refused = options.guard && norm.sets.size() > 0 &&
                         !fits_float32(batch_statistics(norm.sets, average, options.convention));
    count_refused(result, options.guard, refused);
    if (data.running_mean.empty()) return result;
    const Running before{values(data.running_mean), values(data.running_var)};
    const Running after = refused || norm.sets.size() == 0
                              ? before
                              : update_running(norm.sets, average, options.convention, data.running_mean,
                                               data.running_var, data.batches + 1);
    result.merge(bounded_running(after, before, roots(average.variance)));
    return result;
}
Expectations expected_backward(const RunningData& data, const InstanceNormOptions& options) {
    return backward_of(instance_norm(data, options), data, options.storage);
}

Expectations expected_forward(const RunningData& data, const GhostBatchNormOptions& options) {
    const Norm norm = ghost_norm(data, options);
    const size_t channels = norm.sets.parameters, ghosts = norm.sets.size() / channels;
    Expectations result = forward_of(norm, options.storage);
    result["mean"] = pairs_by_ghost(result["mean"], channels);
    const Moments all = moments(norm.sets, norm.x);
    const Running before{values(data.running_mean), values(data.running_var)};
    Running running = before;
    Values deviation(channels);
    int64_t refused = 0;
    for (size_t ghost = 0; ghost < ghosts; ++ghost) {
        Sets sets;
        const auto counts = norm.sets.counts.begin() + static_cast<std::ptrdiff_t>(ghost * channels);
        sets.counts.assign(counts, counts + static_cast<std::ptrdiff_t>(channels));
        if (*counts == 1 && options.single_value == SingleValue::keep_running) continue;
        const Moments batch = part(all, ghost, channels);
        if (options.guard && !fits_float32(batch_statistics(sets, batch, options.convention))) {
            ++refused;
            continue;
        }
        if (data.running_mean.empty()) continue;
        running = update_running(sets, batch, options.convention, running.mean, running.variance,
                                 data.batches + static_cast<int64_t>(ghost) + 1 - refused);
        for (size_t c = 0; c < channels; ++c)
            deviation[c] = std::max(deviation[c], std::sqrt(batch.variance[c]));
    }
    count_refused(result, options.guard, refused);
    if (!data.running_mean.empty()) result.merge(bounded_running(running, before, deviation));
    return result;
}
Expectations expected_backward(const RunningData& data, const GhostBatchNormOptions& options) {
    return backward_of(ghost_norm(data, options), data, options.storage);
}

Expectations expected_forward_training(const RenormData& data, const BatchRenormOptions& options) {
    const RenormNorm norm = renorm_norm(data, options);
    Expectations result = forward_of(norm, options.storage);
    const size_t channels = norm.sets.parameters;
    const Values deviation = roots(norm.batch.variance, options.epsilon);
    Expected r{norm.r, norm.r}, d{norm.d, norm.d};
    for (size_t c = 0; c < channels; ++c) {
        r.bounds[c] *= 4e-6;
        d.bounds[c] =
            4e-6 * std::max(1.0, std::abs(norm.d[c])) + 2e-6 * deviation[c] / norm.moving_deviation[c];
    }
    result["r"] = std::move(r);
    result["d"] = std::move(d);

    const bool variances = options.moving == MovingDeviation::variance;
    const BatchNormConvention convention{.momentum = options.momentum};
    Running after =
        update_running(norm.sets, norm.batch, convention, data.moving_mean, data.moving_deviation, 1);
    for (size_t c = 0; c < channels && !variances && norm.sets.counts[c] > 0; ++c) {
        const double weight = options.momentum;
        after.variance[c] = (1 - weight) * data.moving_deviation[c] + weight * deviation[c];
    }
    const Running before{values(data.moving_mean), values(data.moving_deviation)};
    Running batch = batch_statistics(norm.sets, norm.batch, convention);
    if (!variances) batch.variance = deviation;
    const bool refused = options.guard && !fits_float32(batch);
    count_refused(result, options.guard, refused);
    Expectations moved = bounded_running(refused ? before : after, before, deviation);
    result["moving_mean"] = std::move(moved["running_mean"]);
    result["moving_deviation"] = std::move(moved["running_var"]);
    return result;
}

Expectations expected_forward_inference(const RenormData& data, const BatchRenormOptions& options) {
    const bool variances = options.moving == MovingDeviation::variance;
    Norm norm = norm_of(data, Geometry(options.shape, options.layout), variances ? options.epsilon : 0,
                        Statistics::constant);
    norm.constants = {values(data.moving_mean), values(data.moving_deviation)};
    if (!variances)
        for (double& deviation : norm.constants.variance) deviation *= deviation;
    return {{"y", bounded_y(norm, forward(norm), options.storage)}};
}

Expectations expected_backward(const RenormData& data, const BatchRenormOptions& options) {
    return backward_of(renorm_norm(data, options), data, options.storage);
}

Expectations expected_fold(const FoldData& data) {
    const Folded exact = fold(data.weight, data.bias, data.gamma, data.beta, data.running_mean,
                              data.running_var, data.epsilon);
    Expectations result{{"folded_weight", {exact.weight, exact.weight}},
                        {"folded_bias", {exact.bias, exact.bias}}};
    for (double& bound : result["folded_weight"].bounds) bound = 1e-6 * std::abs(bound);
    for (size_t c = 0; c < exact.bias.size(); ++c) {
        const double beta = data.beta.empty() ? 0 : data.beta[c];
        result["folded_bias"].bounds[c] =
            1e-6 * std::abs(exact.bias[c] - beta) + std::abs(exact.bias[c]) * 0x1p-24;
    }
    return result;
}

}  // namespace vknorm::reference

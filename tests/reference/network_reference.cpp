#include "reference/network_reference.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "reference/sets.hpp"

namespace vknorm::reference {

namespace {

double value(Activation function, double x) {
    switch (function) {
        case Activation::identity:
            return x;
        case Activation::relu:
            return x < 0 ? 0 : x;
        case Activation::tanh:
            return std::tanh(x);
        case Activation::sigmoid:
            return 1 / (1 + std::exp(-x));
    }
    return 0;
}

double derivative(Activation function, double y) {
    switch (function) {
        case Activation::identity:
            return 1;
        case Activation::relu:
            return y <= 0 ? 0 : 1;
        case Activation::tanh:
            return 1 - y * y;
        case Activation::sigmoid:
            return y * (1 - y);
    }
    return 0;
}

bool is_frozen(const HiddenLayer& layer, const StepOptions& options) {
    return keeps_running_statistics(layer.norm) && options.statistics == Statistics::running;
}

/// What the norm of a layer normalizes together.
Sets sets_of(const HiddenLayer& layer, size_t rows, bool frozen) {
    const Geometry geometry({static_cast<uint32_t>(rows), layer.units}, Layout::channels_first);
    if (!keeps_running_statistics(layer.norm))
        return group_sets(geometry, layer.norm == Norm::group ? layer.groups : 1);
    const bool ghosts = layer.norm == Norm::ghost && !frozen;
    return {geometry, ghosts ? layer.ghost_size : rows, 1};
}

/// Sums, and those of their terms' magnitudes.
struct Sum {
    explicit Sum(size_t size) : value(size), magnitude(size) {}
    void add(size_t at, double term) {
        value[at] += term;
        magnitude[at] += std::abs(term);
    }

    Values value, magnitude;
};

}  // namespace

NetworkReference::NetworkReference(const NetworkOptions& options, Tensors initial)
    : tensors(std::move(initial)), options_(options) {}

void NetworkReference::make_errors(double unit, uint64_t seed) {
    unit_ = unit;
    random_.seed(seed);
}

double NetworkReference::rounded(double value, double magnitude) {
    if (unit_ == 0) return value;
    return value + unit_ * std::abs(magnitude) * std::uniform_real_distribution<double>(-1, 1)(random_);
}

std::string NetworkReference::prefix(size_t layer) const {
    return layer == options_.hidden.size() ? "output." : std::to_string(layer) + ".linear.";
}

Values NetworkReference::linear(const Values& x, const Values& weight, const Values& bias, size_t inputs,
                                size_t outputs) {
    Values y;
    for (size_t row = 0; row < x.size() / inputs; ++row) {
        for (size_t o = 0; o < outputs; ++o) {
            double sum = bias[o], magnitude = std::abs(sum);
            for (size_t i = 0; i < inputs; ++i) {
                const double term = x[row * inputs + i] * weight[o * inputs + i];
                sum += term;
                magnitude += std::abs(term);
            }
            y.push_back(rounded(sum, magnitude));
        }
    }
    return y;
}

void NetworkReference::linear_backward(const std::string& name, const Values& x, const Values& dy,
                                       size_t inputs, size_t outputs, Step& step, Values* dx) {
    const size_t rows = dy.size() / outputs;
    const Values& weight = tensors.at(name + "weight");
    Values dweight(weight.size()), dweight_magnitude(weight.size()), dbias(outputs), dbias_magnitude(outputs);
    Values input_gradient(rows * inputs), input_magnitude(rows * inputs);
    for (size_t row = 0; row < rows; ++row) {
        for (size_t o = 0; o < outputs; ++o) {
            const double d = dy[row * outputs + o];
            dbias[o] += d;
            dbias_magnitude[o] += std::abs(d);
            for (size_t i = 0; i < inputs; ++i) {
                const double to_weight = d * x[row * inputs + i];
                dweight[o * inputs + i] += to_weight;
                dweight_magnitude[o * inputs + i] += std::abs(to_weight);
                if (!dx) continue;
                const double to_input = d * weight[o * inputs + i];
                input_gradient[row * inputs + i] += to_input;
                input_magnitude[row * inputs + i] += std::abs(to_input);
            }
        }
    }
    for (size_t i = 0; i < dweight.size(); ++i) dweight[i] = rounded(dweight[i], dweight_magnitude[i]);
    for (size_t o = 0; o < outputs; ++o) dbias[o] = rounded(dbias[o], dbias_magnitude[o]);
    step.gradient[name + "weight"] = dweight;
    step.gradient[name + "bias"] = dbias;
    if (!dx) return;
    for (size_t i = 0; i < input_gradient.size(); ++i)
        input_gradient[i] = rounded(input_gradient[i], input_magnitude[i]);
    *dx = input_gradient;
}

// What the layer's norm normalizes together, by its statistics or by running ones in their place, then
// corrected by r and d, gamma and beta.
Values NetworkReference::norm_forward(size_t layer, const Values& z, const StepOptions& options, Step& step) {
    const HiddenLayer& shape = options_.hidden[layer];
    const bool frozen = is_frozen(shape, options), about_zero = shape.norm == Norm::rms;
    const Sets sets = sets_of(shape, z.size() / shape.units, frozen);
    const std::string name = std::to_string(layer) + ".norm.";
    const double epsilon = options_.batch_norm.epsilon;
    Values mean(sets.size()), variance(sets.size()), magnitude(sets.size());
    for (size_t i = 0; i < z.size() && !about_zero; ++i) {
        mean[sets.set[i]] += z[i] / sets.counts[sets.set[i]];
        magnitude[sets.set[i]] += std::abs(z[i]) / sets.counts[sets.set[i]];
    }
    for (size_t s = 0; s < sets.size(); ++s) mean[s] = rounded(mean[s], magnitude[s]);
    for (size_t i = 0; i < z.size(); ++i)
        variance[sets.set[i]] += std::pow(z[i] - mean[sets.set[i]], 2) / sets.counts[sets.set[i]];
    for (double& v : variance) v = rounded(v);
    if (frozen) {
        mean = tensors.at(name + "running_mean");
        variance = tensors.at(name + "running_var");
    }
    Values inv_std, r(sets.size(), 1), d(sets.size());
    for (const double v : variance) inv_std.push_back(1 / std::sqrt(v + epsilon));
    for (size_t s = 0; s < sets.size() && shape.norm == Norm::batch_renorm && !frozen; ++s) {
        if (sets.counts[s] == 1) continue;  // gives beta
        const double r_max = options.renorm.r_max, d_max = options.renorm.d_max;
        const double moving = std::sqrt(tensors.at(name + "running_var")[s] + epsilon);
        r[s] = std::clamp(1 / inv_std[s] / moving, 1 / r_max, r_max);
        d[s] = std::clamp((mean[s] - tensors.at(name + "running_mean")[s]) / moving, -d_max, d_max);
    }
    const Values& gamma = tensors.at(name + "weight");
    const Values beta = about_zero ? Values(shape.units) : tensors.at(name + "bias");
    Values y;
    for (size_t i = 0; i < z.size(); ++i) {
        const size_t s = sets.set[i], p = sets.parameter[i];
        const double scaled = rounded((z[i] - mean[s]) * inv_std[s] * r[s] * gamma[p]);
        const double shift = d[s] * gamma[p] + beta[p];
        y.push_back(rounded(scaled + shift, std::abs(scaled) + std::abs(shift)));
    }
    step.mean[layer] = mean;
    step.variance[layer] = variance;
    step.r[layer] = r;
    step.d[layer] = d;
    return y;
}

Values NetworkReference::norm_backward(size_t layer, const Values& dy, const StepOptions& options,
                                       Step& step) {
    const HiddenLayer& shape = options_.hidden[layer];
    const bool frozen = is_frozen(shape, options), about_zero = shape.norm == Norm::rms;
    const Sets sets = sets_of(shape, dy.size() / shape.units, frozen);
    const std::string name = std::to_string(layer) + ".norm.";
    const Values &z = step.pre_norm[layer], &gamma = tensors.at(name + "weight"), &r = step.r[layer],
                 &d = step.d[layer];
    Values inv_std;
    for (const double v : step.variance[layer])
        inv_std.push_back(1 / std::sqrt(v + double{options_.batch_norm.epsilon}));
    const auto normalized = [&](size_t i) {
        return (z[i] - step.mean[layer][sets.set[i]]) * inv_std[sets.set[i]];
    };
    // With q the gradient of what is normalized: the means over its set of q and of q times that.
    const auto q = [&](size_t i) { return dy[i] * gamma[sets.parameter[i]] * r[sets.set[i]]; };
    Sum dgamma(shape.units), dbeta(shape.units), mean_q(sets.size()), mean_qx(sets.size());
    for (size_t i = 0; i < z.size(); ++i) {
        const size_t s = sets.set[i], p = sets.parameter[i];
        dgamma.add(p, dy[i] * (normalized(i) * r[s] + d[s]));
        dbeta.add(p, dy[i]);
        if (!frozen && !about_zero) mean_q.add(s, q(i) / sets.counts[s]);
        if (!frozen) mean_qx.add(s, q(i) * normalized(i) / sets.counts[s]);
    }
    for (Sum* sum : {&dgamma, &dbeta, &mean_q, &mean_qx})
        for (size_t i = 0; i < sum->value.size(); ++i)
            sum->value[i] = rounded(sum->value[i], sum->magnitude[i]);
    Values dx;
    for (size_t i = 0; i < z.size(); ++i) {
        const size_t s = sets.set[i];
        const double from_mean = mean_q.value[s], from_variance = normalized(i) * mean_qx.value[s];
        dx.push_back(rounded(inv_std[s] * (q(i) - from_mean - from_variance),
                             inv_std[s] * (std::abs(q(i)) + std::abs(from_mean) + std::abs(from_variance))));
    }
    if (options.train_affine) {
        step.gradient[name + "weight"] = dgamma.value;
        if (!about_zero) step.gradient[name + "bias"] = dbeta.value;
    }
    return dx;
}

Values NetworkReference::activate(Activation function, const Values& x) {
    Values y;
    const bool exact = function == Activation::identity || function == Activation::relu;
    for (const double v : x) y.push_back(exact ? value(function, v) : rounded(value(function, v), 1));
    return y;
}

void NetworkReference::loss(const Labelled& batch, const Values& logits, Step& step, Values& dlogits) {
    const size_t classes = options_.classes, rows = batch.labels.size();
    for (size_t row = 0; row < rows; ++row) {
        const auto first = logits.begin() + static_cast<ptrdiff_t>(row * classes);
        const auto largest = std::max_element(first, first + static_cast<ptrdiff_t>(classes));
        double sum = 0;
        for (size_t i = 0; i < classes; ++i) sum += std::exp(logits[row * classes + i] - *largest);
        const size_t label = batch.labels[row];
        const double logit = logits[row * classes + label];
        step.loss += rounded(std::log(sum) + *largest - logit, 1 + std::abs(*largest - logit)) /
                     static_cast<double>(rows);
        step.accuracy +=
            static_cast<double>(static_cast<size_t>(largest - first) == label) / static_cast<double>(rows);
        for (size_t i = 0; i < classes; ++i) {
            const double p = rounded(std::exp(logits[row * classes + i] - *largest) / sum);
            step.probabilities.push_back(p);
            dlogits.push_back(rounded((p - (i == label ? 1 : 0)) / static_cast<double>(rows)));
        }
    }
}

Step NetworkReference::measure(const Labelled& batch, const StepOptions& options) {
    const size_t hidden = options_.hidden.size();
    Step step;
    step.pre_norm.resize(hidden);
    step.normalized.resize(hidden);
    step.activation.resize(hidden);
    step.pre_norm_grad.resize(hidden);
    step.mean.resize(hidden);
    step.variance.resize(hidden);
    step.r.resize(hidden);
    step.d.resize(hidden);

    const Values x(batch.inputs.begin(), batch.inputs.end());
    const auto input_of = [&](size_t layer) -> const Values& {
        return layer == 0 ? x : step.activation[layer - 1];
    };
    const auto inputs_of = [&](size_t layer) {
        return layer == 0 ? options_.inputs : options_.hidden[layer - 1].units;
    };
    for (size_t layer = 0; layer < hidden; ++layer) {
        const HiddenLayer& shape = options_.hidden[layer];
        step.pre_norm[layer] = linear(input_of(layer), tensors.at(prefix(layer) + "weight"),
                                      tensors.at(prefix(layer) + "bias"), inputs_of(layer), shape.units);
        step.normalized[layer] = shape.norm == Norm::none
                                     ? step.pre_norm[layer]
                                     : norm_forward(layer, step.pre_norm[layer], options, step);
        step.activation[layer] = activate(shape.activation, step.normalized[layer]);
    }
    const Values logits = linear(input_of(hidden), tensors.at("output.weight"), tensors.at("output.bias"),
                                 inputs_of(hidden), options_.classes);
    Values d;
    loss(batch, logits, step, d);

    Values dx;
    linear_backward("output.", input_of(hidden), d, inputs_of(hidden), options_.classes, step, &dx);
    for (size_t layer = hidden; layer-- > 0;) {
        const HiddenLayer& shape = options_.hidden[layer];
        for (size_t i = 0; i < dx.size(); ++i)
            dx[i] = rounded(dx[i] * derivative(shape.activation, step.activation[layer][i]), dx[i]);
        if (shape.norm != Norm::none) dx = norm_backward(layer, dx, options, step);
        step.pre_norm_grad[layer] = d = dx;
        linear_backward(prefix(layer), input_of(layer), d, inputs_of(layer), shape.units, step,
                        layer == 0 ? nullptr : &dx);
    }
    for (const auto& [name, gradient] : step.gradient)
        step.gradient_norm += std::inner_product(gradient.begin(), gradient.end(), gradient.begin(), 0.0);
    step.gradient_norm = std::sqrt(step.gradient_norm);
    return step;
}

Step NetworkReference::train(const Labelled& batch, const StepOptions& options) {
    const Step step = measure(batch, options);
    for (const auto& [name, gradient] : step.gradient) {
        Values& p = tensors.at(name);
        Values& v = velocity_[name];
        v.resize(p.size());
        for (size_t i = 0; i < p.size(); ++i) {
            v[i] = options.sgd.momentum * v[i] + gradient[i] + options.sgd.weight_decay * p[i];
            const double change = options.sgd.learning_rate * v[i];
            p[i] = rounded(p[i] - change, std::abs(p[i]) + std::abs(change));
        }
    }
    const bool update = options.update_running && options.statistics == Statistics::batch;
    for (size_t layer = 0; update && layer < options_.hidden.size(); ++layer) {
        const HiddenLayer& shape = options_.hidden[layer];
        if (!keeps_running_statistics(shape.norm)) continue;
        // PyTorch's convention; ghosts one after the other.
        const std::string name = std::to_string(layer) + ".norm.running_";
        const Sets sets = sets_of(shape, batch.labels.size(), false);
        const double weight = options_.batch_norm.momentum;
        for (size_t s = 0; s < sets.size(); ++s) {
            double& mean = tensors.at(name + "mean")[s % shape.units];
            double& variance = tensors.at(name + "var")[s % shape.units];
            const double m = sets.counts[s];
            mean = (1 - weight) * mean + weight * step.mean[layer][s];
            variance = (1 - weight) * variance + weight * step.variance[layer][s] * m / (m - 1);
        }
    }
    return step;
}

Tensors tensors_of(Network& network) {
    Tensors tensors;
    for (const std::string& name : network.tensor_names()) {
        if (name.ends_with("num_batches_tracked")) continue;
        const std::vector<float> values = network.tensor(name);
        tensors[name] = Values(values.begin(), values.end());
    }
    return tensors;
}

}  // namespace vknorm::reference

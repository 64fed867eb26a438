#include "reference/network_reference.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

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

// Ioffe & Szegedy 2015, algorithm 1, with the statistics that `options` asks for.
Values NetworkReference::norm_forward(size_t layer, const Values& z, const StepOptions& options, Step& step) {
    const size_t units = options_.hidden[layer].units, rows = z.size() / units;
    const std::string name = std::to_string(layer) + ".norm.";
    Values mean(units), variance(units), y(z.size());
    for (size_t unit = 0; unit < units; ++unit) {
        double magnitude = 0;
        for (size_t row = 0; row < rows; ++row) {
            mean[unit] += z[row * units + unit] / static_cast<double>(rows);
            magnitude += std::abs(z[row * units + unit]) / static_cast<double>(rows);
        }
        mean[unit] = rounded(mean[unit], magnitude);
        for (size_t row = 0; row < rows; ++row)
            variance[unit] += std::pow(z[row * units + unit] - mean[unit], 2) / static_cast<double>(rows);
        variance[unit] = rounded(variance[unit]);
    }
    if (options.statistics == Statistics::running) {
        mean = tensors.at(name + "running_mean");
        variance = tensors.at(name + "running_var");
    }
    for (size_t i = 0; i < z.size(); ++i) {
        const size_t unit = i % units;
        const double inv_std = 1 / std::sqrt(variance[unit] + double{options_.batch_norm.epsilon});
        const double scaled = rounded((z[i] - mean[unit]) * inv_std * tensors.at(name + "weight")[unit]);
        const double beta = tensors.at(name + "bias")[unit];
        y[i] = rounded(scaled + beta, std::abs(scaled) + std::abs(beta));
    }
    step.mean[layer] = mean;
    step.variance[layer] = variance;
    return y;
}

Values NetworkReference::norm_backward(size_t layer, const Values& dy, const StepOptions& options,
                                       Step& step) {
    const size_t units = options_.hidden[layer].units, rows = dy.size() / units;
    const std::string name = std::to_string(layer) + ".norm.";
    Values dgamma(units), dbeta(units), dx(dy.size());
    const Values& z = step.pre_norm[layer];
    for (size_t unit = 0; unit < units; ++unit) {
        const double inv_std =
            1 / std::sqrt(step.variance[layer][unit] + double{options_.batch_norm.epsilon});
        const double gamma = tensors.at(name + "weight")[unit];
        const auto normalized = [&](size_t row) {
            return (z[row * units + unit] - step.mean[layer][unit]) * inv_std;
        };
        double gamma_magnitude = 0, beta_magnitude = 0;
        for (size_t row = 0; row < rows; ++row) {
            const double d = dy[row * units + unit], term = d * normalized(row);
            dbeta[unit] += d;
            dgamma[unit] += term;
            beta_magnitude += std::abs(d);
            gamma_magnitude += std::abs(term);
        }
        dbeta[unit] = rounded(dbeta[unit], beta_magnitude);
        dgamma[unit] = rounded(dgamma[unit], gamma_magnitude);
        for (size_t row = 0; row < rows; ++row) {
            const double d = dy[row * units + unit], m = static_cast<double>(rows);
            const bool constant = options.statistics == Statistics::running;
            const double from_mean = constant ? 0 : dbeta[unit] / m;
            const double from_variance = constant ? 0 : normalized(row) * dgamma[unit] / m;
            dx[row * units + unit] =
                rounded(gamma * inv_std * (d - from_mean - from_variance),
                        gamma * inv_std * (std::abs(d) + std::abs(from_mean) + std::abs(from_variance)));
        }
    }
    if (options.train_affine) {
        step.gradient[name + "weight"] = dgamma;
        step.gradient[name + "bias"] = dbeta;
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
    const double m = static_cast<double>(batch.labels.size());
    for (size_t layer = 0; update && layer < options_.hidden.size(); ++layer) {
        if (options_.hidden[layer].norm == Norm::none) continue;
        // PyTorch's convention.
        const std::string name = std::to_string(layer) + ".norm.running_";
        const double weight = options_.batch_norm.momentum;
        for (size_t i = 0; i < step.mean[layer].size(); ++i) {
            double& mean = tensors.at(name + "mean")[i];
            double& variance = tensors.at(name + "var")[i];
            mean = (1 - weight) * mean + weight * step.mean[layer][i];
            variance = (1 - weight) * variance + weight * step.variance[layer][i] * m / (m - 1);
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

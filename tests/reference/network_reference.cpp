#include "reference/network_reference.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "reference/augment.hpp"
#include "reference/convolution.hpp"
#include "reference/dropout.hpp"
#include "reference/pooling.hpp"
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

bool is_frozen(const NormLayer& layer, const StepOptions& options) {
    return keeps_running_statistics(layer.kind) && options.statistics == Statistics::running;
}

/// What a norm normalizes together.
Sets sets_of(const NormLayer& layer, const std::vector<uint32_t>& example, size_t rows, bool frozen) {
    std::vector<uint32_t> shape = example;
    shape.insert(shape.begin(), static_cast<uint32_t>(rows));
    const Geometry geometry(shape, Layout::channels_first);
    if (layer.kind == Norm::group) return group_sets(geometry, layer.groups);
    if (layer.kind == Norm::instance) return group_sets(geometry, geometry.channels);
    if (!keeps_running_statistics(layer.kind)) return row_sets(shape, example.size());
    const bool ghosts = layer.kind == Norm::ghost && !frozen;
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

NetworkReference::NetworkReference(const Graph& graph, const BatchNormConvention& convention, Tensors initial)
    : tensors(std::move(initial)), graph_(graph), convention_(convention) {}

NetworkReference::NetworkReference(const NetworkOptions& options, Tensors initial)
    : NetworkReference(perceptron(options), options.batch_norm, std::move(initial)) {}

void NetworkReference::make_errors(double unit, uint64_t seed) {
    unit_ = unit;
    random_.seed(seed);
}

double NetworkReference::rounded(double value, double magnitude) {
    if (unit_ == 0) return value;
    return value + unit_ * std::abs(magnitude) * std::uniform_real_distribution<double>(-1, 1)(random_);
}

Values NetworkReference::forward(const LinearLayer& layer, const Visit& visit) {
    const Values &x = *visit.x[0], &weight = tensors.at(layer.name + ".weight");
    const size_t outputs = layer.units, inputs = weight.size() / outputs;
    const Values bias = layer.bias ? tensors.at(layer.name + ".bias") : Values(outputs);
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

Values NetworkReference::backward(const LinearLayer& layer, const Visit& visit, const Values& dy) {
    const Values &x = *visit.x[0], &weight = tensors.at(layer.name + ".weight");
    const size_t outputs = layer.units, inputs = weight.size() / outputs, rows = dy.size() / outputs;
    const bool wants_dx = visit.node.reads[0].index != 0;
    Sum dweight(weight.size()), dbias(outputs), dx(rows * inputs);
    for (size_t row = 0; row < rows; ++row) {
        for (size_t o = 0; o < outputs; ++o) {
            const double d = dy[row * outputs + o];
            dbias.add(o, d);
            for (size_t i = 0; i < inputs; ++i) {
                dweight.add(o * inputs + i, d * x[row * inputs + i]);
                if (wants_dx) dx.add(row * inputs + i, d * weight[o * inputs + i]);
            }
        }
    }
    for (Sum* sum : {&dweight, &dbias, &dx})
        for (size_t i = 0; i < sum->value.size(); ++i)
            sum->value[i] = rounded(sum->value[i], sum->magnitude[i]);
    visit.step.gradient[layer.name + ".weight"] = dweight.value;
    if (layer.bias) visit.step.gradient[layer.name + ".bias"] = dbias.value;
    return dx.value;
}

Conv2dOptions NetworkReference::convolution(const Conv2dLayer& layer, const Visit& visit) const {
    const std::vector<uint32_t>& shape = input_shape(visit);
    return {.images = static_cast<uint32_t>(visit.x[0]->size() / (size_t{shape[0]} * shape[1] * shape[2])),
            .in_channels = shape[0],
            .out_channels = layer.channels,
            .height = shape[1],
            .width = shape[2],
            .kernel = layer.kernel,
            .stride = layer.stride,
            .padding = layer.padding,
            .dilation = layer.dilation,
            .bias = layer.bias};
}

Values NetworkReference::forward(const Conv2dLayer& layer, const Visit& visit) {
    const Values &x = *visit.x[0], &weight = tensors.at(layer.name + ".weight");
    const Conv2dOptions options = convolution(layer, visit);
    const size_t positions = size_t{options.output_height()} * options.output_width();
    Sum y(positions * layer.channels * options.images);
    for (size_t i = 0; i < y.value.size() && layer.bias; ++i)
        y.add(i, tensors.at(layer.name + ".bias")[i / positions % layer.channels]);
    for_each_product(options, [&](size_t i, size_t w, size_t from) { y.add(i, weight[w] * x[from]); });
    for (size_t i = 0; i < y.value.size(); ++i) y.value[i] = rounded(y.value[i], y.magnitude[i]);
    return y.value;
}

Values NetworkReference::backward(const Conv2dLayer& layer, const Visit& visit, const Values& dy) {
    const Values &x = *visit.x[0], &weight = tensors.at(layer.name + ".weight");
    const Conv2dOptions options = convolution(layer, visit);
    const size_t positions = size_t{options.output_height()} * options.output_width();
    Sum dweight(weight.size()), dbias(layer.channels), dx(x.size());
    for (size_t i = 0; i < dy.size(); ++i) dbias.add(i / positions % layer.channels, dy[i]);
    for_each_product(options, [&](size_t i, size_t w, size_t from) {
        dweight.add(w, dy[i] * x[from]);
        dx.add(from, dy[i] * weight[w]);
    });
    for (Sum* sum : {&dweight, &dbias, &dx})
        for (size_t i = 0; i < sum->value.size(); ++i)
            sum->value[i] = rounded(sum->value[i], sum->magnitude[i]);
    visit.step.gradient[layer.name + ".weight"] = dweight.value;
    if (layer.bias) visit.step.gradient[layer.name + ".bias"] = dbias.value;
    return dx.value;
}

// What the norm normalizes together, by its statistics or by running ones in their place, then corrected by r
// and d, gamma and beta.
Values NetworkReference::forward(const NormLayer& layer, const Visit& visit) {
    const Values& z = *visit.x[0];
    const bool frozen = is_frozen(layer, visit.options), about_zero = layer.kind == Norm::rms;
    const Sets sets = sets_of(layer, visit.node.shape, z.size() / visit.node.elements(), frozen);
    const double epsilon = convention_.epsilon;
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
        mean = tensors.at(layer.name + ".running_mean");
        variance = tensors.at(layer.name + ".running_var");
    }
    Values inv_std, r(sets.size(), 1), d(sets.size());
    for (const double v : variance) inv_std.push_back(1 / std::sqrt(v + epsilon));
    for (size_t s = 0; s < sets.size() && layer.kind == Norm::batch_renorm && !frozen; ++s) {
        if (sets.counts[s] == 1) continue;  // gives beta
        const double r_max = visit.options.renorm.r_max, d_max = visit.options.renorm.d_max;
        const double moving = std::sqrt(tensors.at(layer.name + ".running_var")[s] + epsilon);
        r[s] = std::clamp(1 / inv_std[s] / moving, 1 / r_max, r_max);
        d[s] = std::clamp((mean[s] - tensors.at(layer.name + ".running_mean")[s]) / moving, -d_max, d_max);
    }
    const Values& gamma = tensors.at(layer.name + ".weight");
    const Values beta = about_zero ? Values(sets.parameters) : tensors.at(layer.name + ".bias");
    Values y;
    for (size_t i = 0; i < z.size(); ++i) {
        const size_t s = sets.set[i], p = sets.parameter[i];
        const double scaled = rounded((z[i] - mean[s]) * inv_std[s] * r[s] * gamma[p]);
        const double shift = d[s] * gamma[p] + beta[p];
        y.push_back(rounded(scaled + shift, std::abs(scaled) + std::abs(shift)));
    }
    visit.step.norms[layer.name] = {mean, variance, r, d};
    return y;
}

Values NetworkReference::backward(const NormLayer& layer, const Visit& visit, const Values& dy) {
    const Values &z = *visit.x[0], &gamma = tensors.at(layer.name + ".weight");
    const bool frozen = is_frozen(layer, visit.options), about_zero = layer.kind == Norm::rms;
    const Sets sets = sets_of(layer, visit.node.shape, z.size() / visit.node.elements(), frozen);
    const NormStatistics& statistics = visit.step.norms.at(layer.name);
    const Values &r = statistics.r, &d = statistics.d;
    Values inv_std;
    for (const double v : statistics.variance)
        inv_std.push_back(1 / std::sqrt(v + double{convention_.epsilon}));
    const auto normalized = [&](size_t i) {
        return (z[i] - statistics.mean[sets.set[i]]) * inv_std[sets.set[i]];
    };
    // With q the gradient of what is normalized: the means over its set of q and of q times that.
    const auto q = [&](size_t i) { return dy[i] * gamma[sets.parameter[i]] * r[sets.set[i]]; };
    Sum dgamma(sets.parameters), dbeta(sets.parameters), mean_q(sets.size()), mean_qx(sets.size());
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
    if (visit.options.train_affine) {
        visit.step.gradient[layer.name + ".weight"] = dgamma.value;
        if (!about_zero) visit.step.gradient[layer.name + ".bias"] = dbeta.value;
    }
    return dx;
}

Values NetworkReference::forward(const ActivationLayer& layer, const Visit& visit) {
    Values y;
    const bool exact = layer.function == Activation::identity || layer.function == Activation::relu;
    for (const double x : *visit.x[0])
        y.push_back(exact ? value(layer.function, x) : rounded(value(layer.function, x), 1));
    return y;
}

Values NetworkReference::backward(const ActivationLayer& layer, const Visit& visit, const Values& dy) {
    const Values& y = visit.step.output.at(layer.name);
    Values dx;
    for (size_t i = 0; i < dy.size(); ++i)
        dx.push_back(rounded(dy[i] * derivative(layer.function, y[i]), dy[i]));
    return dx;
}

namespace {

/// Options of an operation on maps of that shape, one row of them.
template <class Options>
Options on_maps(Options options, const std::vector<uint32_t>& shape) {
    options.channels = shape[0];
    options.height = shape[1];
    options.width = shape[2];
    return options;
}

PooledMap map_of(const MaxPool2dLayer& layer, const std::vector<uint32_t>& shape) {
    return pooled_map(on_maps(MaxPool2dOptions{.kernel = layer.kernel,
                                               .stride = layer.stride,
                                               .padding = layer.padding,
                                               .dilation = layer.dilation},
                              shape));
}

PooledMap map_of(const AveragePool2dLayer& layer, const std::vector<uint32_t>& shape) {
    return pooled_map(on_maps(AveragePool2dOptions{.kernel = layer.kernel,
                                                   .stride = layer.stride,
                                                   .padding = layer.padding,
                                                   .count_include_pad = layer.count_include_pad},
                              shape));
}

PooledMap map_of(const AdaptiveAveragePool2dLayer& layer, const std::vector<uint32_t>& shape) {
    return pooled_map(
        on_maps(AdaptiveAveragePool2dOptions{.output = {layer.output_height, layer.output_width}}, shape));
}

Values magnitudes(Values values) {
    for (double& value : values) value = std::abs(value);
    return values;
}

}  // namespace

Values NetworkReference::rounded(Values values, const Values& magnitude) {
    for (size_t i = 0; i < values.size(); ++i) values[i] = rounded(values[i], magnitude[i]);
    return values;
}

Values NetworkReference::forward(const MaxPool2dLayer& layer, const Visit& visit) {
    return max_pool(map_of(layer, input_shape(visit)), *visit.x[0]);
}

Values NetworkReference::backward(const MaxPool2dLayer& layer, const Visit& visit, const Values& dy) {
    const PooledMap map = map_of(layer, input_shape(visit));
    return rounded(max_pool_backward(map, *visit.x[0], dy),
                   max_pool_backward(map, *visit.x[0], magnitudes(dy)));
}

Values NetworkReference::forward(const AveragePool2dLayer& layer, const Visit& visit) {
    const PooledMap map = map_of(layer, input_shape(visit));
    return rounded(average_pool(map, *visit.x[0]), average_pool(map, magnitudes(*visit.x[0])));
}

Values NetworkReference::backward(const AveragePool2dLayer& layer, const Visit& visit, const Values& dy) {
    const PooledMap map = map_of(layer, input_shape(visit));
    return rounded(average_pool_backward(map, dy), average_pool_backward(map, magnitudes(dy)));
}

Values NetworkReference::forward(const AdaptiveAveragePool2dLayer& layer, const Visit& visit) {
    const PooledMap map = map_of(layer, input_shape(visit));
    return rounded(average_pool(map, *visit.x[0]), average_pool(map, magnitudes(*visit.x[0])));
}

Values NetworkReference::backward(const AdaptiveAveragePool2dLayer& layer, const Visit& visit,
                                  const Values& dy) {
    const PooledMap map = map_of(layer, input_shape(visit));
    return rounded(average_pool_backward(map, dy), average_pool_backward(map, magnitudes(dy)));
}

Values NetworkReference::forward(const DropoutLayer& layer, const Visit& visit) {
    return backward(layer, visit, *visit.x[0]);
}

// The same as forward.
Values NetworkReference::backward(const DropoutLayer& layer, const Visit& visit, const Values& dy) {
    const StepOptions& options = visit.options;
    if (options.step == 0) return dy;
    const DropoutMask mask{options.seed, options.step, dropout_layer(layer.name)};
    Values dx;
    for (size_t i = 0; i < dy.size(); ++i)
        dx.push_back(rounded(dy[i] * dropout_factor(mask, double{layer.p}, i)));
    return dx;
}

Values NetworkReference::forward(const AugmentLayer& layer, const Visit& visit) {
    const std::vector<uint32_t>& shape = input_shape(visit);
    const StepOptions& options = visit.options;
    Values y =
        augmented({.rows = static_cast<uint32_t>(visit.x[0]->size() / visit.node.elements()),
                   .channels = shape[0],
                   .height = shape[1],
                   .width = shape[2],
                   .padding = layer.padding,
                   .flip = layer.flip,
                   .mean = layer.mean,
                   .deviation = layer.deviation},
                  {options.seed, options.step, dropout_layer(layer.name)}, options.step > 0, *visit.x[0]);
    for (double& value : y) value = rounded(value);
    return y;
}

Values NetworkReference::forward(const AddLayer&, const Visit& visit) {
    const Values &a = *visit.x[0], &b = *visit.x[1];
    Values y;
    for (size_t i = 0; i < a.size(); ++i) y.push_back(rounded(a[i] + b[i]));
    return y;
}

// As torch.nn.CrossEntropyLoss.
void NetworkReference::loss(const Labelled& batch, const StepOptions& options, const Values& logits,
                            Step& step, Values& dlogits) {
    const size_t rows = batch.labels.size(), classes = logits.size() / rows;
    const auto weight = [&](size_t i) {
        return options.class_weights.empty() ? 1.0 : double{options.class_weights[i]};
    };
    double weights = 0;
    for (const uint32_t label : batch.labels) weights += weight(label);
    for (size_t row = 0; row < rows; ++row) {
        const auto first = logits.begin() + static_cast<ptrdiff_t>(row * classes);
        const auto largest = std::max_element(first, first + static_cast<ptrdiff_t>(classes));
        double sum = 0;
        for (size_t i = 0; i < classes; ++i) sum += std::exp(logits[row * classes + i] - *largest);
        const size_t label = batch.labels[row];
        const double smoothing = options.label_smoothing;
        const auto target = [&](size_t i) {
            return weight(i) * ((i == label ? 1 - smoothing : 0) + smoothing / static_cast<double>(classes));
        };
        double value = 0, magnitude = 0, targets = 0;
        for (size_t i = 0; i < classes; ++i) {
            const double distance = *largest - logits[row * classes + i];
            value += target(i) * (std::log(sum) + distance);
            magnitude += target(i) * (1 + distance);
            targets += target(i);
        }
        step.loss += rounded(value, magnitude) / weights;
        step.accuracy +=
            static_cast<double>(static_cast<size_t>(largest - first) == label) / static_cast<double>(rows);
        for (size_t i = 0; i < classes; ++i) {
            const double p = rounded(std::exp(logits[row * classes + i] - *largest) / sum);
            step.probabilities.push_back(p);
            dlogits.push_back(rounded((p * targets - target(i)) / weights));
        }
    }
}

Step NetworkReference::measure(const Labelled& batch, const StepOptions& options) {
    const std::vector<Graph::Node>& nodes = graph_.nodes();
    Step step;
    step.output[nodes[0].name()] = Values(batch.inputs.begin(), batch.inputs.end());
    const auto visit_to = [&](const Graph::Node& node) {
        Visit visit{node, options, step, {}};
        for (const NodeId read : node.reads) visit.x.push_back(&step.output.at(nodes[read.index].name()));
        return visit;
    };
    for (size_t n = 1; n < nodes.size(); ++n)
        step.output[nodes[n].name()] =
            std::visit([&](const auto& layer) { return forward(layer, visit_to(nodes[n])); }, nodes[n].layer);
    loss(batch, options, step.output.at(nodes.back().name()), step,
         step.output_gradient[nodes.back().name()]);

    for (size_t n = nodes.size(); n-- > 1;) {
        const Values& dy = step.output_gradient.at(nodes[n].name());
        const Values dx = std::visit(
            [&](const auto& layer) { return backward(layer, visit_to(nodes[n]), dy); }, nodes[n].layer);
        for (const NodeId read : nodes[n].reads) {
            if (read.index == 0) continue;
            Values& sum = step.output_gradient[nodes[read.index].name()];
            if (sum.empty())
                sum = dx;
            else
                for (size_t i = 0; i < sum.size(); ++i) sum[i] = rounded(sum[i] + dx[i]);
        }
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
    if (!options.update_running || options.statistics == Statistics::running) return step;
    for (const Graph::Node& node : graph_.nodes()) {
        const auto* const norm = std::get_if<NormLayer>(&node.layer);
        if (norm == nullptr || !keeps_running_statistics(norm->kind)) continue;
        // PyTorch's convention; ghosts one after the other.
        const NormStatistics& statistics = step.norms.at(norm->name);
        const size_t channels = node.shape.front();
        const Sets sets = sets_of(*norm, node.shape, batch.labels.size(), false);
        const double weight = convention_.momentum;
        for (size_t s = 0; s < sets.size(); ++s) {
            double& mean = tensors.at(norm->name + ".running_mean")[s % channels];
            double& variance = tensors.at(norm->name + ".running_var")[s % channels];
            const double m = sets.counts[s];
            mean = (1 - weight) * mean + weight * statistics.mean[s];
            variance = (1 - weight) * variance + weight * statistics.variance[s] * m / (m - 1);
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

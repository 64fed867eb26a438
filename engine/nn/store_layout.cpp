#include "nn/store_layout.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "data/random.hpp"
#include "ops/sizes.hpp"

namespace vknorm::detail {

namespace {

/// Hands out ranges one after the other.
class Cursor {
  public:
    Range take(uint64_t count) {
        const Range range{next_, count};
        next_ = round_up<uint64_t>(next_ + count, 256 / 4);
        return range;
    }
    uint64_t next() const { return next_; }

  private:
    uint64_t next_ = 0;
};

void fill_uniform(std::vector<float>& values, const Range& range, Random& random, double reach) {
    for (uint64_t i = range.first; i < range.end(); ++i)
        values[i] = static_cast<float>(reach * random.uniform(-1, 1));
}

}  // namespace

Layout::Layout(const NetworkOptions& options) {
    Cursor parameter;
    uint32_t inputs = options.inputs;
    const auto add_linear = [&](uint32_t outputs) {
        LayerTensors layer{.inputs = inputs, .outputs = outputs};
        layer.weight = parameter.take(uint64_t{outputs} * inputs);
        layer.bias = parameter.take(outputs);
        parameter_count += layer.weight.count + layer.bias.count;
        inputs = outputs;
        layers.push_back(layer);
    };
    for (const HiddenLayer& hidden : options.hidden) add_linear(hidden.units);
    add_linear(options.classes);
    linear = {0, parameter.next()};

    Cursor statistic, kept;
    const auto take_saved = [&](NormTensors& norm, uint64_t sets, bool means) {
        if (means) norm.mean = kept.take(2 * sets);
        norm.inv_std = kept.take(sets);
    };
    for (size_t i = 0; i < options.hidden.size(); ++i) {
        const HiddenLayer& hidden = options.hidden[i];
        if (hidden.norm == Norm::none) continue;
        const uint64_t units = hidden.units;
        NormTensors& norm = layers[i].norm.emplace();
        norm.gamma = parameter.take(units);
        if (hidden.norm != Norm::rms) norm.beta = parameter.take(units);
        parameter_count += norm.gamma.count + norm.beta.count;
        if (!keeps_running_statistics(hidden.norm)) continue;
        norm.running_mean = statistic.take(units);
        norm.running_variance = statistic.take(units);
        if (hidden.norm == Norm::batch) take_saved(norm, units, true);
    }
    batch_norm = {0, kept.next()};
    for (size_t i = 0; i < options.hidden.size(); ++i) {
        const HiddenLayer& hidden = options.hidden[i];
        if (hidden.norm == Norm::batch || !keeps_running_statistics(hidden.norm)) continue;
        NormTensors& norm = *layers[i].norm;
        const uint64_t units = hidden.units;
        const bool ghosts = hidden.norm == Norm::ghost;
        take_saved(norm, units * (ghosts ? ceil_div(options.max_batch, hidden.ghost_size) : 1), true);
        if (ghosts) continue;
        norm.r = kept.take(units);
        norm.d = kept.take(units);
    }
    batch = {0, kept.next()};
    for (size_t i = 0; i < options.hidden.size(); ++i) {
        const HiddenLayer& hidden = options.hidden[i];
        if (hidden.norm == Norm::none || keeps_running_statistics(hidden.norm)) continue;
        const uint64_t sets = hidden.norm == Norm::group ? hidden.groups : 1;
        take_saved(*layers[i].norm, sets * options.max_batch, hidden.norm != Norm::rms);
    }
    saved = {0, kept.next()};
    affine = {linear.count, parameter.next() - linear.count};
    parameters = {0, parameter.next()};
    running = {0, statistic.next()};
    for (LayerTensors& layer : layers)
        if (layer.norm && layer.norm->running_mean.count > 0) layer.norm->batches = statistic.take(2);
    running_words = {0, statistic.next()};
}

std::vector<NamedTensor> named_tensors(const Layout& layout) {
    using Home = NamedTensor::Home;
    std::vector<NamedTensor> tensors;
    for (size_t i = 0; i < layout.layers.size(); ++i) {
        const LayerTensors& layer = layout.layers[i];
        const bool output = i + 1 == layout.layers.size();
        const std::string prefix = output ? "output." : std::to_string(i) + ".";
        const std::string linear = output ? prefix : prefix + "linear.";
        const auto add = [&](const std::string& name, Home home, const Range& range) {
            if (range.count > 0) tensors.push_back({name, home, range});
        };
        add(linear + "weight", Home::parameters, layer.weight);
        add(linear + "bias", Home::parameters, layer.bias);
        if (!layer.norm) continue;
        add(prefix + "norm.weight", Home::parameters, layer.norm->gamma);
        add(prefix + "norm.bias", Home::parameters, layer.norm->beta);
        add(prefix + "norm.running_mean", Home::running, layer.norm->running_mean);
        add(prefix + "norm.running_var", Home::running, layer.norm->running_variance);
        add(prefix + "norm.num_batches_tracked", Home::batches, layer.norm->batches);
    }
    return tensors;
}

std::vector<float> initial_parameters(const Layout& layout, uint64_t seed, float scale) {
    std::vector<float> values(layout.parameters.count);
    for (size_t i = 0; i < layout.layers.size(); ++i) {
        const LayerTensors& layer = layout.layers[i];
        Random random(Random(seed + i * 0xd1342543de82ef95).bits());
        const double reach = double{scale} / std::sqrt(static_cast<double>(layer.inputs));
        fill_uniform(values, layer.weight, random, reach);
        fill_uniform(values, layer.bias, random, reach);
        if (layer.norm)
            std::fill_n(values.begin() + static_cast<ptrdiff_t>(layer.norm->gamma.first),
                        layer.norm->gamma.count, 1.f);
    }
    return values;
}

std::vector<uint32_t> initial_running(const Layout& layout) {
    std::vector<uint32_t> words(layout.running_words.count);
    for (const LayerTensors& layer : layout.layers)
        if (layer.norm)
            std::fill_n(words.begin() + static_cast<ptrdiff_t>(layer.norm->running_variance.first),
                        layer.norm->running_variance.count, std::bit_cast<uint32_t>(1.f));
    return words;
}

}  // namespace vknorm::detail

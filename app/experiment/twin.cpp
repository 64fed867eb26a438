#include "app/experiment/twin.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include <vknorm/checkpoint.hpp>

#include "app/experiment/divergence.hpp"
#include "app/experiment/evaluation_schedule.hpp"
#include "app/experiment/learning_rate.hpp"
#include "app/experiment/picture_model.hpp"

namespace lab {

namespace {

// Of what the activations receive.
constexpr uint32_t histogram_bins = 64;
// Those whose classes are told, and of networks with convolutions, which take longer.
constexpr size_t pictures_shown = 64, pictures_shown_with_maps = 12;
// Weights of the newest value in the moving averages.
constexpr double light = 0.2, strong = 0.03;
// Batch renormalization begins after 5 000 steps in its paper; runs here have some hundred.
constexpr uint64_t renorm_pace = 100;
// Steps along the gradient that are looked at, in learning rates.
constexpr std::array looked_at = {0.5, 0.7, 1.0, 1.4, 2.0, 2.6, 3.3, 4.0};
// While the parts of steps are shown, one in so many steps is measured: on some devices, timestamps between
// the parts make a step take twice as long.
constexpr uint64_t steps_per_measured = 8;

vknorm::Optimizer optimizer_of(const Settings& settings) {
    switch (settings.optimizer) {
        case OptimizerKind::sgd:
            return vknorm::Sgd{.learning_rate = settings.learning_rate,
                               .momentum = settings.momentum,
                               .weight_decay = settings.weight_decay,
                               .nesterov = settings.nesterov && settings.momentum > 0};
        case OptimizerKind::adam:
            return vknorm::Adam{.learning_rate = settings.learning_rate,
                                .weight_decay = settings.weight_decay};
        case OptimizerKind::adamw:
            return vknorm::AdamW{.learning_rate = settings.learning_rate,
                                 .weight_decay = settings.weight_decay};
    }
    throw std::logic_error("optimizer_of: not a kind of optimizer");
}

vknorm::BatchNormConvention convention_of(const Settings& settings) {
    vknorm::BatchNormConvention convention = vknorm::BatchNormConvention::torch();
    convention.momentum = settings.norm_momentum;
    convention.epsilon = settings.epsilon;
    return convention;
}

vknorm::NetworkOptions network_options(const Settings& settings, size_t index, const vknorm::Dataset& train,
                                       vknorm::Exchange* exchange) {
    vknorm::NetworkOptions options;
    options.exchange = exchange;
    options.inputs = train.features;
    const TwinSettings& twin = settings.twins[index];
    if (twin.devices > 1 && twin.device_statistics == DeviceStatistics::alone) options.statistics_group = 1;
    for (uint32_t layer = 0; layer < settings.hidden.size(); ++layer)
        options.hidden.push_back({settings.hidden[layer], twin.norm_of(layer), twin.activation, twin.groups,
                                  twin.ghost_size, twin.order});
    options.classes = train.classes;
    options.max_batch = limits::max_batch;
    options.accumulate = settings.accumulate;
    options.label_smoothing = settings.label_smoothing;
    options.init_scale = settings.init_scale;
    options.seed = settings.seed;
    options.batch_norm = convention_of(settings);
    options.renorm = [](uint64_t step) { return vknorm::paper_schedule(renorm_pace * step); };
    return options;
}

vknorm::Network network_of(vknorm::Device& device, const Settings& settings, size_t index,
                           const vknorm::Dataset& train, vknorm::Exchange* exchange) {
    vknorm::NetworkOptions options = network_options(settings, index, train, exchange);
    if (is_perceptron(settings)) return {device, options};
    options.hidden.clear();
    options.max_batch = settings.batch;
    return {device, picture_model(settings, index, train), options};
}

/// Those of several devices together are from a histogram, the finest there is.
vknorm::ProbeOptions percentiles_of_devices(int32_t unit) {
    return {.bins = 256, .low = -8, .high = 8, .unit = unit};
}

/// What batch norm does to the units of a layer, each with so many values in a batch.
void describe_units(LayerView& view, const std::vector<vknorm::ChannelStatistics>& units, float epsilon,
                    size_t values, bool rectified) {
    // In deviations: no value of a batch lies further from its mean.
    const float reach = std::sqrt(static_cast<float>(values - 1));
    for (const vknorm::ChannelStatistics& unit : units) {
        const float gamma = std::abs(unit.gamma);
        view.largest_gain = std::fmax(view.largest_gain, gamma / std::sqrt(unit.batch_variance + epsilon));
        view.dead_units += rectified && unit.beta <= -gamma * reach;
    }
}

/// Of a layer that wide: it takes as much memory as another one.
size_t channel_capacity(uint32_t width) {
    constexpr uint32_t most_rows = 24'576, least = 32, most = 512;
    return std::clamp(most_rows / width, least, most);
}

std::vector<ChannelRow> channel_rows(const std::vector<vknorm::ChannelStatistics>& channels,
                                     vknorm::Norm kind, float epsilon) {
    std::vector<ChannelRow> rows;
    for (const vknorm::ChannelStatistics& channel : channels)
        rows.push_back({.batch_mean = channel.batch_mean,
                        .batch_variance = channel.batch_variance,
                        .running_mean = channel.running_mean,
                        .running_variance = channel.running_variance,
                        .gamma = channel.gamma,
                        .beta = kind == vknorm::Norm::rms ? not_measured : channel.beta,
                        .gap = (channel.batch_mean - channel.running_mean) /
                               std::sqrt(channel.running_variance + epsilon)});
    return rows;
}

/// Of the vector of all the values that the probe saw.
float length_of(const vknorm::ProbeResult& probe) {
    const double count = std::accumulate(probe.histogram.begin(), probe.histogram.end(), 0.0);
    const double mean = double{probe.mean};
    return static_cast<float>(std::sqrt(count * (double{probe.variance} + mean * mean)));
}

// In a checkpoint, in the order of averages(): what each depends on.
constexpr const char* averages_name = "training/lab/averages";

// With small batches the whole test set would take too many of them: this many tell the accuracy to a few
// percent.
constexpr size_t most_test_batches = 64;

std::vector<uint32_t> most_probable(const std::vector<float>& probability, uint32_t classes) {
    std::vector<uint32_t> best;
    for (auto row = probability.begin(); row != probability.end(); row += classes)
        best.push_back(static_cast<uint32_t>(std::max_element(row, row + classes) - row));
    return best;
}

}  // namespace

Twin::Twin(vknorm::Device& device, const Settings& settings, size_t index, const vknorm::Dataset& train,
           vknorm::Exchange* exchange)
    : index_(index),
      depends_on_batch_(depends_on_batch(settings, index)),
      replicas_(settings.twins[index].devices, exchange,
                [&](vknorm::Exchange* own) { return network_of(device, settings, index, train, own); }),
      layers_(measured_layers(replicas_.first().graph())),
      light_loss_(light),
      strong_loss_(strong),
      light_gradient_norm_(light),
      strong_gradient_norm_(strong) {
    for (const MeasuredLayer& layer : layers_) view_.channels.emplace_back(channel_capacity(layer.width()));
    set_hyperparameters(settings);
    set_probes(settings);
    set_plan(settings);
    set_microscope(settings);
}

void Twin::apply(const Settings& settings, const Settings& previous) {
    set_hyperparameters(settings);
    const bool other_layer = settings.inspected_layer != previous.inspected_layer,
               other_unit = other_layer || settings.inspected_unit != previous.inspected_unit;
    if (other_layer) {
        view_.tensors.clear();
        view_.latest_tensors.reset();
    }
    if (other_unit) {
        view_.unit.clear();
        view_.maps = {};
    }
    if (other_unit || settings.distributions != previous.distributions) set_probes(settings);
    set_plan(settings);
    set_microscope(settings);
    // A gap, rather than a line over what was not looked at.
    if (previous.landscape && !settings.landscape && !view_.landscape.empty())
        view_.landscape.push(view_.landscape.back().step + 1, {});
}

void Twin::set_hyperparameters(const Settings& settings) {
    settings_ = settings;
    replicas_.each([&](vknorm::Network& network) {
        network.set_optimizer(optimizer_of(settings));
        network.set_max_gradient_norm(settings.max_gradient_norm);
        network.set_batch_norm(convention_of(settings));
        network.set_statistics(settings.statistics);
        network.set_update_running(settings.update_running);
        network.set_train_affine(settings.train_affine);
    });
}

void Twin::set_probes(const Settings& settings) {
    layer_ = std::min(settings.inspected_layer, static_cast<uint32_t>(layers_.size() - 1));
    const MeasuredLayer& inspected = layers_[layer_];
    unit_ = std::min(settings.inspected_unit, inspected.width() - 1);
    probes_.clear();
    const auto add_probe = [&](const std::string& node, int32_t unit) {
        vknorm::NetworkProbe probe;
        probe.node = node;
        probe.options = histogram_probe(histogram_bins, Histogram().low, Histogram().high);
        probe.options.unit = unit;
        if (unit >= 0 && settings.twins[index_].devices > 1) probe.options = percentiles_of_devices(unit);
        probes_.push_back(probe);
        return probe.name();
    };
    // What the activations of every layer receive, and of the inspected unit what its norm does, too.
    pre_activations_.clear();
    for (const MeasuredLayer& layer : layers_)
        pre_activations_.push_back(add_probe(layer.pre_activation(), -1));
    const auto unit = static_cast<int32_t>(unit_);
    unit_norm_input_ = unit_pre_activation_ = add_probe(inspected.norm_input(), unit);
    if (inspected.pre_activation() != inspected.norm_input())
        unit_pre_activation_ = add_probe(inspected.pre_activation(), unit);
    const vknorm::NetworkProbe gradient{.node = inspected.linear,
                                        .tensor = vknorm::Tensor::output_gradient,
                                        .options = {.bins = 1, .unit = unit}};
    probes_.push_back(gradient);
    unit_gradient_ = gradient.name();
    if (!settings.distributions)
        tensor_probes_.reset();
    else if (!tensor_probes_ || tensor_probes_->layer() != inspected.linear)
        tensor_probes_.emplace(inspected);
    place_probes();
}

void Twin::place_probes() {
    std::vector<vknorm::NetworkProbe> all = probes_;
    if (tensor_probes_)
        for (vknorm::NetworkProbe& probe : tensor_probes_->probes()) all.push_back(std::move(probe));
    replicas_.set_probes(std::move(all));
}

void Twin::collect_tensors(uint64_t step, const vknorm::StepResult& result) {
    if (!tensor_probes_) return;
    view_.latest_tensors = {step, tensor_probes_->read(result)};
    view_.tensors.push(step, view_.latest_tensors->each);
    if (tensor_probes_->follow(view_.latest_tensors->each)) place_probes();
}

// Nothing is measured that is not shown.
void Twin::set_plan(const Settings& settings) {
    plan_ = settings.plan;
    if (!plan_) parts_.clear();
    const uint32_t rows = settings.batch / settings.twins[index_].devices;
    const std::string& norm = layers_[layer_].norm;
    view_.norm_plan = plan_ && !norm.empty() ? replicas_.first().explain(norm, rows) : "";
}

// All layers at once, so that another one can be looked at while the run is paused.
void Twin::set_microscope(const Settings& settings) {
    if (settings.microscope == microscope_) return;
    microscope_ = settings.microscope;
    view_.specimens.clear();
    std::vector<std::string> norms;
    for (const MeasuredLayer& layer : layers_)
        if (microscope_ && is_perceptron(settings) && !layer.norm.empty()) norms.push_back(layer.norm);
    replicas_.each([&](vknorm::Network& network) { network.set_captured_norms(norms); });
}

Specimen Twin::specimen_of(size_t layer, std::span<const uint32_t> labels) const {
    const vknorm::NetworkOptions& options = replicas_.first().options();
    const vknorm::HiddenLayer& hidden = options.hidden[layer];
    return {.kind = hidden.norm,
            .activation = hidden.activation,
            .order = hidden.order,
            .channels = hidden.units,
            .groups = hidden.groups,
            .ghost_size = hidden.ghost_size,
            .epsilon = settings_.epsilon,
            .statistics = settings_.statistics,
            .limits = options.renorm(replicas_.first().steps() + 1),
            .labels = {labels.begin(), labels.end()}};
}

void Twin::submit(std::span<const float> inputs, std::span<const uint32_t> labels) {
    if (diverged()) return;
    const float rate = learning_rate_at(settings_, steps_ + 1);
    replicas_.each([&](vknorm::Network& network) { network.set_learning_rate(rate); });
    specimens_.clear();
    for (size_t layer = 0; microscope_ && layer < replicas_.first().options().hidden.size(); ++layer)
        specimens_.push_back(specimen_of(layer, labels));
    const bool in_one_piece = replicas_.first().options().exchange == nullptr;
    replicas_.first().set_timestamps(plan_ && in_one_piece &&
                                     (parts_.empty() || steps_ % steps_per_measured == 0));
    replicas_.train_step(inputs, labels);
}

void Twin::collect(uint64_t step) {
    if (diverged()) return;
    vknorm::StepResult result;
    try {
        result = replicas_.result();
    } catch (const vknorm::Diverged& diverged) {
        view_.divergence = Divergence{step, what_was_found(diverged.what())};
        return;
    }
    unscheduled_test_.reset();
    parts_.push(replicas_.timings());
    ++steps_;
    view_.training.push(step,
                        {.loss = result.loss,
                         .lightly_smoothed_loss = light_loss_.add(result.loss),
                         .strongly_smoothed_loss = strong_loss_.add(result.loss),
                         .gradient_norm = result.gradient_norm,
                         .lightly_smoothed_gradient_norm = light_gradient_norm_.add(result.gradient_norm),
                         .strongly_smoothed_gradient_norm = strong_gradient_norm_.add(result.gradient_norm)});
    view_.unit.push(step, unit_row(result));
    collect_tensors(step, result);
    view_.specimens.clear();
    for (size_t layer = 0; layer < specimens_.size(); ++layer) {
        const auto captured = result.captured.find(layers_[layer].norm);
        view_.specimens.emplace_back();
        if (captured == result.captured.end()) continue;
        Specimen& specimen = specimens_[layer];
        specimen.step = step;
        specimen.device = std::move(captured->second);
        // Those of the last micro-batch stay, or of the first device's part of it.
        std::vector<uint32_t>& labels = specimen.labels;
        labels.erase(labels.begin(), labels.end() - settings_.batch);
        labels.resize(specimen.rows());
        view_.specimens.back() = std::make_shared<const Specimen>(std::move(specimen));
    }

    std::vector<Histogram> histograms;
    view_.layers.clear();
    for (size_t i = 0; i < layers_.size(); ++i) {
        const MeasuredLayer& layer = layers_[i];
        const vknorm::ProbeResult& probe = result.probes.at(pre_activations_[i]);
        histograms.push_back(histogram_of(probe, Histogram().low, Histogram().high));
        view_.layers.push_back({.normalized = histograms.back(),
                                .mean = probe.mean,
                                .deviation = std::sqrt(probe.variance),
                                .non_finite = probe.non_finite,
                                .shape = layer.shape});
        if (layer.kind == vknorm::Norm::batch && settings_.statistics == vknorm::Statistics::batch)
            describe_units(view_.layers.back(), result.statistics.at(layer.norm), settings_.epsilon,
                           normalized_together(settings_, index_) * layer.positions(),
                           layer.rectified && layer.normalizes_before());
        if (layer.norm.empty()) continue;
        view_.layers.back().channels =
            channel_rows(result.statistics.at(layer.norm), layer.kind, settings_.epsilon);
        view_.channels[i].push(step, view_.layers.back().channels);
    }
    view_.distributions.push(step, std::move(histograms));
}

std::array<MovingAverage*, 4> Twin::averages() {
    return {&light_loss_, &strong_loss_, &light_gradient_norm_, &strong_gradient_norm_};
}

void Twin::save(const std::filesystem::path& file, vknorm::HostTensors beside) {
    vknorm::HostTensor& tensor = beside[averages_name];
    tensor.dtype = vknorm::Dtype::f64;
    tensor.shape = {averages().size(), 2};
    for (const MovingAverage* const average : averages()) {
        const std::array<double, 2> state = {average->state().sum, average->state().missing};
        const auto bytes = std::as_bytes(std::span(state));
        tensor.bytes.insert(tensor.bytes.end(), bytes.begin(), bytes.end());
    }
    vknorm::save_checkpoint(replicas_.first(), file, {.beside = std::move(beside)});
}

vknorm::HostTensors Twin::load(const std::filesystem::path& file) {
    vknorm::HostTensors beside;
    replicas_.each(
        [&](vknorm::Network& network) { beside = vknorm::load_checkpoint(network, file).tensors; });
    const auto found = beside.find(averages_name);
    if (found == beside.end()) return beside;
    std::array<std::array<double, 2>, 4> states{};
    const vknorm::HostTensor& tensor = found->second;
    if (tensor.dtype != vknorm::Dtype::f64 || tensor.bytes.size() != sizeof states)
        throw vknorm::FormatError(file.string() + ": " + averages_name + ": got " +
                                  vknorm::name_of(tensor.dtype) + " " + vknorm::shape_text(tensor.shape) +
                                  ", needs F64 (4, 2)");
    std::memcpy(states.data(), tensor.bytes.data(), sizeof states);
    for (size_t i = 0; i < states.size(); ++i)
        averages()[i]->set_state({.sum = states[i][0], .missing = states[i][1]});
    return beside;
}

TwinView Twin::view() const {
    TwinView view = view_;
    if (unscheduled_test_) view.test.push(unscheduled_test_->step, unscheduled_test_->value);
    view.parts = parts_.medians();
    view.parts_by_kind = by_kind(view.parts, replicas_.first().graph());
    return view;
}

UnitRow Twin::unit_row(const vknorm::StepResult& result) const {
    const vknorm::ProbeResult &before = result.probes.at(unit_norm_input_),
                              &after = result.probes.at(unit_pre_activation_);
    UnitRow row;
    row.percentile15 = after.percentile15;
    row.percentile50 = after.percentile50;
    row.percentile85 = after.percentile85;
    row.batch_mean = before.mean;
    row.batch_variance = before.variance;
    row.gradient_norm = length_of(result.probes.at(unit_gradient_));
    const auto statistics = result.statistics.find(layers_[layer_].norm);
    if (statistics != result.statistics.end()) {
        const vknorm::ChannelStatistics& channel = statistics->second[unit_];
        row.running_mean = channel.running_mean;
        row.running_variance = channel.running_variance;
        row.gamma = channel.gamma;
        row.beta = channel.beta;
    }
    return row;
}

void Twin::evaluate(uint64_t step, const vknorm::Dataset& test) {
    if (diverged()) return;
    const vknorm::Evaluation evaluation =
        replicas_.evaluate(test.inputs, test.labels, vknorm::Statistics::running);
    TestRow row;
    row.accuracy = static_cast<float>(evaluation.accuracy);
    row.loss = static_cast<float>(evaluation.loss);
    if (depends_on_batch_) {
        const uint32_t batch = normalized_together(settings_, index_);
        const size_t examples = std::min(test.size(), most_test_batches * batch);
        row.batch_accuracy = static_cast<float>(
            replicas_
                .evaluate(std::span(test.inputs).first(examples * test.features),
                          std::span(test.labels).first(examples), vknorm::Statistics::batch, batch)
                .accuracy);
    }
    unscheduled_test_.reset();
    if (EvaluationSchedule(settings_).due(step))
        view_.test.push(step, row);
    else
        unscheduled_test_ = {step, row, Extremes<TestRow>(row)};
}

double Twin::test_accuracy(const vknorm::Dataset& test, vknorm::Statistics statistics, uint32_t batch) {
    return replicas_.evaluate(test.inputs, test.labels, statistics, batch).accuracy;
}

LookAhead Twin::look_ahead(std::span<const float> inputs, std::span<const uint32_t> labels,
                           std::span<const double> rates) {
    const vknorm::HostTensors whole = replicas_.first().state();
    LookAhead ahead = lab::look_ahead(replicas_, inputs, labels, rates);
    set_hyperparameters(settings_);
    replicas_.each([&](vknorm::Network& network) { network.set_state(whole); });  // moments, too
    return ahead;
}

void Twin::measure_landscape(uint64_t step, std::span<const float> inputs, std::span<const uint32_t> labels) {
    if (diverged()) return;
    std::vector<double> rates;
    for (const double multiple : looked_at)
        rates.push_back(multiple * learning_rate_at(settings_, steps_ + 1));
    view_.ahead = look_ahead(inputs, labels, rates);
    view_.landscape.push(step, row_of(view_.ahead));
}

void Twin::recompute_running_statistics(const vknorm::Dataset& train) {
    if (depends_on_batch_ && !diverged()) replicas_.recompute_running_statistics(train.inputs);
}

void Twin::look(const vknorm::Dataset& test, const PlaneGrid& grid) {
    if (grid.columns > 0)
        view_.boundary = {grid.columns, grid.rows,
                          grid.low,     grid.high,
                          test.classes, replicas_.first().predict(grid.points, vknorm::Statistics::running)};
    if (test.image_width > 0) {
        const size_t most = is_perceptron(settings_) ? pictures_shown : pictures_shown_with_maps;
        const auto shown = std::span(test.inputs).first(std::min(most, test.size()) * test.features);
        view_.predicted =
            most_probable(replicas_.first().predict(shown, vknorm::Statistics::running), test.classes);
        view_.maps = feature_maps(shown);
    }
}

FeatureMaps Twin::feature_maps(std::span<const float> pictures) {
    const MeasuredLayer& layer = layers_[layer_];
    if (!layer.gives_maps()) return {};
    const std::vector<float> outputs =
        replicas_.first().output(layer.pre_activation(), pictures, vknorm::Statistics::running);
    FeatureMaps maps{.pictures = static_cast<uint32_t>(pictures.size() / replicas_.first().options().inputs),
                     .height = layer.shape[1],
                     .width = layer.shape[2],
                     .values = {}};
    const size_t map = size_t{maps.height} * maps.width;
    for (size_t picture = 0; picture < maps.pictures; ++picture) {
        const auto first = outputs.begin() + static_cast<ptrdiff_t>((picture * layer.width() + unit_) * map);
        maps.values.insert(maps.values.end(), first, first + static_cast<ptrdiff_t>(map));
    }
    return maps;
}

}  // namespace lab

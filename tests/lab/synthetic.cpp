#include "lab/synthetic.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "app/experiment/measured_layers.hpp"
#include "app/experiment/moments.hpp"
#include "lab/synthetic_specimen.hpp"

namespace lab::testing {

namespace {

float smooth(float& average, float value, float weight) {
    return average = std::isfinite(average) ? average + weight * (value - average) : value;
}

Histogram bell(float mean, float deviation, float roughness, std::mt19937& random) {
    Histogram histogram;
    std::normal_distribution<float> normal;
    histogram.share.resize(64);
    float sum = 0;
    for (size_t i = 0; i < histogram.share.size(); ++i) {
        const float x =
            histogram.low + (static_cast<float>(i) + 0.5f) * (histogram.high - histogram.low) / 64;
        const float z = (x - mean) / deviation;
        histogram.share[i] = std::max(0.0f, std::exp(-z * z / 2) * (1 + roughness * normal(random)));
        sum += histogram.share[i];
    }
    for (float& share : histogram.share) share /= sum;
    return histogram;
}

/// Of a normal distribution, rectified or not.
Distribution distribution(float mean, float deviation, bool rectified) {
    Distribution seen;
    seen.count = 1536;
    seen.mean = mean;
    seen.deviation = deviation;
    seen.minimum = rectified ? 0 : mean - 4.5f * deviation;
    seen.maximum = mean + 4.5f * deviation;
    seen.histogram = {.low = seen.minimum + (rectified ? 0 : deviation / 2),
                      .high = seen.maximum - deviation / 2,
                      .share = std::vector<float>(128),
                      .below = rectified ? 0 : 0.004f,
                      .above = 0.012f};
    Histogram& histogram = seen.histogram;
    float sum = histogram.below + histogram.above;
    for (size_t bin = 0; bin < histogram.share.size(); ++bin) {
        const float z = (histogram.edge(bin) - mean) / deviation;
        sum += histogram.share[bin] = std::exp(-z * z / 2) / 60;
    }
    histogram.share.front() += std::max(1 - sum, 0.0f);  // what a ReLU silences
    constexpr std::array<float, 5> deviations = {-1.64f, -1.04f, 0, 1.04f, 1.64f};
    for (size_t i = 0; i < deviations.size(); ++i)
        seen.percentiles[i] = std::max(mean + deviations[i] * deviation, seen.minimum);
    return seen;
}

/// Measured in every step but for a stretch.
void measure_tensors(TwinView& view, const MeasuredLayer& layer, uint64_t steps) {
    const bool normed = !layer.norm.empty();
    for (uint64_t step = 1; step <= steps; ++step) {
        if (step >= 60 && step < 420) continue;
        const float t = static_cast<float>(step), width = 0.3f + t / 700;
        LayerDistributions each;
        each[0] = distribution(-t / 500, width, false);
        if (normed) {
            each[1] = distribution(0, 1, false);
            each[2] = distribution(-0.2f, 1 + t / 3000, false);
        }
        each[3] = distribution(0, width, true);
        each[4] = distribution(0, 1e-4f / width, false);
        view.latest_tensors = {step, each};
        view.tensors.push(step, std::move(each));
    }
}

vknorm::Dataset points(const Settings& s) {
    vknorm::Dataset data{.features = 2, .classes = 2};
    std::mt19937 random(static_cast<unsigned>(s.seed));
    std::normal_distribution<float> normal(0, s.noise * 0.15f);
    for (uint32_t i = 0; i < 512; ++i) {
        const float t = static_cast<float>(i / 2) / 256, angle = t * 9 + static_cast<float>(i % 2) * 3.14159f;
        data.inputs.push_back(t * std::cos(angle) + normal(random));
        data.inputs.push_back(t * std::sin(angle) + normal(random));
        data.labels.push_back(i % 2);
    }
    return data;
}

vknorm::Dataset pictures(const Settings& s) {
    vknorm::Dataset data{.features = 784, .classes = 10, .image_width = 28, .image_height = 28};
    std::mt19937 random(static_cast<unsigned>(s.seed));
    std::uniform_real_distribution<float> jitter(-2, 2);
    for (uint32_t i = 0; i < 40; ++i) {
        const uint32_t label = i * 7 % 10;
        const float cx = 14 + jitter(random), cy = 14 + jitter(random),
                    radius = 4 + static_cast<float>(label) * 0.6f;
        for (int y = 0; y < 28; ++y)
            for (int x = 0; x < 28; ++x) {
                const float d = std::hypot(static_cast<float>(x) - cx, static_cast<float>(y) - cy);
                data.inputs.push_back(std::clamp(1.8f - std::abs(d - radius), 0.0f, 1.0f));
            }
        data.labels.push_back(label);
    }
    return data;
}

Boundary boundary(float sharpness) {
    Boundary b{.columns = 64, .rows = 64, .classes = 2, .probability = {}};
    for (uint32_t row = 0; row < b.rows; ++row)
        for (uint32_t column = 0; column < b.columns; ++column) {
            const float x = b.low + (b.high - b.low) * static_cast<float>(column) / 63;
            const float y = b.low + (b.high - b.low) * static_cast<float>(row) / 63;
            const float wave = std::cos(std::atan2(y, x) - std::hypot(x, y) * 9);
            const float p = 1 / (1 + std::exp(-wave * sharpness));
            b.probability.push_back(p);
            b.probability.push_back(1 - p);
        }
    return b;
}

/// A channel that goes its own way, and is noisy.
ChannelRow channel_row(vknorm::Norm kind, uint32_t channel, uint64_t step, std::mt19937& random) {
    std::uniform_real_distribution<float> noise(-1, 1);
    const float t = 1 - std::exp(-static_cast<float>(step) / 200),
                way = std::sin(static_cast<float>(channel) * 2.4f);
    ChannelRow row{.gamma = 1 + 0.2f * t * way};
    if (kind != vknorm::Norm::rms) row.beta = -0.3f * t * way * way;
    if (!vknorm::keeps_running_statistics(kind)) return row;
    row.running_mean = 1.5f * way * t;
    row.running_variance = 1 + t * (1 + way);
    row.batch_mean = row.running_mean + 0.1f * noise(random);
    row.batch_variance = row.running_variance * (1 + 0.1f * noise(random));
    row.gap = (row.batch_mean - row.running_mean) / std::sqrt(row.running_variance);
    return row;
}

void train_channels(TwinView& view, const std::vector<MeasuredLayer>& layers, uint64_t steps) {
    constexpr uint64_t kept = 300;
    std::mt19937 random(11);
    for (size_t i = 0; i < layers.size(); ++i) {
        view.channels.emplace_back(2 * kept);
        if (layers[i].norm.empty()) continue;
        const auto rows = [&](uint64_t step) {
            std::vector<ChannelRow> all;
            for (uint32_t channel = 0; channel < layers[i].width(); ++channel)
                all.push_back(channel_row(layers[i].kind, channel, step, random));
            return all;
        };
        for (uint64_t step = 1; step <= steps; step += 1 + steps / kept)
            view.channels[i].push(step, rows(step));
        if (steps > 0) view.layers[i].channels = rows(steps);
    }
}

void train_twin(TwinView& view, const Settings& s, size_t twin, uint64_t steps) {
    std::mt19937 random(static_cast<unsigned>(s.seed * 2 + twin));
    std::normal_distribution<float> normal;
    const bool normalized = s.twins[twin].norm != vknorm::Norm::none, gap = depends_on_batch(s, twin);
    const std::vector<MeasuredLayer> layers = measured_layers(s, twin);
    float light_loss = not_measured, strong_loss = not_measured, light_gradient = not_measured,
          strong_gradient = not_measured, mean = 0, variance = 1;
    for (uint64_t step = 1; step <= steps; ++step) {
        const float t = static_cast<float>(step), rate = normalized ? 60.0f : 260.0f;
        const float loss =
            (0.7f * std::exp(-t / rate) + (normalized ? 0.2f : 0.02f)) * std::exp(0.5f * normal(random));
        const float gradient =
            (normalized ? 1.0f : 0.4f + t / 500) * std::exp(0.45f * normal(random)) + 20 / t;
        view.training.push(
            step, {loss, smooth(light_loss, loss, 0.2f), smooth(strong_loss, loss, 0.03f), gradient,
                   smooth(light_gradient, gradient, 0.2f), smooth(strong_gradient, gradient, 0.03f)});
        const float drift = normalized ? 0.2f : -t / 300;
        const float batch_mean = -0.6f + 0.6f * std::exp(-t / 80) + 0.06f * normal(random);
        const float batch_variance = (1.6f - std::exp(-t / 200)) * std::exp(0.15f * normal(random));
        mean += s.norm_momentum * (batch_mean - mean);
        variance += s.norm_momentum * (batch_variance - variance);
        UnitRow unit{drift - 1 + 0.1f * normal(random),
                     drift + 0.08f * normal(random),
                     drift + 1 + 0.1f * normal(random),
                     batch_mean,
                     batch_variance,
                     mean,
                     variance};
        unit.gradient_norm = gradient / 50;
        if (normalized) {
            unit.gamma = 1 + drift / 9;
            unit.beta = -drift / 7;
        }
        if (!vknorm::keeps_running_statistics(norm_of(s, twin, s.inspected_layer)))
            unit.running_mean = unit.running_variance = not_measured;
        // What can go wrong in a run: an overflow, a stretch without measurements.
        if (step == 150)
            view.training.push(
                step, {INFINITY, light_loss, strong_loss, INFINITY, light_gradient, strong_gradient});
        if (step >= 100 && step < 120) unit.percentile50 = unit.batch_mean = unit.running_mean = not_measured;
        view.unit.push(step, unit);
        if (step % 20 == 1) {
            const float accuracy = std::min(1.0f, 1 - 0.5f * std::exp(-t / rate) + 0.01f * normal(random));
            view.test.push(step, {accuracy, gap ? accuracy - 0.02f : not_measured, strong_loss});
        }
        if (step % 10 == 1)
            view.distributions.push(
                step, std::vector(layers.size(), bell(0, normalized ? 1.0f : 0.2f + t / 900, 0.12f, random)));
    }
    for (size_t layer = 0; layer < layers.size() && steps > 0; ++layer) {
        const float width = normalized ? 1.0f : 0.9f / (1 + static_cast<float>(layer));
        view.layers.push_back({.normalized = bell(0, width, 0.08f, random),
                               .mean = 0.02f,
                               .deviation = width,
                               .shape = layers[layer].shape});
    }
    train_channels(view, layers, steps);
}

/// Looks that find less and less, wider apart without a norm; one stretch was not looked at.
void look_along_gradient(TwinView& view, bool normalized, uint64_t steps) {
    std::mt19937 random(5);
    std::uniform_real_distribution<float> noise(0.7f, 1.4f);
    const float spread = normalized ? 2.0f : 12.0f;
    for (uint64_t step = 10; step <= steps; step += 10) {
        const float fall = std::exp(-static_cast<float>(step) / 250);
        LandscapeRow row{.loss_low = 0.6f * fall * noise(random), .smoothness = 11 * noise(random)};
        row.loss_high = row.loss_low * spread * noise(random);
        row.change_low = 0.4f * noise(random);
        row.change_high = row.change_low * spread * noise(random);
        view.landscape.push(step, step == 200 ? LandscapeRow{} : row);
    }
    view.ahead = {.loss = 0.4, .gradient_norm = 1.3};
    for (double rate = 0.15; rate < 1.3; rate += 0.15) {
        view.ahead.rates.push_back(rate);
        view.ahead.losses.push_back(0.4 - 0.3 * rate + double{spread} * 0.1 * rate * rate);
        view.ahead.changes.push_back(double{spread} * rate);
    }
}

/// Waves that go through the pictures, of either sign.
FeatureMaps waves(const MeasuredLayer& layer, size_t twin) {
    if (!layer.gives_maps()) return {};
    FeatureMaps maps{.pictures = 12, .height = layer.shape[1], .width = layer.shape[2], .values = {}};
    for (uint32_t picture = 0; picture < maps.pictures; ++picture)
        for (uint32_t y = 0; y < maps.height; ++y)
            for (uint32_t x = 0; x < maps.width; ++x)
                maps.values.push_back(std::sin(static_cast<float>(picture + x * (twin + 1)) * 0.3f) *
                                      std::cos(static_cast<float>(y) * 0.4f));
    return maps;
}

/// The times of a step whose parts take longer and longer, and words as long as those of a norm.
void plan_step(TwinView& view, const Settings& s, size_t twin, uint64_t steps) {
    view.norm_plan =
        "layer_norm: rows, 1 x 128 channels x 100\n"
        "  1 slice of 1 x 128 channels x 100: 1 strands per channel of up to 1024 values, 32 side by side; "
        "4 x 1 workgroups of 128; 2 partials per channel\n"
        "  forward: norm_statistics_vectors_texels, norm_finalize, norm_apply_aligned_vectors_texels\n"
        "  backward: norm_backward_sums_aligned_vectors_texels, norm_backward_finalize, "
        "norm_backward_apply_aligned_vectors_texels\n"
        "  gradients of parameters: layer_norm: columns, 128 x 100 channels x 1\n"
        "  1 slice of 128 x 100 channels x 1: 8 strands per channel of up to 1024 values, 8 side by side; "
        "8 x 1 workgroups of 128; 8 partials per channel\n"
        "  scratch: 24588 bytes\n";
    if (steps == 0) return;
    std::vector<std::string> kinds = {"batch upload", "linear", "norm", "activation"};
    if (!is_perceptron(s))
        kinds.insert(kinds.end(),
                     {"conv2d", "max pool2d", "adaptive average pool2d", "dropout", "add", "flatten"});
    kinds.insert(kinds.end(), {"loss", "summary", "optimizer", "probes and readback"});
    for (const std::string& kind : kinds)
        view.parts_by_kind.push_back({kind, 0.01 * std::pow(1.9, view.parts_by_kind.size())});
    std::vector<std::string> labels = {"batch upload"};
    for (const char* way : {" forward", " backward"}) {
        for (size_t layer = 0; layer < s.hidden.size(); ++layer)
            for (const char* part : {"linear", "norm", "activation"})
                if (part != std::string("norm") || s.twins[twin].norm != vknorm::Norm::none)
                    labels.push_back(std::to_string(layer) + "." + part + way);
        labels.push_back(std::string("output") + way);
    }
    for (const char* last : {"loss", "summary", "optimizer", "probes and readback"})
        labels.emplace_back(last);
    double milliseconds = 0.0004;
    for (const std::string& label : labels) view.parts.push_back({label, milliseconds *= 1.3});
}

// By twin: how clearly it tells the classes apart, and which of its answers are wrong.
constexpr std::array<float, limits::max_twins> sharpness = {4, 1.2f, 2.5f, 1.8f};
constexpr std::array<uint32_t, limits::max_twins> mistaken_every = {5, 3, 4, 6};

}  // namespace

std::shared_ptr<Snapshot> synthetic_run(const Settings& settings, uint64_t steps) {
    auto s = std::make_shared<Snapshot>();
    s->settings = settings;
    s->revision = steps + 1;
    s->step = steps;
    s->epoch = static_cast<double>(steps) * settings.batch / 512;
    s->samples_per_second = steps > 0 ? 7680 : 0;
    s->device = "llvmpipe (LLVM 15.0.6, 256 bits)";
    s->parameters = 7346;
    const bool planar = is_planar(settings.data);
    s->train = s->test = std::make_shared<vknorm::Dataset>(planar ? points(settings) : pictures(settings));
    s->twins.resize(settings.twins.size());
    for (size_t twin = 0; twin < s->twins.size(); ++twin) {
        TwinView& view = s->twins[twin];
        train_twin(view, settings, twin, steps);
        if (settings.landscape && steps > 0)
            look_along_gradient(view, settings.twins[twin].norm != vknorm::Norm::none, steps);
        if (settings.distributions)
            measure_tensors(view, measured_layers(settings, twin)[settings.inspected_layer], steps);
        if (settings.plan) plan_step(view, settings, twin, steps);
        if (settings.microscope && steps > 0) view.specimens = synthetic_specimens(settings, twin, steps);
        if (steps == 0) continue;
        if (planar) {
            view.boundary = boundary(sharpness[twin]);
        } else {
            for (uint32_t i = 0; i < 40; ++i)
                view.predicted.push_back((s->test->labels[i] + (i % mistaken_every[twin] == 0)) % 10);
            view.maps = waves(measured_layers(settings, twin)[settings.inspected_layer], twin);
        }
    }
    return s;
}

void remember(Snapshot& run, uint64_t every) {
    Moments moments;
    for (uint64_t step = every; step < run.step; step += every) {
        const std::shared_ptr<Snapshot> then = synthetic_run(run.settings, step);
        then->run = run.run;
        moments.add(*then);
    }
    run.moments = moments.kept();
}

KeptRun keep(const Snapshot& run, uint64_t number, const std::string& change) {
    const PastRun past{number, run.step, run.settings, change, run.twins};
    return {std::make_shared<const PastRun>(past), false, true};
}

}  // namespace lab::testing

#include "lab/synthetic_specimen.hpp"

#include <random>

namespace lab::testing {

namespace {

std::vector<float> rounded(const std::vector<double>& values) {
    return {values.begin(), values.end()};
}

/// As operations save means: the numbers, and what rounding them lost.
std::vector<float> pairs(const Specimen& s, const std::vector<double>& means) {
    const size_t together = s.kind == vknorm::Norm::ghost ? s.channels : means.size();
    std::vector<float> all(2 * means.size());
    for (size_t i = 0; i < means.size(); ++i) {
        const size_t at = i / together * 2 * together + i % together;
        all[at] = static_cast<float>(means[i]);
        all[at + together] = static_cast<float>(means[i] - double{all[at]});
    }
    return all;
}

}  // namespace

std::shared_ptr<Specimen> synthetic_specimen(const Settings& settings, size_t twin, uint64_t step,
                                             uint32_t layer) {
    auto s = std::make_shared<Specimen>();
    const TwinSettings& its = settings.twins[twin];
    s->step = step;
    s->kind = its.norm_of(layer);
    s->activation = its.activation;
    s->order = its.order;
    s->channels = settings.hidden[layer];
    s->groups = its.groups;
    s->ghost_size = its.ghost_size;
    s->epsilon = settings.epsilon;
    s->statistics = settings.statistics;
    s->limits = {1.5f, 0.5f};
    std::mt19937 random(static_cast<unsigned>(settings.seed * 40 + twin * 10 + layer));
    std::normal_distribution<float> normal;
    vknorm::NormCapture& device = s->device;
    device.rows = settings.batch;
    const auto values = [&](size_t count, float mean, float deviation) {
        std::vector<float> result(count);
        for (float& value : result) value = mean + deviation * normal(random);
        return result;
    };
    for (uint32_t row = 0; row < settings.batch; ++row) s->labels.push_back(row % 2);
    device.x = values(s->elements(), 1.2f, 1.6f);
    device.dy = values(s->elements(), 1e-4f, 2e-3f);
    for (size_t i = 0; i < device.dy.size(); i += 2) device.dy[i] = 0;  // where a ReLU is off
    device.gamma = values(s->channels, 1.1f, 0.2f);
    const bool rms = s->kind == vknorm::Norm::rms;
    if (!rms) device.beta = values(s->channels, -0.2f, 0.3f);
    if (vknorm::keeps_running_statistics(s->kind)) {
        device.running_mean = values(s->channels, 1.1f, 0.1f);
        device.running_variance = values(s->channels, 2.4f, 0.1f);
    }
    const bool running = s->statistics == vknorm::Statistics::running;
    const Examination exact = examine(*s, running ? NormMode::frozen : NormMode::train);
    device.y = rounded(exact.y);
    device.dx = rounded(exact.dx);
    device.dgamma = rounded(exact.dgamma);
    if (!rms) device.dbeta = rounded(exact.dbeta);
    if (by_running(*s, exact.mode)) return s;
    if (!rms) device.mean = pairs(*s, exact.mean);
    device.inv_std = rounded(exact.inv_std);
    if (s->kind != vknorm::Norm::batch_renorm) return s;
    device.r = rounded(exact.r);
    device.d = rounded(exact.d);
    return s;
}

std::vector<std::shared_ptr<const Specimen>> synthetic_specimens(const Settings& settings, size_t twin,
                                                                 uint64_t step) {
    std::vector<std::shared_ptr<const Specimen>> all;
    for (uint32_t layer = 0; layer < settings.hidden.size(); ++layer)
        all.push_back(settings.twins[twin].norm_of(layer) == vknorm::Norm::none
                          ? nullptr
                          : synthetic_specimen(settings, twin, step, layer));
    return all;
}

}  // namespace lab::testing

#include "app/lab/statistics/channels.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace lab {

std::vector<const ChannelQuantity*> quantities_of(vknorm::Norm kind) {
    std::vector<const ChannelQuantity*> all;
    if (vknorm::keeps_running_statistics(kind))
        all = {&batch_mean, &running_mean, &batch_variance, &running_variance};
    if (kind != vknorm::Norm::none) all.push_back(&gamma_of_norm);
    if (kind != vknorm::Norm::none && kind != vknorm::Norm::rms) all.push_back(&beta_of_norm);
    if (vknorm::keeps_running_statistics(kind)) all.push_back(&mean_gap);
    return all;
}

bool has(vknorm::Norm kind, const ChannelQuantity& quantity) {
    const std::vector<const ChannelQuantity*> all = quantities_of(kind);
    return std::find(all.begin(), all.end(), &quantity) != all.end();
}

ChannelTrace::ChannelTrace(const Snapshot& run, const Snapshot& then, size_t twin, size_t layer) {
    const std::vector<Kept>& channels = run.twins[twin].channels;
    const TwinView& view = then.twins[twin];
    if (layer >= view.layers.size() || layer >= channels.size() || channels[layer].empty()) return;
    kept_ = &channels[layer];
    latest_ = view.layers[layer].channels;
    latest_step_ = view.divergence ? view.divergence->step - 1 : then.step;
    for (const auto& entry : *kept_) steps_.push_back(static_cast<double>(entry.step));
    if (kept_->back().step < latest_step_) steps_.push_back(static_cast<double>(latest_step_));
}

plot::HeatCell ChannelTrace::cell(size_t column, size_t channel, float ChannelRow::*member) const {
    if (column >= kept_->size()) {
        const float value = latest_[channel].*member;
        return {.value = value, .low = value, .high = value};
    }
    const auto& entry = (*kept_)[column];
    const Extremes<ChannelRow>& extremes = entry.extremes.each[channel];
    return {.value = entry.value[channel].*member,
            .low = extremes.low.*member,
            .high = extremes.high.*member,
            .steps = extremes.rows};
}

std::string decimals(float value) {
    if (!std::isfinite(value)) return "\u2013";
    const float size = std::abs(value);
    const bool plain = size == 0 || (size >= 0.0005f && size < 9999);
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), plain ? "%.3f" : "%.1e",
                  static_cast<double>(size == 0 ? 0 : value));
    return text.data();
}

}  // namespace lab

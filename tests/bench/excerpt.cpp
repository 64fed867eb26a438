#include "bench/excerpt.hpp"

#include <algorithm>

namespace vknorm::bench {

namespace {

constexpr size_t values_wanted = 1u << 20;

reference::Geometry geometry_of(const Case& what) {
    if (!what.normalizes_rows()) return {what.shape, what.layout};
    const uint32_t length = what.shape.back();
    return {{1, static_cast<uint32_t>(what.elements() / length), length}, Layout::channels_first};
}

}  // namespace

Excerpt::Excerpt(const Case& what)
    : rows_(what.normalizes_rows()), whole_(geometry_of(what)), shape_(what.shape) {
    const auto group = static_cast<uint32_t>(whole_.channels) / what.groups;
    const bool grouped = what.operation == "group_norm";
    const uint32_t unit = grouped ? group : 1;  // channels that belong together
    const auto units = static_cast<uint32_t>(whole_.channels) / unit;
    const auto taken = static_cast<uint32_t>(
        std::clamp<size_t>(values_wanted / (whole_.values_per_channel() * unit), 1, units));
    for (uint32_t i = 0; i < taken * unit; ++i) {
        const bool from_end = i >= (taken - taken / 2) * unit;
        channels_.push_back(from_end ? i + (units - taken) * unit : i);
    }
    if (grouped) groups_ = taken;
    const auto count = static_cast<uint32_t>(channels_.size());
    if (rows_)
        shape_ = {count, what.shape.back()};
    else
        shape_[what.layout == Layout::channels_first ? 1 : shape_.size() - 1] = count;
}

std::vector<float> Excerpt::values(const std::vector<float>& whole) const {
    reference::Geometry part = whole_;
    part.channels = channels_.size();
    std::vector<float> result(part.elements());
    for (size_t n = 0; n < part.images; ++n) {
        for (size_t c = 0; c < part.channels; ++c) {
            for (size_t s = 0; s < part.positions; ++s)
                result[part.at(n, c, s)] = whole[whole_.at(n, channels_[c], s)];
        }
    }
    return result;
}

std::vector<float> Excerpt::parameters(const std::vector<float>& whole) const {
    if (rows_) return whole;
    std::vector<float> result;
    for (const uint32_t channel : channels_) result.push_back(whole[channel]);
    return result;
}

}  // namespace vknorm::bench

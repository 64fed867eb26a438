#include "app/experiment/tensor_probes.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace lab {

namespace {

constexpr double most_room = 2.5;  // of a range, in lengths of what it is for, until it is made anew

/// Where most values lie: what is further out than five deviations is told as beyond, so that it does not
/// make all the rest a spike.
ValueRange reach_of(const Distribution& seen) {
    constexpr double deviations = 5, most = 1e37, least = 1e-30;
    const double mean = seen.mean, deviation = seen.deviation;
    ValueRange reach{std::max(double{seen.minimum}, -most), std::min(double{seen.maximum}, most)};
    if (std::isfinite(mean) && std::isfinite(deviation)) {
        reach.low = std::max(reach.low, mean - deviations * deviation);
        reach.high = std::min(reach.high, mean + deviations * deviation);
    }
    // A constant, but for rounding, has a bin of its own.
    const double middle = (reach.low + reach.high) / 2,
                 half = std::max({reach.length() / 2, std::abs(middle) / 256, least});
    return middle == 0 && reach.length() == 0 ? ValueRange{-0.5, 0.5}
                                              : ValueRange{middle - half, middle + half};
}

/// A little more than that, of a length that is a power of two and begins at a multiple of an eighth of it:
/// edges of bins are then exact, and 0 is one of them.
ValueRange range_around(const ValueRange& reach, bool negative) {
    const double margin = reach.length() / 10;
    const double low = negative ? reach.low - margin : std::max(reach.low - margin, 0.0),
                 high = reach.high + margin;
    for (double length = std::exp2(std::ceil(std::log2(high - low)));; length *= 2) {
        const double eighth = length / 8, begin = std::floor(low / eighth) * eighth;
        if (begin + length >= high) return {begin, begin + length};
    }
}

bool covers(const ValueRange& range, const ValueRange& reach) {
    return range.low <= reach.low && reach.high <= range.high;
}

/// About 0, each a quarter of the one before.
std::vector<ValueRange> ranges_of_all_sizes() {
    std::vector<ValueRange> ranges;
    for (int exponent = 8; exponent >= -24; exponent -= 2)
        ranges.push_back({-std::exp2(exponent), std::exp2(exponent)});
    return ranges;
}

/// Where the least value begins a bin, what that has more of than the next one: the zeros of a ReLU.
double share_of_least(const Distribution& seen) {
    const std::vector<float>& share = seen.histogram.share;
    const auto first = std::find_if(share.begin(), share.end(), [](float part) { return part > 0; });
    if (seen.histogram.below > 0 || share.end() - first < 2) return 0;
    if (seen.histogram.edge(static_cast<size_t>(first - share.begin())) != seen.minimum) return 0;
    return std::max(double{first[0]} - double{first[1]}, 0.0);
}

/// Linear within the bin where it falls; what lies beyond is one bin up to the last value there.
float percentile(const Distribution& seen, uint32_t percent) {
    const Histogram& histogram = seen.histogram;
    const double target = percent / 100.0, least = share_of_least(seen);
    if (target <= least) return seen.minimum;
    double below = least, rest = least;
    const auto within = [&](double share, double low, double high) -> std::optional<float> {
        if (share <= 0 || below + share < target) {
            below += share;
            return std::nullopt;
        }
        const double value = low + (high - low) * (target - below) / share;
        return static_cast<float>(std::clamp(value, double{seen.minimum}, double{seen.maximum}));
    };
    if (const auto found = within(histogram.below, seen.minimum, histogram.low)) return *found;
    for (size_t bin = 0; bin < histogram.share.size(); ++bin) {
        double share = histogram.share[bin];
        if (share > 0) share -= std::exchange(rest, 0);
        if (const auto found = within(share, histogram.edge(bin), histogram.edge(bin + 1))) return *found;
    }
    return within(histogram.above, histogram.high, seen.maximum).value_or(seen.maximum);
}

}  // namespace

vknorm::ProbeOptions histogram_probe(uint32_t bins, float low, float high) {
    const float bin = (high - low) / static_cast<float>(bins);
    return {.bins = bins + 2, .low = low - bin, .high = high + bin};
}

Histogram histogram_of(const vknorm::ProbeResult& probe, float low, float high) {
    Histogram histogram{.low = low, .high = high, .share = {}};
    histogram.share.assign(probe.histogram.size() - 2, 0.f);
    const double total = std::accumulate(probe.histogram.begin(), probe.histogram.end(), 0.0);
    if (!(total > 0)) return histogram;
    const auto share = [&](uint32_t count) { return static_cast<float>(count / total); };
    histogram.below = share(probe.histogram.front());
    histogram.above = share(probe.histogram.back());
    std::transform(probe.histogram.begin() + 1, probe.histogram.end() - 1, histogram.share.begin(), share);
    return histogram;
}

TensorProbes::TensorProbes(const MeasuredLayer& layer) : layer_(layer.linear) {
    using vknorm::Tensor;
    const auto add = [&](LayerTensor which, const std::string& node, Tensor tensor) {
        if (!node.empty()) tensors_[static_cast<size_t>(which)] = Probed{node, tensor, ranges_of_all_sizes()};
    };
    add(LayerTensor::before_norm, layer.linear, Tensor::output);
    add(LayerTensor::normalized, layer.norm, Tensor::normalized);
    add(LayerTensor::after_norm, layer.norm, Tensor::output);
    add(LayerTensor::activated, layer.activation, Tensor::output);
    add(LayerTensor::gradient, layer.linear, Tensor::output_gradient);
}

std::string TensorProbes::probe_name(size_t tensor, size_t range) {
    return "tensor " + std::to_string(tensor) + ", range " + std::to_string(range);
}

std::vector<vknorm::NetworkProbe> TensorProbes::probes() const {
    std::vector<vknorm::NetworkProbe> probes;
    for (size_t i = 0; i < tensors_.size(); ++i)
        for (size_t k = 0; tensors_[i] && k < tensors_[i]->ranges.size(); ++k) {
            const ValueRange& range = tensors_[i]->ranges[k];
            probes.push_back({.node = tensors_[i]->node,
                              .tensor = tensors_[i]->tensor,
                              .options = histogram_probe(bins, static_cast<float>(range.low),
                                                         static_cast<float>(range.high)),
                              .called = probe_name(i, k)});
        }
    return probes;
}

LayerDistributions TensorProbes::read(const vknorm::StepResult& result) const {
    LayerDistributions read;
    for (size_t i = 0; i < tensors_.size(); ++i) {
        if (!tensors_[i]) continue;
        const std::vector<ValueRange>& ranges = tensors_[i]->ranges;
        Distribution& seen = read[i];
        const vknorm::ProbeResult& any = result.probes.at(probe_name(i, 0));
        seen.count = std::accumulate(any.histogram.begin(), any.histogram.end(), uint64_t{0});
        seen.non_finite = any.non_finite;
        seen.minimum = any.minimum;
        seen.maximum = any.maximum;
        seen.mean = any.mean;
        seen.deviation = std::sqrt(any.variance);
        size_t best = ranges.size() - 1;  // the smallest that has all
        while (best > 0 && seen.count > 0 && !covers(ranges[best], reach_of(seen))) --best;
        seen.histogram =
            histogram_of(result.probes.at(probe_name(i, best)), static_cast<float>(ranges[best].low),
                         static_cast<float>(ranges[best].high));
        for (size_t p = 0; p < told_percents.size() && seen.count > 0; ++p)
            seen.percentiles[p] = percentile(seen, told_percents[p]);
    }
    return read;
}

bool TensorProbes::follow(const LayerDistributions& seen) {
    bool moved = false;
    for (size_t i = 0; i < tensors_.size(); ++i) {
        if (!tensors_[i] || seen[i].count == 0) continue;
        std::vector<ValueRange>& ranges = tensors_[i]->ranges;
        const ValueRange reach = reach_of(seen[i]);
        const bool fits = ranges.size() == 1 && covers(ranges[0], reach) &&
                          ranges[0].length() <= most_room * reach.length();
        if (fits) continue;
        ranges = {range_around(reach, seen[i].minimum < 0)};
        moved = true;
    }
    return moved;
}

}  // namespace lab

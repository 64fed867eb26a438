#include "app/lab/distributions/trace.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lab {

namespace {

size_t place(LayerTensor tensor) {
    return static_cast<size_t>(tensor);
}

plot::Ridge ridge_of(uint64_t step, const Distribution& seen) {
    const Histogram& histogram = seen.histogram;
    return {.step = step,
            .bins = {histogram.low, histogram.high},
            .share = histogram.share,
            .below = histogram.below,
            .above = histogram.above,
            .count = seen.count};
}

/// Where all but one percent of the values lie, half of that on either side.
plot::Range most_of(const Distribution& seen) {
    constexpr double cut = 0.005;
    const Histogram& histogram = seen.histogram;
    size_t first = 0, end = histogram.share.size();
    for (double below = histogram.below; first < end && (below += histogram.share[first]) <= cut;) ++first;
    for (double above = histogram.above; end > first && (above += histogram.share[end - 1]) <= cut;) --end;
    return {double{std::max(seen.minimum, histogram.edge(first))},
            double{std::min(seen.maximum, histogram.edge(end))}};
}

plot::Ridge gap_of(const plot::Range& stretch) {
    return {.step = static_cast<uint64_t>(stretch.low),
            .bins = {},
            .share = {},
            .until = static_cast<uint64_t>(stretch.high)};
}

}  // namespace

DistributionTrace::DistributionTrace(const Snapshot& run, size_t twin) : kept_(&run.twins[twin].tensors) {
    const TwinView& view = run.twins[twin];
    if (view.latest_tensors && (kept_->empty() || kept_->back().step < view.latest_tensors->step))
        latest_ = &*view.latest_tensors;
    find_unmeasured(view.divergence ? view.divergence->step - 1 : run.step);
}

void DistributionTrace::find_unmeasured(uint64_t last_step) {
    const auto add = [&](uint64_t first, uint64_t last) {
        if (first <= last) unmeasured_.push_back({static_cast<double>(first), static_cast<double>(last)});
    };
    uint64_t measured = 0;  // up to that step
    for (size_t i = 0; i < kept_->size(); ++i) {
        const uint64_t step = (*kept_)[i].step;
        add(measured + 1, step - 1);
        measured = step + kept_->stride() - 1;
    }
    if (empty()) return;
    const uint64_t newest = step(size() - 1);
    if (newest > measured) add(measured + 1, newest - 1);
    add(newest + 1, last_step);
}

uint64_t DistributionTrace::step(size_t index) const {
    return latest_ && index == kept_->size() ? latest_->step : (*kept_)[index].step;
}

const Distribution& DistributionTrace::at(size_t index, LayerTensor tensor) const {
    const LayerDistributions& all = latest_ && index == kept_->size() ? latest_->each : (*kept_)[index].value;
    return all[place(tensor)];
}

size_t DistributionTrace::index_at(double step) const {
    const auto distance = [&](size_t index) {
        return std::abs(static_cast<double>(this->step(index)) - step);
    };
    size_t index = size() - 1;
    while (index > 0 && distance(index - 1) < distance(index)) --index;
    return index;
}

std::vector<plot::Ridge> DistributionTrace::ridges(LayerTensor tensor, const plot::Range& steps,
                                                   size_t most) const {
    std::vector<size_t> seen;
    for (size_t i = 0; i < size(); ++i) {
        const auto at = static_cast<double>(step(i));
        if (at >= steps.low && at <= steps.high && this->at(i, tensor).count > 0) seen.push_back(i);
    }
    if (seen.empty()) return {};
    const size_t every = (seen.size() + most - 1) / most;
    std::vector<plot::Ridge> ridges;
    for (size_t i = seen.size(); i > 0; i = i > every ? i - every : 0)
        ridges.push_back(ridge_of(step(seen[i - 1]), at(seen[i - 1], tensor)));
    const double pitch = static_cast<double>(ridges.front().step - ridges.back().step) /
                         static_cast<double>(std::max<size_t>(ridges.size() - 1, 1));
    for (const plot::Range& stretch : unmeasured_)
        if (stretch.low < steps.high && stretch.high > steps.low && stretch.length() + 1 > pitch)
            ridges.push_back(gap_of(stretch));
    std::sort(ridges.begin(), ridges.end(),
              [](const plot::Ridge& a, const plot::Ridge& b) { return a.step < b.step; });
    return ridges;
}

std::vector<plot::Point> DistributionTrace::percentile(LayerTensor tensor, size_t which) const {
    std::vector<plot::Point> points;
    auto stretch = unmeasured_.begin();
    for (size_t i = 0; i < size(); ++i) {
        const auto at = static_cast<double>(step(i));
        for (; stretch != unmeasured_.end() && stretch->high < at; ++stretch)
            points.push_back({stretch->low, std::numeric_limits<double>::quiet_NaN()});
        points.push_back({at, this->at(i, tensor).percentiles[which]});
    }
    return points;
}

plot::Range DistributionTrace::values(LayerTensor tensor, const plot::Range& steps) const {
    std::vector<double> lows, highs;
    for (size_t i = 0; i < size(); ++i) {
        const auto step = static_cast<double>(this->step(i));
        if (step < steps.low || step > steps.high || at(i, tensor).count == 0) continue;
        const plot::Range its = most_of(at(i, tensor));
        lows.push_back(its.low);
        highs.push_back(its.high);
    }
    if (lows.empty()) return {};
    const plot::Range newest{lows.back(), highs.back()};
    const auto few = static_cast<ptrdiff_t>(lows.size() / 20);
    std::nth_element(lows.begin(), lows.begin() + few, lows.end());
    std::nth_element(highs.begin(), highs.end() - 1 - few, highs.end());
    return {std::min(newest.low, lows[static_cast<size_t>(few)]),
            std::max(newest.high, highs[highs.size() - 1 - static_cast<size_t>(few)])};
}

}  // namespace lab

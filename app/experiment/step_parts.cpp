#include "app/experiment/step_parts.hpp"

#include <algorithm>
#include <optional>
#include <variant>

namespace lab {

namespace {

constexpr size_t steps_kept = 32;

bool same_labels(const std::vector<vknorm::Timing>& a, const std::vector<vknorm::Timing>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const auto& left, const auto& right) { return left.label == right.label; });
}

// Of the node in "NODE forward" and "NODE backward"; other labels are kinds themselves.
std::string kind_of(const std::string& label, const vknorm::Graph& graph) {
    const std::optional<vknorm::NodeId> node = graph.find(label.substr(0, label.rfind(' ')));
    if (!node) return label;
    std::string kind = std::visit([](const auto& layer) { return std::string(layer.kind_name); },
                                  graph.nodes()[node->index].layer);
    std::replace(kind.begin(), kind.end(), '_', ' ');
    return kind;
}

}  // namespace

void StepParts::push(std::vector<vknorm::Timing> timings) {
    std::erase_if(timings, [](const vknorm::Timing& timing) { return timing.depth > 0; });
    if (timings.empty()) return;
    if (!steps_.empty() && !same_labels(steps_.back(), timings)) steps_.clear();
    steps_.push_back(std::move(timings));
    if (steps_.size() > steps_kept) steps_.pop_front();
}

std::vector<vknorm::Timing> StepParts::medians() const {
    if (steps_.empty()) return {};
    std::vector<vknorm::Timing> medians = steps_.back();
    for (size_t part = 0; part < medians.size(); ++part) {
        std::vector<double> times;
        for (const auto& step : steps_) times.push_back(step[part].milliseconds);
        const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
        std::nth_element(times.begin(), middle, times.end());
        medians[part].milliseconds = *middle;
    }
    return medians;
}

std::vector<vknorm::Timing> by_kind(const std::vector<vknorm::Timing>& parts, const vknorm::Graph& graph) {
    std::vector<vknorm::Timing> kinds;
    for (const vknorm::Timing& part : parts) {
        const std::string kind = kind_of(part.label, graph);
        auto found =
            std::find_if(kinds.begin(), kinds.end(), [&](const auto& known) { return known.label == kind; });
        if (found == kinds.end()) found = kinds.insert(found, {kind, 0});
        found->milliseconds += part.milliseconds;
    }
    return kinds;
}

}  // namespace lab

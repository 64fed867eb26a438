#include "nn/network_arguments.hpp"

#include <algorithm>
#include <string>
#include <variant>

#include "ops/arguments.hpp"

namespace vknorm::detail {

void check_batch(const char* operation, const NetworkOptions& options, std::span<const float> inputs,
                 std::span<const uint32_t> labels) {
    const uint64_t needed = uint64_t{labels.size()} * options.inputs;
    if (inputs.size() != needed)
        refuse(operation, "inputs", std::to_string(inputs.size()) + " values",
               std::to_string(labels.size()) + " rows of " + std::to_string(options.inputs) + " = " +
                   std::to_string(needed));
    const auto bad =
        std::find_if(labels.begin(), labels.end(), [&](uint32_t label) { return label >= options.classes; });
    if (bad != labels.end())
        refuse(operation, "labels[" + std::to_string(bad - labels.begin()) + "]", std::to_string(*bad),
               "below " + std::to_string(options.classes));
}

void check_rows(const char* operation, const NetworkOptions& options, std::span<const float> inputs) {
    if (inputs.size() % options.inputs != 0)
        refuse(operation, "inputs", std::to_string(inputs.size()) + " values",
               "a multiple of " + std::to_string(options.inputs));
}

RenormLimits renorm_limits(const char* operation, const Graph& graph, const NetworkOptions& options,
                           uint64_t step) {
    if (std::none_of(graph.nodes().begin(), graph.nodes().end(), [](const Graph::Node& node) {
            const auto* const norm = std::get_if<NormLayer>(&node.layer);
            return norm != nullptr && norm->kind == Norm::batch_renorm;
        }))
        return {};
    const RenormLimits limits = options.renorm(step);
    if (!(limits.r_max >= 1))
        refuse(operation, "renorm", "r_max " + std::to_string(limits.r_max), "at least 1");
    if (!(limits.d_max >= 0))
        refuse(operation, "renorm", "d_max " + std::to_string(limits.d_max), "at least 0");
    return limits;
}

void check_statistics(const char* operation, Statistics statistics) {
    require_value(operation, "statistics", statistics, Statistics::running);
}

NetworkOptions options_for(const Graph& graph, NetworkOptions options) {
    if (graph.nodes().empty()) refuse("network", "graph", "one that was moved from", "one with nodes");
    options.inputs = static_cast<uint32_t>(graph.nodes().front().elements());
    options.classes = static_cast<uint32_t>(graph.nodes().back().elements());
    return options;
}

const NetworkOptions& without_hidden(const NetworkOptions& options) {
    if (!options.hidden.empty())
        refuse("network", "hidden", std::to_string(options.hidden.size()) + " layers beside a graph", "none");
    return options;
}

}  // namespace vknorm::detail

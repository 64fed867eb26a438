// What a network is given, checked: all throw std::invalid_argument that names the argument of `operation`.
#pragma once

#include <span>

#include <vknorm/network.hpp>

namespace vknorm::detail {

/// Refuses other than options.inputs values for each label, and labels that are no classes.
void check_batch(const char* operation, const NetworkOptions& options, std::span<const float> inputs,
                 std::span<const uint32_t> labels);
/// Refuses parts of rows.
void check_rows(const char* operation, const NetworkOptions& options, std::span<const float> inputs);
void check_statistics(const char* operation, Statistics statistics);
/// The limits of batch renormalization in a step, if a layer asks for them.
RenormLimits renorm_limits(const char* operation, const Graph& graph, const NetworkOptions& options,
                           uint64_t step);

/// With the inputs and classes of that graph.
NetworkOptions options_for(const Graph& graph, NetworkOptions options);
/// The same; refuses hidden layers, which do not go beside a graph.
const NetworkOptions& without_hidden(const NetworkOptions& options);

}  // namespace vknorm::detail

// What a network is made of, for people.
#pragma once

#include <string>

#include "nn/device_graph.hpp"

namespace vknorm::detail {

/// See Network::summary().
std::string summary_of(const DeviceGraph& graph, VkDeviceSize optimizer_bytes);

}  // namespace vknorm::detail

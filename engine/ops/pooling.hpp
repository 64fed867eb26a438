// How many windows pooling has, without a device.
#pragma once

#include <string>

#include <vknorm/pooling.hpp>

namespace vknorm::detail {

/// Throws std::invalid_argument for sizes or windows out of range, naming `operation`.
PooledSize pooled_size(const std::string& operation, const MaxPool2dOptions& options);
PooledSize pooled_size(const std::string& operation, const AveragePool2dOptions& options);
/// Those asked for.
PooledSize pooled_size(const std::string& operation, const AdaptiveAveragePool2dOptions& options);

}  // namespace vknorm::detail

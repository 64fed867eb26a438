// Options of normalizations: their checks, and what they become. Throw std::invalid_argument naming the
// operation and the option.
#pragma once

#include <string>

#include <vknorm/batch_norm.hpp>

#include "ops/norm/plan.hpp"

namespace vknorm::detail {

void check_epsilon(const std::string& operation, float epsilon);
void check_momentum(const std::string& operation, float momentum);
void check_convention(const std::string& operation, const BatchNormConvention& convention);
/// Throws Unsupported for 16-bit storage on a device without.
void check_storage(const std::string& operation, const Device& device, Storage storage);

/// Of batch normalization, checked.
Extent extent_of(const std::string& operation, const BatchNormOptions& options);

std::string shape_text(const std::vector<uint32_t>& shape);

}  // namespace vknorm::detail

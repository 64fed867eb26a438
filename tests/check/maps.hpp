// Operations that slide a window over maps.
#pragma once

#include <array>

#include "check/operation.hpp"

namespace vknorm::check {

Operation conv2d();
Operation max_pool2d();
Operation average_pool2d();
Operation adaptive_average_pool2d();

extern const Option kernel_option, stride_option, padding_option, dilation_option;

/// Returns N, C, H and W. Throws std::invalid_argument for another number of dimensions, and for lengths
/// beyond 32 bits.
std::array<uint32_t, 4> map_lengths(const std::string& operation, const TensorShape& x);

}  // namespace vknorm::check

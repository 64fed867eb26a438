// Activation functions and their gradients.
#pragma once

#include <vknorm/network.hpp>

#include "ops/health.hpp"

namespace vknorm::detail {

/// y = f(x), both [rows, units], at multiples of 256 bytes; y may be x. Tells `word` of x. ReLU is x < 0 ? 0
/// : x, so that NaN shows.
void activation_forward(Recorder& recorder, Activation function, uint32_t rows, uint32_t units,
                        const BufferView& x, const BufferView& y, const HealthWord& word);

/// d becomes d * f'(x), where y = f(x); both [rows, units], at multiples of 256 bytes.
void activation_backward(Recorder& recorder, Activation function, uint32_t rows, uint32_t units,
                         const BufferView& y, const BufferView& d);

}  // namespace vknorm::detail

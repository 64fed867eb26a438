// Tensors have two 16-bit number types, IEEE 754 binary16 and bfloat16. Values are rounded to the nearest,
// ties to even.
#pragma once

#include <cstdint>

namespace vknorm::detail {

uint16_t to_float16(float value);
float from_float16(uint16_t bits);
uint16_t to_bfloat16(float value);
float from_bfloat16(uint16_t bits);

}  // namespace vknorm::detail

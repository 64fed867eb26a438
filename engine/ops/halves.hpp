// A number of 64 bits as the two words that kernels take.
#pragma once

#include <cstdint>

namespace vknorm::detail {

inline uint32_t low_half(uint64_t number) {
    return static_cast<uint32_t>(number);
}

inline uint32_t high_half(uint64_t number) {
    return static_cast<uint32_t>(number >> 32);
}

}  // namespace vknorm::detail

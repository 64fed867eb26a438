// Health of a training run, on the device: whether a step met NaN or an infinity, and where first.
//
// Words: diverged (0 or 1), the low 32 bits of the step that diverged, then one word per layer: the lowest
// unit that showed a value that is not finite in the step at hand, or all ones. Kernels tell it;
// step_summary.hpp judges.
#pragma once

#include <cstdint>
#include <vector>

#include <vknorm/buffer.hpp>

#include "shaders/network.h"

namespace vknorm::detail {

/// The word that a kernel tells; an absent buffer: nobody is told.
struct HealthWord {
    BufferView health{};
    uint32_t layer = 0;
};

inline uint32_t health_words(uint32_t layers) {
    return VKNORM_HEALTH_HEADER + layers;
}

/// Contents at the start, and after a diverged run was repaired.
inline std::vector<uint32_t> sound_health(uint32_t layers) {
    std::vector<uint32_t> words(health_words(layers), VKNORM_HEALTHY);
    words[0] = words[1] = 0;
    return words;
}

}  // namespace vknorm::detail

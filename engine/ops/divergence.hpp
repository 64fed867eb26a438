// Whether a training run met NaN or an infinity, and where first, as words on the device.
//
// Words: the StepVerdict on the step at hand, the low 32 bits of the step that diverged, of how many steps
// the running statistics were refused, then one word per layer: the lowest unit that showed a value that is
// not finite in the step at hand, or shaders::all_finite. Operations lower it, as their `first_non_finite`;
// step_summary.hpp judges.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <vknorm/buffer.hpp>

#include "shaders/nn.h"

namespace vknorm::detail {

inline uint32_t divergence_words(uint32_t layers) {
    return shaders::divergence_header + layers;
}

/// Contents at the start.
inline std::vector<uint32_t> no_divergence(uint32_t layers) {
    std::vector<uint32_t> words(divergence_words(layers), shaders::all_finite);
    std::fill_n(words.begin(), shaders::divergence_header, 0u);
    return words;
}

/// A word of the header.
inline BufferView divergence_word(const BufferView& divergence, uint32_t word) {
    return {divergence.buffer, divergence.offset + word * sizeof(uint32_t), sizeof(uint32_t)};
}

inline BufferView verdict_of(const BufferView& divergence) {
    return {divergence.buffer, divergence.offset, sizeof(shaders::StepVerdict)};
}

/// The word of a layer; absent where the words are.
inline BufferView first_non_finite_of(const BufferView& divergence, uint32_t layer) {
    if (!divergence) return {};
    return divergence_word(divergence, shaders::divergence_header + layer);
}

}  // namespace vknorm::detail

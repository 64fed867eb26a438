// What dropout keeps, from the published generator.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <string>

#include <vknorm/dropout.hpp>

namespace vknorm::reference {

/// Philox4x32-10 as its authors' Random123 has it.
inline std::array<uint32_t, 4> philox4x32_10(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
    for (int round = 0; round < 10; ++round) {
        const uint64_t first = uint64_t{0xd2511f53} * counter[0], second = uint64_t{0xcd9e8d57} * counter[2];
        counter = {static_cast<uint32_t>(second >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(second),
                   static_cast<uint32_t>(first >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(first)};
        key = {key[0] + 0x9e3779b9, key[1] + 0xbb67ae85};
    }
    return counter;
}

/// What an element is multiplied by.
inline double dropout_factor(const DropoutMask& mask, double p, uint64_t element) {
    const auto low = [](uint64_t number) { return static_cast<uint32_t>(number); };
    const auto words = philox4x32_10({low(element / 4), low(mask.step), low(mask.step >> 32), mask.layer},
                                     {low(mask.seed), low(mask.seed >> 32)});
    return words[element % 4] < std::round(std::ldexp(p, 32)) ? 0 : 1 / (1 - p);
}

/// That of a node's name in a network: 32-bit FNV-1a.
inline uint32_t dropout_layer(const std::string& name) {
    uint32_t hash = 0x811c9dc5;
    for (const char letter : name) hash = (hash ^ static_cast<uint8_t>(letter)) * 0x01000193;
    return hash;
}

}  // namespace vknorm::reference

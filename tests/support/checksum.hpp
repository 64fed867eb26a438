// One number for all bits of a set, the same on machines of either byte order.
#pragma once

#include <bit>
#include <cstdint>

#include <vknorm/data.hpp>

namespace vknorm::test {

/// FNV-1a over 32-bit words: the inputs' bits, then the labels.
inline uint64_t checksum(const Dataset& data) {
    uint64_t hash = 0xcbf29ce484222325;
    const auto add = [&](uint32_t word) { hash = (hash ^ word) * 0x100000001b3; };
    for (const float value : data.inputs) add(std::bit_cast<uint32_t>(value));
    for (const uint32_t label : data.labels) add(label);
    return hash;
}

}  // namespace vknorm::test

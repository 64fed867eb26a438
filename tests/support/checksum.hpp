// One number for all bits of a set, the same on machines of either byte order.
#pragma once

#include <bit>
#include <cstdint>

#include <vknorm/data.hpp>

#include "data/hash.hpp"

namespace vknorm::test {

/// Adds 32-bit words: the inputs' bits, then the labels.
inline uint64_t checksum(const Dataset& data) {
    detail::Fnv1a hash;
    for (const float value : data.inputs) hash.add(std::bit_cast<uint32_t>(value));
    for (const uint32_t label : data.labels) hash.add(label);
    return hash.value();
}

}  // namespace vknorm::test

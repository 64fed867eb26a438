// What tells the random numbers of a network's nodes apart.
#pragma once

#include <cstdint>
#include <string>

namespace vknorm::detail {

/// FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo): names stay when other nodes of a graph come and go, their
/// numbers do not.
inline uint32_t hash_of_name(const std::string& name) {
    uint32_t hash = 2166136261;
    for (const char letter : name) hash = (hash ^ static_cast<unsigned char>(letter)) * 16777619;
    return hash;
}

}  // namespace vknorm::detail

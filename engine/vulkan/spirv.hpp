// The little that the engine reads from a compiled shader. Pure: knows no Vulkan.
#pragma once

#include <compare>
#include <cstdint>
#include <span>

namespace vknorm::detail {

/// What set 0 of a shader holds, numbered from 0: storage buffers, and texel buffers.
struct Bindings {
    uint32_t count = 0;
    uint32_t texels = 0;  ///< bit i: binding i is a uniform texel buffer

    bool is_texels(uint32_t binding) const { return (texels >> binding & 1) != 0; }
    auto operator<=>(const Bindings&) const = default;
};

/// Throws std::logic_error for words that are not SPIR-V.
Bindings bindings_of(std::span<const uint32_t> words);

}  // namespace vknorm::detail

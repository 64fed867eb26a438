// The little that the engine reads from a compiled shader. Pure: knows no Vulkan.
#pragma once

#include <cstdint>
#include <span>

namespace vknorm::detail {

/// Bindings of set 0: the highest binding number plus one. Throws std::logic_error for words that are not
/// SPIR-V.
uint32_t count_bindings(std::span<const uint32_t> words);

}  // namespace vknorm::detail

// The engine puts specialization constants into a shader by itself. Vulkan does it too, but SwiftShader keeps
// the branches that are never taken: it then compiles a kernel with everything switched off four times as
// long, and runs it four to seven times as long. This is pure: it knows no Vulkan.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vknorm::detail {

/// Returns the shader with `constants[i]` for constant_id i, and without the blocks and the bindings that
/// these make useless: devices have few. Throws std::logic_error for words that are not SPIR-V.
std::vector<uint32_t> specialized(std::span<const uint32_t> words, std::span<const uint32_t> constants);

}  // namespace vknorm::detail

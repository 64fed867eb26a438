#include "vulkan/spirv.hpp"

#include <algorithm>
#include <stdexcept>

namespace vknorm::detail {

// SPIR-V specification, section 2.3 (physical layout) and section 3 (numbers).
uint32_t count_bindings(std::span<const uint32_t> words) {
    constexpr uint32_t magic = 0x07230203, header_words = 5, op_decorate = 71, decoration_binding = 33;
    if (words.size() < header_words || words[0] != magic) throw std::logic_error("a shader is not SPIR-V");
    uint32_t count = 0;
    for (size_t at = header_words; at < words.size();) {
        const uint32_t opcode = words[at] & 0xffff, length = words[at] >> 16;
        if (length == 0 || length > words.size() - at) throw std::logic_error("a shader's SPIR-V is cut off");
        if (opcode == op_decorate && length == 4 && words[at + 2] == decoration_binding)
            count = std::max(count, words[at + 3] + 1);
        at += length;
    }
    return count;
}

}  // namespace vknorm::detail

#include "vulkan/spirv.hpp"

#include <algorithm>
#include <map>

namespace vknorm::detail {

// SPIR-V specification, section 3: numbers.
Bindings bindings_of(std::span<const uint32_t> words) {
    constexpr uint32_t op_type_int = 21, op_type_image = 25, op_type_sampled_image = 27, op_type_pointer = 32;
    constexpr uint32_t op_variable = 59, op_decorate = 71;
    constexpr uint32_t decoration_binding = 33;
    Bindings result;
    std::map<uint32_t, uint32_t> binding_of;  // of a variable
    std::map<uint32_t, uint32_t> pointee;     // of a type of pointers
    enum class Component { real, without_sign, with_sign };
    std::map<uint32_t, Component> component;  // of types of integers, and of images
    std::map<uint32_t, Component> sampled;    // the same of types of sampled images: ours are of buffers
    for_each_instruction(words, [&](uint32_t opcode, std::span<const uint32_t> operands) {
        if (opcode == op_decorate && operands.size() == 4 && operands[2] == decoration_binding) {
            binding_of[operands[1]] = operands[3];
            result.count = std::max(result.count, operands[3] + 1);
        }
        if (opcode == op_type_int)
            component[operands[1]] = operands[3] == 0 ? Component::without_sign : Component::with_sign;
        if (opcode == op_type_image) component[operands[1]] = component[operands[2]];
        if (opcode == op_type_sampled_image) sampled[operands[1]] = component[operands[2]];
        if (opcode == op_type_pointer) pointee[operands[1]] = operands[3];
        if (opcode != op_variable) return;
        const auto binding = binding_of.find(operands[2]);
        if (binding == binding_of.end()) return;
        const auto texels = sampled.find(pointee.at(operands[1]));
        if (texels == sampled.end()) return;
        const uint32_t bit = 1u << binding->second;
        result.texels |= bit;
        if (texels->second == Component::without_sign) result.pairs |= bit;
        if (texels->second == Component::with_sign) result.singles |= bit;
    });
    return result;
}

}  // namespace vknorm::detail

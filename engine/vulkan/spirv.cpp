#include "vulkan/spirv.hpp"

#include <map>

namespace vknorm::detail {

Bindings bindings_of(std::span<const uint32_t> words) {
    Bindings result;
    std::map<uint32_t, uint32_t> binding_of;  // of a variable
    std::map<uint32_t, uint32_t> pointee;     // of a type of pointers
    enum class Component { real, without_sign, with_sign };
    std::map<uint32_t, Component> component;  // of types of integers, and of images
    std::map<uint32_t, Component> sampled;    // the same of types of sampled images: ours are of buffers
    for_each_instruction(words, [&](spv::Op opcode, std::span<const uint32_t> operands) {
        const auto is_binding = [&] {
            constexpr auto binding = static_cast<uint32_t>(spv::Decoration::Binding);
            return operands.size() == 4 && operands[2] == binding;
        };
        if (opcode == spv::Op::OpDecorate && is_binding()) binding_of[operands[1]] = operands[3];
        if (opcode == spv::Op::OpTypeInt)
            component[operands[1]] = operands[3] == 0 ? Component::without_sign : Component::with_sign;
        if (opcode == spv::Op::OpTypeImage) component[operands[1]] = component[operands[2]];
        if (opcode == spv::Op::OpTypeSampledImage) sampled[operands[1]] = component[operands[2]];
        if (opcode == spv::Op::OpTypePointer) pointee[operands[1]] = operands[3];
        if (opcode != spv::Op::OpVariable) return;
        const auto binding = binding_of.find(operands[2]);
        if (binding == binding_of.end()) return;
        const uint32_t bit = 1u << binding->second;
        const auto texels = sampled.find(pointee.at(operands[1]));
        if (texels == sampled.end()) {
            result.storage |= bit;
            return;
        }
        result.texels |= bit;
        if (texels->second == Component::without_sign) result.pairs |= bit;
        if (texels->second == Component::with_sign) result.singles |= bit;
    });
    return result;
}

}  // namespace vknorm::detail

// This is the little that the engine reads from a compiled shader. It is pure: it knows no Vulkan.
#pragma once

#include <bit>
#include <compare>
#include <cstdint>
#include <span>
#include <spirv/unified1/spirv.hpp11>
#include <stdexcept>

namespace vknorm::detail {

constexpr size_t spirv_header_words = 5;  // the SPIR-V specification, section 2.3, says so

/// Calls `visit` with the opcode and the words of each instruction. Throws std::logic_error for words that
/// are not SPIR-V.
template <class Visit>
void for_each_instruction(std::span<const uint32_t> words, Visit visit) {
    if (words.size() < spirv_header_words || words[0] != spv::MagicNumber)
        throw std::logic_error("a shader is not SPIR-V");
    for (size_t at = spirv_header_words; at < words.size();) {
        const uint32_t length = words[at] >> spv::WordCountShift;
        if (length == 0 || length > words.size() - at) throw std::logic_error("a shader's SPIR-V is cut off");
        visit(static_cast<spv::Op>(words[at] & spv::OpCodeMask), words.subspan(at, length));
        at += length;
    }
}

/// Set 0 of a shader holds these: storage buffers, and texel buffers, whose texels are four float32, two
/// uint32 or one int32. Numbers may be missing.
struct Bindings {
    uint32_t storage = 0;  ///< bit i is set when binding i is a storage buffer,
    uint32_t texels = 0;   ///< ... when it is a uniform texel buffer,
    uint32_t pairs = 0;    ///< ... whose texels are two uint32
    uint32_t singles = 0;  ///< ... whose texels are one int32

    uint32_t count() const { return std::popcount(storage | texels); }
    /// One more than the last one's number.
    uint32_t end() const { return std::bit_width(storage | texels); }
    bool has(uint32_t binding) const { return ((storage | texels) >> binding & 1) != 0; }
    bool is_texels(uint32_t binding) const { return (texels >> binding & 1) != 0; }
    bool is_pairs(uint32_t binding) const { return (pairs >> binding & 1) != 0; }
    bool is_singles(uint32_t binding) const { return (singles >> binding & 1) != 0; }
    auto operator<=>(const Bindings&) const = default;
};

/// Returns what a shader binds. Throws std::logic_error for words that are not SPIR-V.
Bindings bindings_of(std::span<const uint32_t> words);

}  // namespace vknorm::detail

#include "vulkan/spirv.hpp"

#include <gtest/gtest.h>
#include <stdexcept>
#include <vector>

#include "shaders/embedded.hpp"
#include "shaders/norm.h"
#include "vulkan/specialize.hpp"

namespace vknorm::detail {
namespace {

constexpr uint32_t every_feature = shaders::norm_gamma | shaders::norm_beta | shaders::norm_residual |
                                   shaders::norm_mask | shaders::norm_valid;

/// Constants of norm_apply, over adjacent channels.
std::vector<uint32_t> apply_with(uint32_t features, uint32_t walk = 0) {
    return {
        128, 1, 0, shaders::norm_of_batch, features, shaders::norm_aligned | shaders::norm_adjacent | walk};
}

TEST(Spirv, CountsTheBindingsOfAShader) {
    EXPECT_EQ(bindings_of(shaders::copy.words), (Bindings{.storage = 0b11}));
    constexpr uint32_t tensors = 1 | 1 << 6, numbers = 0b111100, others = 1 << 1 | 1 << 7 | 1 << 8;
    EXPECT_EQ(bindings_of(specialized(shaders::norm_apply_texels.words, apply_with(every_feature))),
              (Bindings{.storage = others, .texels = tensors | numbers, .singles = numbers}));
    EXPECT_EQ(bindings_of(specialized(shaders::norm_apply_sixteen_texels.words,
                                      apply_with(every_feature, shaders::norm_side_by_side))),
              (Bindings{.storage = others, .texels = tensors | numbers, .pairs = tensors}));
}

size_t branches(std::span<const uint32_t> words) {
    size_t count = 0;
    for_each_instruction(words, [&](spv::Op opcode, std::span<const uint32_t>) {
        count += opcode == spv::Op::OpBranchConditional;
    });
    return count;
}

TEST(Spirv, SpecializedShadersHaveOnlyWhatTheirConstantsLeave) {
    const auto& general = shaders::norm_apply.words;
    const std::vector<uint32_t> nothing = apply_with(0), everything = apply_with(every_feature);
    const std::vector<uint32_t> small = specialized(general, nothing),
                                large = specialized(general, everything);
    EXPECT_LT(small.size(), large.size());
    // Shaders built for debugging keep the branches of functions that nothing calls any more.
    EXPECT_LT(3 * branches(small), 2 * branches(general));
    for (const std::vector<uint32_t>& words : {small, large}) {
        EXPECT_EQ(specialized(words, {}), words);
        for_each_instruction(words, [](spv::Op opcode, std::span<const uint32_t>) {
            EXPECT_FALSE(opcode >= spv::Op::OpSpecConstantTrue && opcode <= spv::Op::OpSpecConstantComposite);
        });
    }
}

TEST(Spirv, SpecializedShadersBindOnlyWhatTheyUse) {
    const auto bindings = [](uint32_t features) {
        return bindings_of(specialized(shaders::norm_apply.words, apply_with(features)));
    };
    constexpr uint32_t x = 1 << 0, y = 1 << 1, statistics = 1 << 2 | 1 << 3, gamma = 1 << 4,
                       residual = 1 << 6;
    EXPECT_EQ(bindings(0), (Bindings{.storage = x | y | statistics}));
    const Bindings some = bindings(shaders::norm_gamma | shaders::norm_residual);
    EXPECT_EQ(some, (Bindings{.storage = x | y | statistics | gamma | residual}));
    EXPECT_EQ(some.count(), 6u);
    EXPECT_EQ(some.end(), 7u);
    EXPECT_FALSE(some.has(5));
}

TEST(Spirv, RefusesWhatIsNotSpirv) {
    std::vector<uint32_t> words(shaders::copy.words.begin(), shaders::copy.words.end());
    EXPECT_THROW(bindings_of({}), std::logic_error);
    EXPECT_THROW(bindings_of(std::span(words).first(6)), std::logic_error) << "half of an instruction";
    words[5] = 0;  // an instruction of no words
    EXPECT_THROW(bindings_of(words), std::logic_error);
    words[0] = 0;
    EXPECT_THROW(bindings_of(words), std::logic_error);
}

}  // namespace
}  // namespace vknorm::detail

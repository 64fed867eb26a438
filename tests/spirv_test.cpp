#include "vulkan/spirv.hpp"

#include <gtest/gtest.h>
#include <stdexcept>
#include <vector>

#include "shaders/embedded.hpp"

namespace vknorm::detail {
namespace {

TEST(Spirv, CountsTheBindingsOfAShader) {
    EXPECT_EQ(bindings_of(shaders::copy.words), (Bindings{.count = 2, .texels = 0}));
    EXPECT_EQ(bindings_of(shaders::norm_apply_vectors_texels.words), (Bindings{.count = 6, .texels = 1}));
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

#include "vulkan/spirv.hpp"

#include <gtest/gtest.h>
#include <stdexcept>
#include <vector>

#include "shaders/embedded.hpp"

namespace vknorm::detail {
namespace {

TEST(Spirv, CountsTheBindingsOfAShader) {
    EXPECT_EQ(count_bindings(shaders::copy.words), 2u);
}

TEST(Spirv, RefusesWhatIsNotSpirv) {
    std::vector<uint32_t> words(shaders::copy.words.begin(), shaders::copy.words.end());
    EXPECT_THROW(count_bindings({}), std::logic_error);
    EXPECT_THROW(count_bindings(std::span(words).first(6)), std::logic_error) << "half of an instruction";
    words[5] = 0;  // an instruction of no words
    EXPECT_THROW(count_bindings(words), std::logic_error);
    words[0] = 0;
    EXPECT_THROW(count_bindings(words), std::logic_error);
}

}  // namespace
}  // namespace vknorm::detail

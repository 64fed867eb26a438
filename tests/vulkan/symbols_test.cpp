// The engine lives beside any other user of Vulkan: it neither defines nor needs a vk* symbol.
#include <cstdio>
#include <gtest/gtest.h>
#include <string>

namespace vknorm {
namespace {

TEST(Symbols, TheLibraryHasNoneOfVulkan) {
    const std::string command = "nm --extern-only --portability '" VKNORM_LIBRARY "' 2>/dev/null";
    FILE* const pipe = popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    std::string vulkan;
    size_t symbols = 0;
    char line[4096];
    while (std::fgets(line, sizeof line, pipe)) {
        ++symbols;
        const std::string text = line;
        if (text.size() > 2 && text.compare(0, 2, "vk") == 0 && text[2] >= 'A' && text[2] <= 'Z')
            vulkan += text;
    }
    if (pclose(pipe) != 0) GTEST_SKIP() << "nm (binutils) is not installed";
    EXPECT_GT(symbols, 100u);
    EXPECT_EQ(vulkan, "");
}

}  // namespace
}  // namespace vknorm

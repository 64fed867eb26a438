// Lists of cases, and the one that the program holds.
#include "check/cases.hpp"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>

#include "support/data_files.hpp"

namespace vknorm::check {
namespace {

TEST(Cases, TheProgramHoldsThoseThatAreCommitted) {
    const std::vector<Case> cases = committed_cases();
    ASSERT_GT(cases.size(), 100u);
    EXPECT_EQ(cases.front().request.text, "--op batch_norm --mode training  --shape 2x64x28x28");
    for (const Operation& operation : operations())
        EXPECT_TRUE(std::ranges::any_of(cases, [&](const Case& each) {
            return each.request.operation == &operation;
        })) << operation.name;
}

TEST(Cases, ALineThatIsNoCallIsNamed) {
    const test::TemporaryDirectory directory;
    const std::string file = directory.path() / "cases";
    const auto refusal = [&](const char* text) {
        std::ofstream(file) << text;
        return test::message_of<std::invalid_argument>([&] { read_cases(file); });
    };
    EXPECT_EQ(refusal("# nothing\n\n"), file + ": holds no case");
    EXPECT_EQ(refusal("\n--op batch_norm --mode inference --shap 3x4"),
              file + ":2: unknown option '--shap': did you mean --shape?");
}

}  // namespace
}  // namespace vknorm::check

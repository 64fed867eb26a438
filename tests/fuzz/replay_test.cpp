// What the fuzzers begin from, and what they once found, goes through their entry points once more.
#include <cstdint>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>

#include "data/file.hpp"
#include "support/places.hpp"

#define FUZZ_TARGET(name) extern "C" int fuzz_##name(const uint8_t* data, size_t size);
#include "fuzz_targets.inc"
#undef FUZZ_TARGET

namespace vknorm::testing {
namespace {

struct FuzzTarget {
    const char* name;
    int (*run)(const uint8_t* data, size_t size);
};

constexpr FuzzTarget fuzz_targets[] = {
#define FUZZ_TARGET(name) {#name, fuzz_##name},
#include "fuzz_targets.inc"
#undef FUZZ_TARGET
};

class FuzzCorpus : public ::testing::TestWithParam<FuzzTarget> {};

TEST_P(FuzzCorpus, IsTakenOrRefused) {
    int inputs = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(project_file("tests/fuzz/corpus") / GetParam().name)) {
        SCOPED_TRACE(entry.path());
        const detail::Bytes bytes = detail::read_file(entry.path());
        GetParam().run(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
        ++inputs;
    }
    EXPECT_GT(inputs, 0);
    GetParam().run(nullptr, 0);
}

INSTANTIATE_TEST_SUITE_P(Replay, FuzzCorpus, ::testing::ValuesIn(fuzz_targets),
                         [](const auto& target) { return std::string(target.param.name); });

}  // namespace
}  // namespace vknorm::testing

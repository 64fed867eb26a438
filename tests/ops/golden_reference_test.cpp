// The float64 references themselves against PyTorch in float64.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <set>
#include <string>

#include "support/golden_vectors.hpp"

namespace vknorm::check {
namespace {

TEST(GoldenReference, GivesWhatPyTorchGives) {
    double worst = 0;
    size_t compared = 0;
    for (const GoldenVector& vector : golden_vectors()) {
        const Expectations reference = vector.call.mode->expect(vector.call);
        for (const auto& [name, tensor] : vector.results) {
            const std::vector<double>& values = reference.at(name).values;
            if (tensor.dtype == Dtype::u32) {
                const std::vector<uint32_t> words = tensor.words();
                EXPECT_EQ(std::vector<double>(words.begin(), words.end()), values)
                    << vector.name << ' ' << name;
            }
            if (tensor.dtype != Dtype::f32) continue;
            const std::vector<float> golden = tensor.floats();
            ASSERT_EQ(golden.size(), values.size()) << vector.name << ' ' << name;
            double largest = 0;
            for (const float value : golden) largest = std::max(largest, std::abs(double{value}));
            for (size_t i = 0; i < golden.size(); ++i, ++compared) {
                // The file's values are rounded; and PyTorch's own rounding errors.
                const double bound = std::abs(values[i]) * 0x1p-24 + 1e-9 * largest;
                worst = std::max(worst, std::abs(golden[i] - values[i]) / bound);
                ASSERT_LE(std::abs(golden[i] - values[i]), bound) << vector.name << ' ' << name << ' ' << i;
            }
        }
    }
    EXPECT_GT(compared, 50000u);
    std::printf("worst error/bound  %-40s %.2f  (%zu values)\n", "reference against PyTorch", worst,
                compared);
}

/// PyTorch, or its autograd, has something to say to everything.
TEST(GoldenReference, CoversEveryModeOfEveryOperation) {
    std::set<std::string> covered, known;
    for (const GoldenVector& vector : golden_vectors())
        covered.insert(vector.call.operation->name + " " + vector.call.mode->name);
    for (const Operation& operation : operations())
        for (const Mode& mode : operation.modes) known.insert(operation.name + " " + mode.name);
    EXPECT_EQ(covered, known);
}

}  // namespace
}  // namespace vknorm::check

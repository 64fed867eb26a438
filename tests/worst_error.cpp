#include "worst_error.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <gtest/gtest.h>
#include <map>
#include <vector>

namespace vknorm::testing {

namespace {

std::map<std::string, double>& worst() {
    static std::map<std::string, double> ratios;
    return ratios;
}

double ratio_of(float got, double expected, double bound) {
    const double error = std::abs(got - expected);
    if (std::isnan(expected) || std::isnan(got)) {
        return std::isnan(expected) && std::isnan(got) ? 0 : HUGE_VAL;
    }
    if (error == 0 || static_cast<double>(got) == expected) return 0;
    return error / bound;
}

}  // namespace

void expect_near(const std::string& operation, std::span<const float> got, std::span<const double> expected,
                 std::span<const double> bounds) {
    ASSERT_EQ(got.size(), expected.size()) << operation;
    size_t at = 0;
    double largest = 0;
    for (size_t i = 0; i < got.size(); ++i) {
        const double ratio = ratio_of(got[i], expected[i], bounds[i]);
        if (ratio <= largest) continue;
        largest = ratio;
        at = i;
    }
    double& record = worst()[operation];
    record = std::max(record, largest);
    ::testing::Test::RecordProperty(operation, std::to_string(largest));
    if (largest > 1) {
        ADD_FAILURE() << operation << ": element " << at << " of " << got.size() << " is " << got[at]
                      << ", expected " << expected[at] << ": " << largest << " times the bound "
                      << bounds[at];
    }
}

void expect_near(const std::string& operation, std::span<const float> got, std::span<const double> expected,
                 double bound) {
    expect_near(operation, got, expected, std::vector<double>(expected.size(), bound));
}

void print_worst_errors(const std::string& device) {
    for (const auto& [operation, ratio] : worst()) {
        std::printf("worst error/bound  %-40s %.2f  (%s)\n", operation.c_str(), ratio, device.c_str());
    }
}

}  // namespace vknorm::testing

#include "support/worst_error.hpp"

#include <algorithm>
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

}  // namespace

void remember(const std::string& operation, double ratio) {
    double& record = worst()[operation];
    record = std::max(record, ratio);
    ::testing::Test::RecordProperty(operation, std::to_string(ratio));
}

void expect_near(const std::string& operation, std::span<const float> got, const Expected& expected) {
    ASSERT_EQ(got.size(), expected.values.size()) << operation;
    const Deviation found = deviation(got, expected);
    remember(operation, found.ratio);
    if (found.ratio > 1) ADD_FAILURE() << operation << ": " << describe(found, got[found.at], expected);
}

void expect_near(const std::string& operation, std::span<const float> got, std::span<const double> expected,
                 std::span<const double> bounds) {
    expect_near(operation, got, {{expected.begin(), expected.end()}, {bounds.begin(), bounds.end()}});
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

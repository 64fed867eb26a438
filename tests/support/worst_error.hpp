// How close numeric tests come to their bounds: a bound that nothing comes near guards nothing, and should be
// seen.
#pragma once

#include <span>
#include <string>

#include "support/compare.hpp"

namespace vknorm::testing {

/// Fails the test where a value is farther off than it may be, naming the worst place; remembers the largest
/// ratio of error to bound under `operation`.
void expect_near(const std::string& operation, std::span<const float> got, const Expected& expected);
void expect_near(const std::string& operation, std::span<const float> got, std::span<const double> expected,
                 std::span<const double> bounds);
/// With one bound for all.
void expect_near(const std::string& operation, std::span<const float> got, std::span<const double> expected,
                 double bound);

/// Remembers a ratio that was found elsewhere.
void remember(const std::string& operation, double ratio);

/// Prints the largest ratios, one line per operation.
void print_worst_errors(const std::string& device);

}  // namespace vknorm::testing

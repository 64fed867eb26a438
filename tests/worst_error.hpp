// How close numeric tests come to their bounds: a bound that nothing comes near guards nothing, and should be
// seen.
#pragma once

#include <span>
#include <string>

namespace vknorm::testing {

/// Fails the test where |got[i] - expected[i]| > bound(i), naming the worst place; remembers the largest
/// ratio of error to bound under `operation`. Where `expected` is not a number, `got` has to be none either.
void expect_near(const std::string& operation, std::span<const float> got, std::span<const double> expected,
                 std::span<const double> bounds);
/// With one bound for all.
void expect_near(const std::string& operation, std::span<const float> got, std::span<const double> expected,
                 double bound);

/// Prints the largest ratios, one line per operation.
void print_worst_errors(const std::string& device);

}  // namespace vknorm::testing

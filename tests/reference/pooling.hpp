// Pooling in float64: each output has a window, the list of the values that it looks at. Slow and obvious on
// purpose.
#pragma once

#include <cstdint>
#include <vector>

#include <vknorm/pooling.hpp>

#include "reference/sets.hpp"
#include "support/compare.hpp"

namespace vknorm::reference {

struct Window {
    std::vector<uint32_t> values;  ///< where they are in a map, row by row
    double divisor = 1;            ///< of averages
};

/// How one map is pooled: a window for each output, row by row.
struct PooledMap {
    size_t height = 0, width = 0;  ///< of the output
    size_t values = 0;             ///< of the input
    std::vector<Window> windows;
};

PooledMap pooled_map(const MaxPool2dOptions& options);
PooledMap pooled_map(const AveragePool2dOptions& options);
PooledMap pooled_map(const AdaptiveAveragePool2dOptions& options);

// Of any number of maps, one after the other.
/// Of each output, where in its map the largest value is: the first of equal ones, or else the last NaN.
std::vector<uint32_t> largest(const PooledMap& map, const Numbers& x);
Values max_pool(const PooledMap& map, const Numbers& x);
Values max_pool_backward(const PooledMap& map, const Numbers& x, const Numbers& dy);
Values average_pool(const PooledMap& map, const Numbers& x);
Values average_pool_backward(const PooledMap& map, const Numbers& dy);

// With how far off float32 may be, in any order of additions; dy may be absent, and then there is no dx.
/// y, indices, dx
testing::Expectations expected_max_pool(const PooledMap& map, const std::vector<float>& x,
                                        const std::vector<float>& dy);
/// y, dx
testing::Expectations expected_average_pool(const PooledMap& map, const std::vector<float>& x,
                                            const std::vector<float>& dy);

}  // namespace vknorm::reference
